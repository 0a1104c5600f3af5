"""`webex-oauth keep`: renew people's unused grants."""

import asyncio
from pathlib import Path

import click

from webex_oauth.cli.options import env_file_option, settings_or_exit
from webex_oauth.cli.output import complain, say
from webex_oauth.cli.running import run, stop_on_signals
from webex_oauth.flows.housekeeping import Keeper, Round
from webex_oauth.integration import open_integration
from webex_oauth.settings import Settings, changed


@click.command(name="keep")
@env_file_option
@click.option("--once", is_flag=True, help="Renew what is due now, then exit.")
def keep_command(*, env_file: Path, once: bool) -> None:
    """Keep unused grants alive.

    `serve` does this too, unless WEBEX_KEEPER=no; any number of keepers share the work. Each
    round prints what it did, and which people have to sign in again.
    """
    run(_keep(settings_or_exit(env_file), is_once=once))


async def _keep(settings: Settings, *, is_once: bool) -> None:
    stop = stop_on_signals()
    # This command is the keeper: there must be none in the background.
    async with open_integration(changed(settings, keeper=False)) as integration:
        keeping = asyncio.create_task(_work(integration.keeper, is_once=is_once))
        stopping = asyncio.create_task(stop.wait())
        done, _ = await asyncio.wait({keeping, stopping}, return_when=asyncio.FIRST_COMPLETED)
        for task in (keeping, stopping):
            task.cancel()
        if keeping in done:
            keeping.result()


async def _work(keeper: Keeper, *, is_once: bool) -> None:
    if is_once:
        _report(await keeper.keep_once())
        return
    complain("Keeping grants alive. Ctrl-C stops.")
    await keeper.run(_report)


def _report(done: Round) -> None:
    say(f"kept {done.renewed_count}, postponed {done.postponed_count}")
    if done.unreadable_count:
        say(f"could not be read: {done.unreadable_count}; `webex-oauth keys list` shows the keys")
    for person_id in done.needing_person:
        say(f"has to sign in again: {person_id}")
