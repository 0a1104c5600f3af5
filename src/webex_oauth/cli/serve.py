"""`webex-oauth serve`: the application with a registered integration."""

import asyncio
import signal
import sys
from dataclasses import replace
from pathlib import Path

import click

from webex_oauth.cli.environment import env_file_option, settings_or_exit, sources_or_exit
from webex_oauth.cli.log import configure_log
from webex_oauth.cli.printing import complain
from webex_oauth.cli.running import listen, run, stop_on_signals
from webex_oauth.cli.workers import Workers
from webex_oauth.settings import Settings

NO_CREDENTIALS = """\
No integration is configured: there is no AUTH_INIT_URL and no CLIENT_SECRET, here or in {file}.
Create one at developer.webex.com (My Webex Apps), put its OAuth Authorization URL and its Client \
Secret into .env under these names, and run this again.
To try everything now, without a Webex account: webex-oauth demo"""
BIND_SECONDS = 5.0
"""How long to wait for the address: what a killed server has left behind ends within that."""

CREDENTIALS = ("AUTH_INIT_URL", "WEBEX_CLIENT_ID", "CLIENT_SECRET", "CLIENT_SECRET_FILE")


@click.command(name="serve")
@env_file_option
@click.option(
    "--workers",
    type=int,
    help="Serve with this many processes; SIGHUP renews them one after the other.",
)
def command(*, env_file: Path | None, workers: int | None) -> None:
    """Run the application with your integration."""
    sources = sources_or_exit(env_file)
    if not any(sources.variables.get(name) for name in CREDENTIALS):
        file = ".env" if env_file is None else env_file
        absent = "" if Path(file).exists() else " (which does not exist)"
        for line in NO_CREDENTIALS.format(file=f"{file}{absent}").splitlines():
            complain(line)
        sys.exit(1)
    if workers is not None:
        variables = {**sources.variables, "WEBEX_WORKERS": str(workers)}
        sources = replace(sources, variables=variables)
    settings = settings_or_exit(sources)
    configure_log(is_debugging=settings.is_debugging)
    sys.exit(run(_serve(settings, env_file), asyncio.new_event_loop))


async def _serve(settings: Settings, env_file: Path | None) -> int:
    """Run the workers; also one is a process of its own, so that SIGHUP can renew it."""
    renewal, loop = asyncio.Event(), asyncio.get_running_loop()
    listener = await listen(settings, BIND_SECONDS)
    arguments = [] if env_file is None else ["--env-file", str(env_file)]
    workers = Workers(settings.workers, listener, arguments)
    stop = stop_on_signals(before_exit=workers.kill)
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # as under nohup
        loop.add_signal_handler(signal.SIGHUP, renewal.set)
    return await workers.run(stop, renewal, when_ready=lambda: _tell(settings))


def _tell(settings: Settings) -> None:
    complain(f"Open {settings.public_origin}/ in a browser. Ctrl-C stops.")
