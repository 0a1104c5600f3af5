"""`webex-oauth demo`: the application and a local Webex together, with no account and no .env."""

import os
import tempfile
from io import StringIO
from pathlib import Path

import click
from dotenv import dotenv_values

from webex_oauth import emulator as local_webex
from webex_oauth.cli.emulator import (
    broker_port_option,
    emulator_port_option,
    local_webex_for,
    port_option,
)
from webex_oauth.cli.output import configure_log, say
from webex_oauth.cli.running import listen, run, stop_on_signals
from webex_oauth.cli.worker import serve_application
from webex_oauth.settings import Settings
from webex_oauth.settings.pages import PagePath


@click.command(name="demo")
@port_option
@emulator_port_option
@broker_port_option
def demo_command(*, port: int, emulator_port: int, broker_port: int | None) -> None:
    """Run the application and a local Webex together; nothing is kept when it ends."""
    with tempfile.TemporaryDirectory(prefix="webex-oauth-demo-") as folder:
        run(_serve(port, emulator_port, broker_port, Path(folder)))


async def _serve(port: int, emulator_port: int, broker_port: int | None, folder: Path) -> None:
    stop = stop_on_signals()
    async with local_webex_for(port, emulator_port, broker_port) as emulator:
        settings = _settings(emulator, port, folder)
        configure_log(is_debugging=settings.debug)
        listener = await listen(settings.host, port)
        say("")
        say(f"  Open {settings.url_of(PagePath.HOME)} in a browser and press “Sign in with Webex”.")
        say(f"  The local Webex is at {emulator.origin}/, where people sign in")
        say(f"  at {emulator.broker_origin}/. Ctrl-C stops both.")
        say("")
        await serve_application(settings, listener, stop, is_leaving=stop.is_set)


def _settings(emulator: local_webex.Emulator, port: int, folder: Path) -> Settings:
    text = local_webex.sample_env(emulator.integration, emulator.origin)
    variables = {k: v for k, v in dotenv_values(stream=StringIO(text)).items() if v is not None}
    return Settings.from_env(
        None,
        variables
        | {
            "PORT": str(port),
            "DEBUG": os.environ.get("DEBUG", ""),
            "WEBEX_STORE_URL": f"sqlite:///{folder / 'store' / 'vault.sqlite'}",
            "WEBEX_KEYS_FILE": str(folder / "keys" / "keys"),
        },
    )
