"""`webex-oauth events`: what became of people's grants and sessions, for an audit trail."""

import asyncio
import errno
import json
import os
import signal
import stat
import sys
from pathlib import Path
from typing import Final

import click
from msgspec.structs import asdict

from webex_oauth.cli.options import env_file_option, short_settings
from webex_oauth.cli.output import say
from webex_oauth.integration import open_integration
from webex_oauth.settings import Settings
from webex_oauth.vault.events import Event

STDOUT: Final = 1


@click.command(name="events")
@click.option("--after", default=0, type=click.IntRange(min=0), help="Begin behind this id.")
@click.option("--follow", is_flag=True, help="Go on with each new one, until Ctrl-C.")
@click.option(
    "--name",
    default="webex-oauth events",
    help="With --follow: begin where the last one of this name ended.",
)
@env_file_option
def events_command(*, after: int, follow: bool, name: str, env_file: Path) -> None:
    """Print what became of people's grants and sessions in the last 90 days.

    Each line is a JSON object. With --follow every event comes at least once, to one program of a
    name at a time.
    """
    settings = short_settings(env_file)
    asyncio.run(_follow(settings, name, after) if follow else _read(settings, after))


async def _read(settings: Settings, after: int) -> None:
    async with open_integration(settings) as integration:
        async for event in integration.events.read(after):
            _show(event)


async def _follow(settings: Settings, name: str, after: int) -> None:
    loop = asyncio.get_running_loop()
    over = loop.create_future()

    def end(error: OSError | None) -> None:
        if not over.done():
            over.set_result(None) if error is None else over.set_exception(error)

    async def show(event: Event) -> None:
        try:
            if event.id > after:
                _show(event)
        except OSError as error:
            # The reader has left: the event stays for the next one of this name.
            end(error)
            await loop.create_future()

    loop.add_signal_handler(signal.SIGTERM, end, None)
    if _is_pipe():
        # Nothing can be read there: it is heard of when the reader leaves, also between events.
        loop.add_reader(STDOUT, end, BrokenPipeError(errno.EPIPE, os.strerror(errno.EPIPE)))
    async with open_integration(settings) as integration:
        following = asyncio.create_task(integration.events.follow(name, show))
        try:
            await over
        finally:
            following.cancel()
            await asyncio.gather(following, return_exceptions=True)


def _is_pipe() -> bool:
    return sys.platform == "linux" and stat.S_ISFIFO(os.fstat(STDOUT).st_mode)


def _show(event: Event) -> None:
    say(json.dumps(asdict(event)))
