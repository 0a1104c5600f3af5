"""`webex-oauth keep` and `webex-oauth disconnect`: renew people's grants, or end one person's."""

import asyncio
import sys
from pathlib import Path

import click

from webex_oauth.cli.output import complain, print_mistakes, say
from webex_oauth.cli.running import env_file_option, run, settings_or_exit, stop_on_signals
from webex_oauth.errors import ConfigurationError
from webex_oauth.flows.housekeeping import Keeper, Round
from webex_oauth.flows.sessions import TokenFate
from webex_oauth.integration import open_integration
from webex_oauth.settings import Settings, changed
from webex_oauth.settings.places import MEMORY
from webex_oauth.vault.records import grant_key
from webex_oauth.webex.people import subject_of

IN_MEMORY = "the memory: store lives inside the server process; this command cannot reach it"
NOTHING_STORED = (
    "nothing is stored about this person: check the person id, and which Webex it is of"
)
CONFIRMED = "Disconnected. Webex has confirmed that the tokens are revoked."
LEFT = "Disconnected here. This Webex has no known revocation endpoint; the tokens will expire."
UNCONFIRMED = (
    "Disconnected here. Webex has not confirmed yet; the application keeps asking while it runs."
)
MESSAGE_BY_FATE = {TokenFate.REVOKED: CONFIRMED, TokenFate.LEFT: LEFT}


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


@click.command(name="disconnect")
@click.argument("person_id", metavar="PERSON")
@env_file_option
def disconnect_command(person_id: str, env_file: Path) -> None:
    """End every session of the person with the id PERSON, and their grant.

    The tokens are deleted here first, then revoked at Webex. Works while the application runs.
    Exits with 1 if nothing was stored about the person.
    """
    settings = settings_or_exit(env_file)
    if settings.store_url == MEMORY:
        raise ConfigurationError([IN_MEMORY])
    fate = run(_disconnect(settings, person_id))
    if fate is TokenFate.GONE:
        print_mistakes([NOTHING_STORED])
        sys.exit(1)
    say(MESSAGE_BY_FATE.get(fate, UNCONFIRMED))


async def _disconnect(settings: Settings, person_id: str) -> TokenFate:
    key = grant_key(settings.platform.server.issuer, subject_of(person_id))
    async with open_integration(changed(settings, keeper=False)) as integration:
        return await integration.sessions.disconnect(key)
