"""The application, served by this process."""

import asyncio
import socket
from collections.abc import Callable

from webex_oauth.cli.running import spare_collections
from webex_oauth.errors import ConfigurationError
from webex_oauth.integration import open_integration
from webex_oauth.settings import Settings
from webex_oauth.web.application import create_application
from webex_oauth.web.server import listening_socket, serve


def listen(settings: Settings) -> socket.socket:
    """Bind the application's address; raises ConfigurationError when it is taken."""
    host, port = settings.host, settings.port
    try:
        return listening_socket(host, port)
    except OSError as error:
        raise ConfigurationError(
            [f"cannot listen on {host}:{port} ({error.strerror}): set PORT to a free one"]
        ) from error


async def serve_application(
    settings: Settings,
    listener: socket.socket,
    stop: asyncio.Event,
    when_ready: Callable[[], None] = lambda: None,
) -> None:
    """Serve the application of *settings* until *stop* is set."""
    async with open_integration(settings) as integration:
        application = create_application(settings, integration, is_stopping=stop.is_set)
        spare_collections()
        when_ready()
        await serve(application, listener, stop)
