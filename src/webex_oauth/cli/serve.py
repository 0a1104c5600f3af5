"""`webex-oauth serve`: the application with a registered integration."""

import sys
from pathlib import Path

import click

from webex_oauth.cli.environment import env_file_option, read_variables, settings_or_exit
from webex_oauth.cli.log import configure_log
from webex_oauth.cli.running import run, serve_application, stop_on_signals
from webex_oauth.settings import Settings

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
    variables = read_variables(env_file)
    if not any(variables.get(name) for name in CREDENTIALS):
        click.echo(NO_CREDENTIALS, err=True)
        sys.exit(1)
    settings = settings_or_exit(env_file)
    configure_log(is_debugging=settings.is_debugging)
    run(_serve(settings))


async def _serve(settings: Settings) -> None:
    click.echo(f"Open {settings.public_origin}/ in a browser. Ctrl-C stops.", err=True)
    await serve_application(settings, stop_on_signals())
