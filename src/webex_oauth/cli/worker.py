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
from webex_oauth.cli.environment import env_file_option, settings_or_exit, variables_or_exit
from webex_oauth.cli.log import configure_log
from webex_oauth.cli.running import run, stop_on_signals
from webex_oauth.settings import Settings

READY = b"ready\n"


@click.command()
@env_file_option
@click.option("--listener", type=int, required=True, help="The socket to take connections from.")
@click.option("--wire", type=int, required=True, help="The socket to `serve`.")
def main(*, env_file: Path, listener: int, wire: int) -> None:
    """Serve until `serve` says so, or is gone."""
    settings = settings_or_exit(variables_or_exit(env_file), tells_warnings=False)
    configure_log(is_debugging=settings.is_debugging)
    run(_serve(settings, socket.socket(fileno=listener), socket.socket(fileno=wire)))


async def _serve(settings: Settings, listener: socket.socket, wire: socket.socket) -> None:
    stop = stop_on_signals()
    listener.setblocking(False)
    reader, writer = await asyncio.open_unix_connection(sock=wire)
    orphaned = asyncio.create_task(_stop_when_orphaned(reader, stop))
    await serve_application(settings, listener, stop, when_ready=lambda: writer.write(READY))
    orphaned.cancel()
    writer.close()


async def _stop_when_orphaned(reader: asyncio.StreamReader, stop: asyncio.Event) -> None:
    """Wait for the other end of the wire to close, which a process does however it ends."""
    with contextlib.suppress(ConnectionError):
        await reader.read()
    stop.set()


if __name__ == "__main__":
    main()
