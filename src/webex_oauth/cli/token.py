"""`webex-oauth token` and `webex-oauth exec`: an access token for another program.

They load no more than the vault needs: scripts call them again and again.
"""

import asyncio
import gc
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Final, NoReturn

import click

from webex_oauth.cli.options import env_file_option, person_argument, short_settings
from webex_oauth.cli.output import complain, say
from webex_oauth.errors import ReauthRequired
from webex_oauth.opening import open_vault
from webex_oauth.settings import Settings
from webex_oauth.vault.finding import grant_meant

VARIABLE: Final = "WEBEX_ACCESS_TOKEN"
NOT_FOUND, NOT_EXECUTABLE = 127, 126
"""The exit statuses by which shells say that a command is not there, or cannot be run."""


@click.command(name="token")
@person_argument
@env_file_option
def token_command(person: str | None, env_file: Path) -> None:
    """Print an access token that is good for at least a minute.

    PERSON is an id or an e-mail address; it may be left out if one person has signed in, or if
    WEBEX_PERSON names one.
    """
    say(asyncio.run(_token(short_settings(env_file, person))))
    # Else Python looks for garbage in all that was loaded before it ends: a sixth of the time.
    gc.freeze()


async def _token(settings: Settings) -> str:
    async with open_vault(settings) as opened:
        issuer = settings.platform.server.issuer
        grant = await grant_meant(opened.ledger, issuer, settings.person)
        try:
            return (await opened.vault.access_token(grant.key)).reveal()
        except ReauthRequired as error:
            error.remedy = "sign in with `webex-oauth login`"
            raise


class Wrapping(click.Command):
    """A command whose arguments from `--` on are another command."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Set the other command aside."""
        at = args.index("--") if "--" in args else len(args)
        ctx.obj = args[at + 1 :]
        rest = super().parse_args(ctx, args[:at])
        if not ctx.obj or not ctx.obj[0]:
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
    token = asyncio.run(_token(short_settings(env_file, person)))
    try:
        _become(command, {**os.environ, VARIABLE: token})
    except OSError as error:
        complain(f"error: {command[0]} cannot be run: {error.strerror}")
        sys.exit(NOT_FOUND if isinstance(error, FileNotFoundError) else NOT_EXECUTABLE)


def _become(command: list[str], environment: dict[str, str]) -> NoReturn:
    """Run *command* in the place of this process, which signals and exit status then reach."""
    if sys.platform == "win32":
        sys.exit(subprocess.run(command, env=environment, check=False).returncode)  # noqa: S603 - the person's own command
    # Python ignores them, and the command would inherit that.
    for number in (signal.SIGPIPE, signal.SIGXFSZ):
        signal.signal(number, signal.SIG_DFL)
    os.execvpe(command[0], command, environment)  # noqa: S606 - the person's own command, without a shell
