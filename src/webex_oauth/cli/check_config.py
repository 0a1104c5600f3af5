"""`webex-oauth check-config`: tell every mistake of the configuration at once."""

import errno
import sys
from pathlib import Path

import click

from webex_oauth.cli.environment import (
    env_file_option,
    print_mistakes,
    print_warnings,
    sources_or_exit,
)
from webex_oauth.cli.printing import say
from webex_oauth.cli.running import run, unbindable
from webex_oauth.errors import WebexOAuthError
from webex_oauth.integration.checking import start_mistakes, try_store, try_webex
from webex_oauth.settings import Settings, judged_settings
from webex_oauth.web.listening import listening_socket


@click.command(name="check-config")
@env_file_option
@click.option("--connect", is_flag=True, help="Try the way to Webex and to the store, too.")
def command(*, env_file: Path | None, connect: bool) -> None:
    """Tell every mistake of the configuration at once, each with its remedy.

    Looks at files and folders too, and makes none. --connect asks Webex a question, and opens
    the store as `serve` does. Exits with 1 when there is a mistake, with 0 when there are only
    warnings.
    """
    settings, mistakes = judged_settings(sources_or_exit(env_file))
    taken, unusable = _port_doubts(settings)
    print_warnings([*settings.warnings, *taken])
    found = dict.fromkeys([*mistakes, *unusable, *start_mistakes(settings)])
    if found:
        print_mistakes(tuple(found))
        sys.exit(1)
    _show(settings)
    if connect:
        _try(settings)
    say("The configuration is complete.")


def _port_doubts(settings: Settings) -> tuple[list[str], list[str]]:
    """Return what is a warning about the address to listen on, and what is a mistake."""
    try:
        listening_socket(settings.host, settings.port).close()
    except OSError as error:
        told = [unbindable(settings.host, settings.port, error)]
        return (told, []) if error.errno == errno.EADDRINUSE else ([], told)
    return [], []


def _try(settings: Settings) -> None:
    failures: list[str] = []
    for attempt in (try_webex, try_store):
        try:
            say(f"tried               {run(attempt(settings))}")
        except WebexOAuthError as error:
            failures.append(str(error))
    if failures:
        print_mistakes(tuple(failures))
        sys.exit(1)


def _show(settings: Settings) -> None:
    say(f"sign-in starts at   {settings.public_origin}/")
    say(f"redirect URI        {settings.client.redirect_uri}")
    say(f"Webex               {settings.platform.origin}")
    say(f"scopes              {' '.join(settings.scopes)}")
    say(f"listens on          {settings.host}:{settings.port}")
    say(f"workers             {settings.workers}")
    say(f"store               {settings.shown_store_url}")
    say(f"keys                {settings.keys_file if settings.keys_text is None else 'WEBEX_KEYS'}")
