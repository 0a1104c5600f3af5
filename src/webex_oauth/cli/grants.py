"""Commands about people's grants: sign in, take a token, list, sign out."""

import asyncio
import json
import logging
import os
import signal
import subprocess
import sys
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, NoReturn, TypeVar

import click

from webex_oauth.cli.options import env_file_option, stored_settings
from webex_oauth.cli.output import LIBRARY, complain, say
from webex_oauth.errors import ReauthRequired
from webex_oauth.flows.sessions import TokenFate
from webex_oauth.integration import open_integration
from webex_oauth.library.grants import AsyncGrant, AsyncGrants, Snapshot
from webex_oauth.library.integration import AsyncIntegration
from webex_oauth.library.loopback import open_in_browser
from webex_oauth.settings import Settings, changed
from webex_oauth.vault.records import grant_key
from webex_oauth.webex.people import subject_of

Result = TypeVar("Result")

VARIABLE: Final = "WEBEX_ACCESS_TOKEN"
NOT_FOUND, NOT_EXECUTABLE = 127, 126
"""The exit statuses by which shells say that a command is not there, or cannot be run."""

CONFIRMED = "Signed out. Webex has confirmed that the tokens are revoked."
LEFT = "Signed out here. This Webex has no known revocation endpoint; the tokens will expire."
UNCONFIRMED = (
    "Signed out here. Webex has not confirmed yet; the application keeps asking while it runs."
)
MESSAGE_BY_FATE = {TokenFate.REVOKED: CONFIRMED, TokenFate.LEFT: LEFT}

person_argument = click.argument("person", required=False)


@click.command(name="login")
@click.option("--device", is_flag=True, help="Show a code to enter in a browser elsewhere.")
@click.option("--no-browser", is_flag=True, help="Print the address, and open no browser.")
@click.option("--scopes", default="", help="Ask for these scopes too, separated by spaces.")
@env_file_option
def login_command(*, device: bool, no_browser: bool, scopes: str, env_file: Path) -> None:
    """Sign in with Webex and keep the grant.

    Needs a redirect URI on this machine, such as http://localhost:8080/oauth, or --device.
    """
    settings = _settings(env_file, None)
    grant = _run(_login(settings, scopes.split(), is_device=device, is_silent=no_browser))
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
            scopes=scopes, open_browser=_open_none if is_silent else open_in_browser
        )


def _open_none(_: str) -> None:
    """Leave it to the person, who reads the address."""


@click.command(name="token")
@person_argument
@env_file_option
def token_command(person: str | None, env_file: Path) -> None:
    """Print an access token that is good for at least a minute.

    PERSON is an id or an e-mail address; it may be left out if one person has signed in, or if
    WEBEX_PERSON names one.
    """
    click.echo(_run(_token(_settings(env_file, person))))


async def _token(settings: Settings) -> str:
    async with AsyncIntegration(settings) as webex:
        grant = await webex.grants.one()
        with _leading_to_login():
            return (await grant.access_token()).reveal()


class Wrapping(click.Command):
    """A command whose arguments from `--` on are another command."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Set the other command aside."""
        at = args.index("--") if "--" in args else len(args)
        ctx.obj = args[at + 1 :]
        rest = super().parse_args(ctx, args[:at])
        if not ctx.obj:
            raise click.UsageError("name the command to run after --", ctx)
        return rest


@click.command(name="exec", cls=Wrapping, options_metavar="[OPTIONS]")
@person_argument
@env_file_option
@click.pass_obj
def exec_command(command: list[str], person: str | None, env_file: Path) -> None:
    """Run a command with an access token in its environment.

    Write it after --, as in `webex-oauth exec -- COMMAND`; the token is in WEBEX_ACCESS_TOKEN for
    this command alone, and is not renewed. Ends as the command ends.
    """
    token = _run(_token(_settings(env_file, person)))
    try:
        _become(command, {**os.environ, VARIABLE: token})
    except OSError as error:
        complain(f"error: {command[0]} cannot be run: {error.strerror}")
        sys.exit(NOT_FOUND if isinstance(error, FileNotFoundError) else NOT_EXECUTABLE)


def _become(command: list[str], environment: dict[str, str]) -> NoReturn:
    """Run *command* in the place of this process, which signals and exit status then reach."""
    if sys.platform == "win32":
        sys.exit(subprocess.run(command, env=environment, check=False).returncode)  # noqa: S603 - the person's own command
    # Python ignores it, and the command would inherit that.
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    os.execvpe(command[0], command, environment)  # noqa: S606 - the person's own command, without a shell


@click.command(name="grants")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object for each person.")
@env_file_option
def grants_command(*, as_json: bool, env_file: Path) -> None:
    """List the people who have signed in, and until when their grants last."""
    _run(_list(_settings(env_file, None), as_json=as_json))


async def _list(settings: Settings, *, as_json: bool) -> None:
    async with AsyncIntegration(settings) as webex:
        async for grant in webex.grants.list():
            say(json.dumps(_members(grant)) if as_json else _line(grant))


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
    fate = _run(_logout(_settings(env_file, person)))
    complain(MESSAGE_BY_FATE.get(fate, UNCONFIRMED))


async def _logout(settings: Settings) -> TokenFate:
    async with open_integration(settings) as integration:
        grant = await AsyncGrants(settings, lambda: integration).one()
        key = grant_key(settings.platform.server.issuer, subject_of(grant.person_id))
        return await integration.sessions.disconnect(key)


def _settings(env_file: Path, person: str | None) -> Settings:
    """Read the settings for one short task, about *person* if one is named."""
    settings = stored_settings(env_file, with_warnings=False)
    if not settings.debug:
        logging.getLogger(LIBRARY).setLevel(logging.WARNING)
    named = {} if person is None else {"person": person}
    return changed(settings, keeper=False, **named)


def _run(work: Coroutine[Any, Any, Result]) -> Result:
    # Not uvloop: loading it costs more than these commands do.
    return asyncio.run(work)


@contextmanager
def _leading_to_login() -> Iterator[None]:
    try:
        yield
    except ReauthRequired as error:
        error.remedy = "sign in with `webex-oauth login`"
        raise


def _name(grant: AsyncGrant) -> str:
    return grant.email or grant.display_name or grant.person_id
