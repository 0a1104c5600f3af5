"""Commands about people's grants: sign in, list, sign out."""

import asyncio
import json
from dataclasses import fields
from datetime import UTC, datetime
from pathlib import Path

import click

from webex_oauth.cli.options import env_file_option, person_argument, short_settings
from webex_oauth.cli.output import complain, say
from webex_oauth.flows.sessions import TokenFate
from webex_oauth.integration import open_integration
from webex_oauth.library.grants import AsyncGrant, AsyncGrants, Snapshot
from webex_oauth.library.integration import AsyncIntegration
from webex_oauth.library.loopback import open_in_browser
from webex_oauth.settings import Settings
from webex_oauth.vault.records import grant_key
from webex_oauth.webex.people import subject_of

CONFIRMED = "Signed out. Webex has confirmed that the tokens are revoked."
LEFT = "Signed out here. This Webex has no known revocation endpoint; the tokens will expire."
UNCONFIRMED = (
    "Signed out here. Webex has not confirmed yet; the application keeps asking while it runs."
)
MESSAGE_BY_FATE = {TokenFate.REVOKED: CONFIRMED, TokenFate.LEFT: LEFT}


@click.command(name="login")
@click.option("--device", is_flag=True, help="Show a code to enter in a browser elsewhere.")
@click.option("--no-browser", is_flag=True, help="Print the address, and open no browser.")
@click.option("--scopes", default="", help="Ask for these scopes too, separated by spaces.")
@env_file_option
def login_command(*, device: bool, no_browser: bool, scopes: str, env_file: Path) -> None:
    """Sign in with Webex and keep the grant.

    Needs a redirect URI on this machine, such as http://localhost:8080/oauth, or --device.
    """
    settings = short_settings(env_file, None)
    work = _login(settings, scopes.split(), is_device=device, is_silent=no_browser)
    try:
        grant = asyncio.run(work)
    except ValueError as error:  # these are no scopes, or too many
        raise click.BadParameter(str(error), param_hint="--scopes") from error
    complain(f"Signed in as {_name(grant)}.")


async def _login(
    settings: Settings, scopes: list[str], *, is_device: bool, is_silent: bool
) -> AsyncGrant:
    async with AsyncIntegration(settings) as webex:
        if is_device:
            return await webex.sign_in.with_device(
                scopes=scopes, show=lambda code: complain(str(code))
            )
        return await webex.sign_in.with_browser(
            scopes=scopes, open_browser=(lambda _: None) if is_silent else open_in_browser
        )


@click.command(name="grants")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object for each person.")
@env_file_option
def grants_command(*, as_json: bool, env_file: Path) -> None:
    """List the people who have signed in, and until when their grants last."""
    asyncio.run(_list(short_settings(env_file, None), as_json=as_json))


async def _list(settings: Settings, *, as_json: bool) -> None:
    async with AsyncIntegration(settings) as webex:
        found = False
        async for grant in webex.grants.list():
            found = True
            say(json.dumps(_members(grant)) if as_json else _line(grant))
        if not found:
            complain("Nobody has signed in.")


def _members(grant: AsyncGrant) -> dict[str, object]:
    members = {one.name: getattr(grant, one.name) for one in fields(Snapshot)}
    return members | {"scopes": sorted(grant.scopes)}


def _line(grant: AsyncGrant) -> str:
    state = f"has to sign in again: {grant.reason}" if grant.reason else "active"
    if grant.reason is None and grant.ends_at is not None:
        state += f" until {datetime.fromtimestamp(grant.ends_at, UTC):%Y-%m-%d}"
    return f"{_name(grant)}  {state}  {grant.person_id}  {' '.join(sorted(grant.scopes))}"


@click.command(name="logout")
@person_argument
@env_file_option
def logout_command(person: str | None, env_file: Path) -> None:
    """End every session of a person, and their grant.

    The tokens are deleted here first, then revoked at Webex. Works while the application runs.
    PERSON is an id or an e-mail address; it may be left out if one person has signed in.
    """
    fate = asyncio.run(_logout(short_settings(env_file, person)))
    complain(MESSAGE_BY_FATE.get(fate, UNCONFIRMED))


async def _logout(settings: Settings) -> TokenFate:
    async with open_integration(settings) as integration:
        grant = await AsyncGrants(lambda: integration).one()
        key = grant_key(settings.platform.server.issuer, subject_of(grant.person_id))
        return await integration.sessions.disconnect(key)


def _name(grant: AsyncGrant) -> str:
    return grant.email or grant.display_name or grant.person_id
