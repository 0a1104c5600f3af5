"""`webex-oauth serve`: the application with a registered integration."""

import asyncio
import socket
import sys
from pathlib import Path

import click

from webex_oauth.cli.environment import env_file_option, settings_or_exit, variables_or_exit
from webex_oauth.cli.log import configure_log
from webex_oauth.cli.running import run, spare_collections, stop_on_signals
from webex_oauth.errors import ConfigurationError
from webex_oauth.integration import open_integration
from webex_oauth.settings import Settings
from webex_oauth.web.application import create_application
from webex_oauth.web.server import listening_socket, serve

NO_CREDENTIALS = """\
No integration is configured: there is no AUTH_INIT_URL and no CLIENT_SECRET, here or in .env.
Create one at developer.webex.com (My Webex Apps), put its OAuth Authorization URL and its Client \
Secret into .env under these names, and run this again.
To try everything now, without a Webex account: webex-oauth demo"""
CREDENTIALS = ("AUTH_INIT_URL", "WEBEX_CLIENT_ID", "CLIENT_SECRET", "CLIENT_SECRET_FILE")


@click.command(name="serve")
@env_file_option
def command(env_file: Path) -> None:
    """Run the application with your integration."""
    variables = variables_or_exit(env_file)
    if not any(variables.get(name) for name in CREDENTIALS):
        click.echo(NO_CREDENTIALS, err=True)
        sys.exit(1)
    settings = settings_or_exit(variables)
    configure_log(is_debugging=settings.is_debugging)
    run(_serve(settings))


async def _serve(settings: Settings) -> None:
    stop, listener = stop_on_signals(), listen(settings)
    click.echo(f"Open {settings.public_origin}/ in a browser. Ctrl-C stops.", err=True)
    await serve_application(settings, listener, stop)


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
    settings: Settings, listener: socket.socket, stop: asyncio.Event
) -> None:
    """Serve the application of *settings* until *stop* is set."""
    async with open_integration(settings) as integration:
        application = create_application(settings, integration)
        spare_collections()
        await serve(application, listener, stop)
