"""`webex-oauth keys`: list, add, change and retire the keys that seal the store."""

from collections.abc import Callable, Coroutine
from pathlib import Path

import click

from webex_oauth.cli import key_steps
from webex_oauth.cli.environment import env_file_option, settings_or_exit, sources_or_exit
from webex_oauth.cli.log import configure_log
from webex_oauth.cli.running import run
from webex_oauth.settings import Settings


@click.group(name="keys")
def command() -> None:
    """List, add, change and retire the keys that seal the store.

    A running server goes by the changed file within seconds.
    """


@command.command(name="list")
@env_file_option
def list_keys(env_file: Path | None) -> None:
    """Tell what each key does, and how many rows are under it."""
    _run(env_file, key_steps.list_keys)


@command.command(name="add")
@env_file_option
def add(env_file: Path | None) -> None:
    """Add a new random key, which opens and does not seal yet."""
    _run(env_file, key_steps.add)


@command.command(name="make-primary")
@click.argument("key_id")
@env_file_option
def make_primary_key(key_id: str, env_file: Path | None) -> None:
    """Let KEY_ID seal from now on; the others open."""
    _run(env_file, lambda settings: key_steps.make_primary_key(settings, key_id))


@command.command(name="re-encrypt")
@env_file_option
def re_encrypt(env_file: Path | None) -> None:
    """Seal every row anew with the primary key, while servers run.

    It may be stopped at any moment, and goes on where it was when it is run again.
    """
    _run(env_file, key_steps.re_encrypt)


@command.command(name="rotate")
@env_file_option
def rotate(env_file: Path | None) -> None:
    """Add a key, make it primary, re-encrypt.

    For servers that share one key file; with several files, take the steps one by one.
    """
    _run(env_file, key_steps.rotate)


@command.command(name="retire")
@click.argument("key_id")
@env_file_option
def retire(key_id: str, env_file: Path | None) -> None:
    """Remove KEY_ID, once nothing is under it any more."""
    _run(env_file, lambda settings: key_steps.retire(settings, key_id))


@command.command(name="forget")
@click.argument("key_id")
@click.option("--people-sign-in-again", is_flag=True, required=True, help="Confirm that.")
@env_file_option
def forget_key(key_id: str, env_file: Path | None, *, people_sign_in_again: bool) -> None:  # noqa: ARG001 - saying it is the point
    """End everything under KEY_ID, which is lost for good."""
    _run(env_file, lambda settings: key_steps.forget_key(settings, key_id))


def _run(env_file: Path | None, step: Callable[[Settings], Coroutine[None, None, None]]) -> None:
    settings = settings_or_exit(sources_or_exit(env_file))
    configure_log(is_debugging=settings.is_debugging)
    run(step(settings))
