"""The application, served by this process."""

import asyncio
import socket
from collections.abc import Callable
from dataclasses import replace

from webex_oauth.cli.limits import affordable_connections
from webex_oauth.cli.running import spare_collections
from webex_oauth.integration import open_integration
from webex_oauth.settings import Settings
from webex_oauth.web.application import create_application
from webex_oauth.web.bounds import SHIPPED
from webex_oauth.web.server import serve


async def serve_application(
    settings: Settings,
    listener: socket.socket,
    stop: asyncio.Event,
    *,
    is_leaving: Callable[[], bool],
    when_ready: Callable[[], None] = lambda: None,
) -> None:
    """Serve the application of *settings* until *stop* is set.

    It is not ready once this machine *is_leaving* those that serve.
    """
    async with open_integration(settings) as integration:
        application = create_application(settings, integration, is_stopping=is_leaving)
        spare_collections()
        when_ready()
        connections = affordable_connections(SHIPPED.connections)
        await serve(application, listener, stop, replace(SHIPPED, connections=connections))
