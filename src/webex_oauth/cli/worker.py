"""One of several workers: a process that `serve` starts and hands its socket to; no command.

It begins anew instead of being forked, so that it brings the program and the settings of its own
start: that is what makes SIGHUP deploy them.
"""

import asyncio
import contextlib
import socket
from pathlib import Path

import click

from webex_oauth.cli.application import serve_application
from webex_oauth.cli.edge import Edge
from webex_oauth.cli.environment import env_file_option, settings_or_exit, sources_or_exit
from webex_oauth.cli.log import configure_log
from webex_oauth.cli.running import run, stop_on_signals
from webex_oauth.cli.workers import READY
from webex_oauth.settings import Settings


@click.command(cls=Edge)
@env_file_option
@click.option("--listener", type=int, required=True, help="The socket to take connections from.")
@click.option("--wire", type=int, required=True, help="The socket to `serve`.")
def main(*, env_file: Path | None, listener: int, wire: int) -> None:
    """Serve until `serve` says so, or is gone."""
    settings = settings_or_exit(sources_or_exit(env_file), tells_warnings=False)
    configure_log(is_debugging=settings.is_debugging)
    run(_serve(settings, socket.socket(fileno=listener), socket.socket(fileno=wire)))


async def _serve(settings: Settings, listener: socket.socket, wire: socket.socket) -> None:
    stop, is_over = stop_on_signals(), asyncio.Event()
    listener.setblocking(False)
    reader, writer = await asyncio.open_unix_connection(sock=wire)
    watching = asyncio.create_task(_stop_with_parent(reader, stop, is_over))
    await serve_application(
        settings,
        listener,
        stop,
        is_leaving=is_over.is_set,
        when_ready=lambda: writer.write(READY),
    )
    watching.cancel()
    writer.close()


async def _stop_with_parent(
    reader: asyncio.StreamReader, stop: asyncio.Event, is_over: asyncio.Event
) -> None:
    """Stop when the other end of the wire closes, which a process does however it ends.

    A signal ends this worker alone: another one serves on, and the machine stays ready.
    """
    with contextlib.suppress(ConnectionError):
        await reader.read()
    is_over.set()
    stop.set()


if __name__ == "__main__":
    main()
