"""Where a command finds its settings: the .env file, and the environment above it."""

import os
import sys
from collections.abc import Sequence
from pathlib import Path

import click

from webex_oauth.cli.printing import complain
from webex_oauth.errors import ConfigurationError
from webex_oauth.settings import Settings, Sources, read_settings, read_sources

DEFAULT_ENV_FILE = Path(".env")

env_file_option = click.option(
    "--env-file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Read settings from this file (.env if it exists); the environment wins over it.",
)


def sources_or_exit(env_file: Path | None) -> Sources:
    """Read *env_file*, or the `.env` of this folder, and the environment; exit if it is no text."""
    if env_file is None and DEFAULT_ENV_FILE.exists():
        env_file = DEFAULT_ENV_FILE
    try:
        return read_sources(env_file, os.environ)
    except ConfigurationError as error:
        print_mistakes(error.mistakes)
        sys.exit(1)


def settings_or_exit(sources: Sources, *, tells_warnings: bool = True) -> Settings:
    """Read the settings; print the warnings, and every mistake; exit when there are mistakes."""
    try:
        settings = read_settings(sources)
    except ConfigurationError as error:
        print_warnings(error.warnings)
        print_mistakes(error.mistakes)
        sys.exit(1)
    if tells_warnings:
        print_warnings(settings.warnings)
    return settings


def print_mistakes(mistakes: tuple[str, ...]) -> None:
    """Print what must be changed."""
    for mistake in mistakes:
        complain(f"error: {mistake}")


def print_warnings(warnings: Sequence[str]) -> None:
    """Print what the operator should know."""
    for warning in warnings:
        complain(f"warning: {warning}")
