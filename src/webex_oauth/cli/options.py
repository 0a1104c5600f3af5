"""The settings that a command works with, and the person that it is about."""

import logging
import os
import sys
from pathlib import Path

import click

from webex_oauth.cli.output import LIBRARY, configure_log, print_mistakes, print_warnings
from webex_oauth.errors import ConfigurationError
from webex_oauth.settings import (
    Settings,
    Sources,
    changed,
    judged_settings,
    port_mistakes,
    read_sources,
)
from webex_oauth.settings.places import MEMORY

IN_MEMORY = "the memory: store lives inside the server process; this command cannot reach it"

env_file_option = click.option(
    "--env-file",
    type=click.Path(dir_okay=False, path_type=Path),
    default=".env",
    help="Read settings from this file (default: .env if it exists); the environment wins.",
)
person_argument = click.argument("person", required=False)


def settings_or_exit(
    source: Sources | Path, *, with_warnings: bool = True, is_server: bool = False
) -> Settings:
    """Read the settings and configure the log; print warnings, exit on mistakes."""
    settings, mistakes = judged_settings(
        source if isinstance(source, Sources) else read_sources(source, os.environ)
    )
    if is_server:
        mistakes += port_mistakes(settings)
    if with_warnings or mistakes:  # one may say what a mistake came from
        print_warnings(settings.warnings)
    if mistakes:
        print_mistakes(mistakes)
        sys.exit(1)
    configure_log(is_debugging=settings.debug)
    return settings


def stored_settings(env_file: Path, *, with_warnings: bool = True) -> Settings:
    """Read the settings, as `settings_or_exit` does; refuse a store that this process makes."""
    settings = settings_or_exit(env_file, with_warnings=with_warnings)
    if settings.store_url == MEMORY:
        raise ConfigurationError([IN_MEMORY])
    return settings


def short_settings(env_file: Path, person: str | None = None) -> Settings:
    """Read the settings for one short task, about *person* if one is named."""
    settings = stored_settings(env_file, with_warnings=False)
    if not settings.debug:
        logging.getLogger(LIBRARY).setLevel(logging.WARNING)
    named = {} if person is None else {"person": person}
    return changed(settings, keeper=False, **named)
