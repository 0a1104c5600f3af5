"""One worker: a process that `serve` starts and hands its socket to. Not a command.

It is started afresh instead of forked, so that it loads the program and settings as they are now:
this is what lets SIGHUP deploy a new version.
"""

import asyncio
import contextlib
import socket
from collections.abc import Callable
from pathlib import Path

import click
from msgspec.structs import replace

from webex_oauth.asgi import create_app
from webex_oauth.cli import Edge
from webex_oauth.cli.limits import affordable_connections
from webex_oauth.cli.options import env_file_option, settings_or_exit
from webex_oauth.cli.running import run, spare_collections, stop_on_signals
from webex_oauth.cli.serve import READY
from webex_oauth.settings import Settings
from webex_oauth.web.listening import SHIPPED
from webex_oauth.web.server import serve


@click.command(cls=Edge)
@env_file_option
@click.option("--listener", type=int, required=True, help="The socket to accept connections from.")
@click.option("--wire", type=int, required=True, help="The socket to `serve`.")
def main(*, env_file: Path, listener: int, wire: int) -> None:
    """Serve until `serve` ends this worker, or is gone."""
    settings = settings_or_exit(env_file, with_warnings=False, is_server=True)
    run(_serve(settings, socket.socket(fileno=listener), socket.socket(fileno=wire)))


async def serve_application(
    settings: Settings,
    listener: socket.socket,
    stop: asyncio.Event,
    *,
    is_leaving: Callable[[], bool],
    when_ready: Callable[[], None] = lambda: None,
) -> None:
    """Serve the application until *stop* is set.

    `/readyz` answers 503 once *is_leaving*: no process of this machine will serve any longer.
    """
    app = create_app(settings, is_stopping=is_leaving)
    bounds = replace(SHIPPED, connections=affordable_connections(SHIPPED.connections))
    async with app.opened():
        spare_collections()
        when_ready()
        await serve(app, listener, stop, bounds)


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
    """Stop when the other end of the wire closes, which happens however the parent ends.

    A signal ends this worker alone: others still serve, so the machine stays ready.
    """
    with contextlib.suppress(ConnectionError):
        await reader.read()
    is_over.set()
    stop.set()


if __name__ == "__main__":
    main()
