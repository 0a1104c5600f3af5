"""`webex-oauth disconnect PERSON`: end everything that is kept of one person."""

import sys
from dataclasses import replace
from pathlib import Path

import click

from webex_oauth.cli.environment import (
    env_file_option,
    print_mistakes,
    settings_or_exit,
    sources_or_exit,
)
from webex_oauth.cli.printing import say
from webex_oauth.cli.running import run
from webex_oauth.flows.sessions import TokenFate
from webex_oauth.integration import open_integration
from webex_oauth.settings import Settings
from webex_oauth.vault.records import grant_key
from webex_oauth.webex.people import subject_of

MEMORY_SCHEME = "memory:"
IN_MEMORY = "WEBEX_STORE_URL is memory: what is kept there, no other process can end"
NOTHING_KEPT = "nothing is kept of this person: is it the person's id at this integration's Webex?"
CONFIRMED = "Disconnected. Webex has confirmed that it accepts the tokens no longer."
LEFT = "Disconnected here. Where this Webex revokes tokens is not known; they end by themselves."
UNCONFIRMED = (
    "Disconnected here. Webex has not confirmed yet; the application keeps asking while it runs."
)
SAID_BY_FATE = {TokenFate.REVOKED: CONFIRMED, TokenFate.LEFT: LEFT}


@click.command(name="disconnect")
@click.argument("person_id", metavar="PERSON")
@env_file_option
def command(person_id: str, env_file: Path | None) -> None:
    """End every session of the person with the id PERSON, and their grant.

    The tokens are deleted here first, then revoked at Webex. Works while the application runs.
    Exits with 1 when nothing was kept of the person.
    """
    settings = settings_or_exit(sources_or_exit(env_file))
    if settings.store_url.startswith(MEMORY_SCHEME):
        print_mistakes((IN_MEMORY,))
        sys.exit(1)
    fate = run(_disconnect(settings, person_id))
    if fate is TokenFate.GONE:
        print_mistakes((NOTHING_KEPT,))
        sys.exit(1)
    say(SAID_BY_FATE.get(fate, UNCONFIRMED))


async def _disconnect(settings: Settings, person_id: str) -> TokenFate:
    key = grant_key(settings.platform.server.issuer, subject_of(person_id))
    async with open_integration(replace(settings, runs_keeper=False)) as integration:
        return await integration.sessions.disconnect(key)
