"""`webex-oauth keep`: keep grants alive that nobody uses, in a process of its own."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import click

from webex_oauth.cli.environment import env_file_option, settings_or_exit, sources_or_exit
from webex_oauth.cli.log import configure_log
from webex_oauth.cli.printing import complain, say
from webex_oauth.cli.running import run, stop_on_signals
from webex_oauth.flows.keeper import Keeper, Round
from webex_oauth.integration import open_integration
from webex_oauth.settings import Settings


@click.command(name="keep")
@env_file_option
@click.option("--once", is_flag=True, help="Renew what is due now, and end.")
def command(*, env_file: Path | None, once: bool) -> None:
    """Keep grants alive that nobody uses.

    `serve` does this too, unless WEBEX_KEEPER=no; any number of keepers share the work. Each
    round tells what it did, and which people have to sign in again.
    """
    settings = settings_or_exit(sources_or_exit(env_file))
    configure_log(is_debugging=settings.is_debugging)
    run(_keep(settings, is_once=once))


async def _keep(settings: Settings, *, is_once: bool) -> None:
    stop = stop_on_signals()
    # What this process keeps, it keeps in the foreground.
    async with open_integration(replace(settings, runs_keeper=False)) as integration:
        keeping = asyncio.create_task(_work(integration.keeper, is_once=is_once))
        stopping = asyncio.create_task(stop.wait())
        done, _ = await asyncio.wait({keeping, stopping}, return_when=asyncio.FIRST_COMPLETED)
        for task in (keeping, stopping):
            task.cancel()
        if keeping in done:
            keeping.result()


async def _work(keeper: Keeper, *, is_once: bool) -> None:
    if is_once:
        _tell(await keeper.keep_once())
        return
    complain("Keeping grants alive. Ctrl-C stops.")
    await keeper.run(_tell)


def _tell(done: Round) -> None:
    for line in _lines(done):
        say(line)


def _lines(done: Round) -> Iterator[str]:
    yield f"kept {done.renewed_count}, postponed {done.postponed_count}"
    if done.unreadable_count:
        yield f"could not be read: {done.unreadable_count}; `webex-oauth keys list` shows the keys"
    for person_id in done.needing_person:
        yield f"has to sign in again: {person_id}"
