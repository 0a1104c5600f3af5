"""The command `webex-oauth`. Each command is loaded when it is called, so start-up stays quick."""

import gc
import importlib
import sys
from io import TextIOWrapper
from typing import Any, Final

import click

from webex_oauth.cli.limits import set_limits
from webex_oauth.cli.output import complain, drop_unwritten, print_mistakes
from webex_oauth.errors import (
    ConfigurationError,
    GrantNotFound,
    MissingScope,
    ReauthRequired,
    TemporaryError,
    WebexOAuthError,
)

COMMANDS = {
    "demo": "Run the application and a local Webex together.",
    "serve": "Run the application with your integration.",
    "login": "Sign in with Webex and keep the grant.",
    "token": "Print an access token that is good for at least a minute.",
    "exec": "Run a command with an access token in its environment.",
    "grants": "List the people who have signed in, and until when their grants last.",
    "logout": "End every session of a person, and their grant.",
    "events": "Print what became of people's grants and sessions.",
    "keep": "Keep unused grants alive, in a process of its own.",
    "emulator": "Run a local Webex alone.",
    "learn": "Run a step of the ladder, a sign-in to learn from, with a local Webex.",
    "keys": "List, rotate and retire the keys that encrypt the store.",
    "check-config": "Report every mistake in the configuration at once.",
}
MODULES: Final = {"login": "grants", "logout": "grants", "exec": "token"}
INTERRUPTED: Final = 130
TRY_LATER: Final = 75
SIGN_IN: Final = 77
"""Exit statuses of <sysexits.h>: what failed may pass (EX_TEMPFAIL); a person has to sign in, or
again (EX_NOPERM)."""


class Edge(click.Command):
    """A command whose failures become one line on standard error and an exit status."""

    def main(self, *args: Any, **extra: Any) -> Any:
        """Run the command and exit; a traceback means a bug."""
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, TextIOWrapper):
                stream.reconfigure(errors="backslashreplace")
        try:
            status = super().main(*args, **{**extra, "standalone_mode": False})
        except click.Abort:
            sys.exit(INTERRUPTED)
        except click.ClickException as error:
            sys.exit(_print_usage_error(error))
        except ConfigurationError as error:
            print_mistakes(error.mistakes)
            sys.exit(1)
        except UnicodeEncodeError as error:
            # Python keeps each octet of an argument that is not UTF-8 as half a character.
            complain(f"error: {error.object!r} is not UTF-8 text: type it again")
            sys.exit(1)
        except (WebexOAuthError, OSError) as error:
            complain(f"error: {error}")
            drop_unwritten()
            sys.exit(_status_of(error))
        sys.exit(status if isinstance(status, int) else 0)


class Commands(Edge, click.Group):
    """The group of all commands; one is imported when it runs, and its help text is here."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's signature
        if cmd_name not in COMMANDS:
            return None
        name = cmd_name.replace("-", "_")
        module = importlib.import_module(f"webex_oauth.cli.{MODULES.get(name, name)}")
        gc.enable()
        command = getattr(module, f"{name}_command")
        if not isinstance(command, click.Command):
            raise TypeError(f"{cmd_name} is not a command")
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click's signature
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.command(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="webex-oauth", message="webex-oauth %(version)s")
def main() -> None:
    """Sign in with Webex, keep the tokens alive, run a local Webex."""
    set_limits()


def _status_of(error: Exception) -> int:
    if isinstance(error, TemporaryError) or isinstance(error.__cause__, TemporaryError):
        return TRY_LATER
    return SIGN_IN if isinstance(error, (ReauthRequired, GrantNotFound, MissingScope)) else 1


def _print_usage_error(error: click.ClickException) -> int:
    """Print what is wrong with a command line, or its help, and return the exit status."""
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        for line in error.format_message().splitlines():
            complain(line)
        return error.exit_code
    context = error.ctx if isinstance(error, click.UsageError) else None
    if context is not None:
        complain(context.get_usage())
        complain(f"Try '{context.command_path} --help' for help.")
    complain(f"Error: {error.format_message()}")
    return error.exit_code
