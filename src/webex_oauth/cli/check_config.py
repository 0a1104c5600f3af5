"""`webex-oauth check-config`: report every mistake in the configuration at once."""

import errno
import os
import sys
from pathlib import Path

import click

from webex_oauth.cli.options import env_file_option
from webex_oauth.cli.output import print_mistakes, print_warnings, say
from webex_oauth.cli.running import bind_failure, neighbour_warnings, run
from webex_oauth.errors import WebexOAuthError
from webex_oauth.opening.store_urls import start_mistakes, try_store, try_webex
from webex_oauth.ports import host_and_port
from webex_oauth.settings import Settings, judged_settings, port_mistakes, read_sources
from webex_oauth.settings.pages import PagePath
from webex_oauth.settings.places import without_password
from webex_oauth.web.listening import listening_socket


@click.command(name="check-config")
@env_file_option
@click.option("--connect", is_flag=True, help="Also try to reach Webex and the store.")
def check_config_command(*, env_file: Path, connect: bool) -> None:
    """Report every mistake in the configuration at once, each with its remedy.

    Checks files and folders too, and creates none. --connect sends Webex a request, and opens
    the store as `serve` does. Exits with 1 if there is a mistake, with 0 if there are only
    warnings.
    """
    settings, mistakes = judged_settings(read_sources(env_file, os.environ))
    taken, unusable = _check_address(settings)
    print_warnings([*settings.warnings, *taken, *neighbour_warnings(settings)])
    found = dict.fromkeys(
        [*mistakes, *port_mistakes(settings), *unusable, *start_mistakes(settings)]
    )
    _exit_on(list(found))
    for name, value in _summary(settings):
        say(f"{name:<20}{value}")
    if connect:
        _connect(settings)
    say("The configuration is complete.")


def _check_address(settings: Settings) -> tuple[list[str], list[str]]:
    """Return warnings about the address to listen on, and mistakes."""
    try:
        listening_socket(settings.host, settings.port).close()
    except OSError as error:
        found = [bind_failure(settings.host, settings.port, error)]
        return (found, []) if error.errno == errno.EADDRINUSE else ([], found)
    return [], []


def _connect(settings: Settings) -> None:
    failures: list[str] = []
    for attempt in (try_webex, try_store):
        try:
            say(f"{'tried':<20}{run(attempt(settings))}")
        except WebexOAuthError as error:
            failures.append(str(error))
    _exit_on(failures)


def _exit_on(mistakes: list[str]) -> None:
    print_mistakes(mistakes)
    if mistakes:
        sys.exit(1)


def _summary(settings: Settings) -> list[tuple[str, object]]:
    return [
        ("sign-in starts at", settings.url_of(PagePath.HOME)),
        ("redirect URI", settings.client.redirect_uri),
        ("Webex", settings.platform.origin),
        ("scopes", " ".join(settings.scopes)),
        ("listens on", host_and_port(settings.host, settings.port)),
        ("workers", settings.workers),
        ("store", without_password(settings.store_url)),
        ("keys", settings.keys_file if settings.keys is None else "WEBEX_KEYS"),
    ]
