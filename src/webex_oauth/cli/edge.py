"""The edge of every command: whatever goes wrong becomes one line and an exit status."""

import sys
from io import TextIOWrapper
from typing import Any, Final

import click

from webex_oauth.cli.printing import complain
from webex_oauth.errors import ConfigurationError, WebexOAuthError

INTERRUPTED: Final = 130


class Edge(click.Command):
    """A command without tracebacks."""

    def main(self, *args: Any, **extra: Any) -> Any:
        """Run a command; whatever goes wrong is one line that says what to do, and a status."""
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, TextIOWrapper):
                stream.reconfigure(errors="backslashreplace")
        try:
            status = super().main(*args, **{**extra, "standalone_mode": False})
        except click.Abort:
            sys.exit(INTERRUPTED)
        except click.ClickException as error:
            sys.exit(_told(error))
        except ConfigurationError as error:
            for mistake in error.mistakes:
                complain(f"error: {mistake}")
            sys.exit(1)
        except (WebexOAuthError, OSError, UnicodeEncodeError) as error:
            complain(f"error: {_words(error)}")
            sys.exit(1)
        sys.exit(status if isinstance(status, int) else 0)


def _told(error: click.ClickException) -> int:
    """Say what is wrong with a command line, or what there is, and return the exit status."""
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


def _words(error: Exception) -> str:
    if isinstance(error, UnicodeEncodeError):
        # An argument of other octets: Python keeps each as half a character.
        return f"{error.object!r} is not UTF-8 text: type it anew"
    return str(error)
