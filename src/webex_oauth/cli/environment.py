"""Where a command finds its settings: the .env file, and the environment above it."""

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import click
from dotenv import dotenv_values

from webex_oauth.errors import ConfigurationError
from webex_oauth.settings import Settings, read_settings

env_file_option = click.option(
    "--env-file",
    type=click.Path(dir_okay=False, path_type=Path),
    default=Path(".env"),
    show_default=True,
    help="Read settings from this file; the environment wins over it.",
)


def read_variables(env_file: Path) -> Mapping[str, str]:
    """Read *env_file*, if it is there, and the environment above it."""
    try:
        from_file = dotenv_values(env_file, interpolate=False, encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(
            [f"{env_file} cannot be read ({type(error).__name__}): save it as UTF-8 text"]
        ) from error
    return {name: value for name, value in from_file.items() if value is not None} | dict(
        os.environ
    )


def variables_or_exit(env_file: Path) -> Mapping[str, str]:
    """Read *env_file* and the environment; print what is wrong and exit when it is no text."""
    try:
        return read_variables(env_file)
    except ConfigurationError as error:
        print_mistakes(error.mistakes)
        sys.exit(1)


def settings_or_exit(variables: Mapping[str, str], *, tells_warnings: bool = True) -> Settings:
    """Read the settings; print the warnings, and every mistake; exit when there are mistakes."""
    try:
        settings = read_settings(variables)
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
        click.echo(f"error: {mistake}", err=True)


def print_warnings(warnings: Sequence[str]) -> None:
    """Print what the operator should know."""
    for warning in warnings:
        click.echo(f"warning: {warning}", err=True)
