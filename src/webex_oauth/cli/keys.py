"""`webex-oauth keys`: list, rotate and retire the keys that encrypt the store.

No message contains a key, only its id.
"""

import secrets
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import click

from webex_oauth.cli.options import env_file_option, stored_settings
from webex_oauth.cli.output import complain, say
from webex_oauth.cli.running import run
from webex_oauth.errors import ConfigurationError, KeyUnavailable
from webex_oauth.opening.store_urls import opened_rows
from webex_oauth.settings import Settings
from webex_oauth.vault.key_agreement import check_keys, drop_check, keys_in_use
from webex_oauth.vault.key_file import (
    add_key,
    check_named,
    check_retirable,
    make_primary,
    new_key_line,
    read_days,
    read_key_text,
    read_keys,
    remove_key,
    with_primary,
)
from webex_oauth.vault.reencryption import (
    Outcome,
    Reencryption,
    Tally,
    check_unused,
    forget,
    rows_by_key,
)
from webex_oauth.vault.rescue import Spool
from webex_oauth.vault.sealing import KeyRing, Sealer

REPORT_EVERY_SECONDS = 1.0
IN_ENVIRONMENT = (
    "the keys are in WEBEX_KEYS, which no command can change: change them there, on every "
    "machine, and restart the servers"
)


@click.group(name="keys")
def keys_command() -> None:
    """List, rotate and retire the keys that encrypt the store.

    A running server reads a changed key file within seconds.
    """


@keys_command.command(name="list")
@env_file_option
def list_command(env_file: Path) -> None:
    """List the keys: what each is for, since when, and how many rows are encrypted with it."""
    run(_list_keys(stored_settings(env_file)))


@keys_command.command(name="rotate")
@click.argument("key_id", required=False)
@env_file_option
def rotate_command(key_id: str | None, env_file: Path) -> None:
    """Add a key, make it the primary one, and re-encrypt everything with it.

    The key becomes primary only if every running server has it. Where each machine has a key file
    of its own, the first run names a machine that lacks the key: copy the file to every machine,
    then continue with `rotate KEY_ID`.
    """
    run(_rotate(stored_settings(env_file), key_id))


@keys_command.command(name="re-encrypt")
@env_file_option
def re_encrypt_command(env_file: Path) -> None:
    """Encrypt every row with the primary key, while servers run.

    It may be interrupted at any time, and continues where it was when run again.
    """
    run(_re_encrypt(stored_settings(env_file)))


@keys_command.command(name="retire")
@click.argument("key_id")
@click.option(
    "--lost",
    is_flag=True,
    help="The key is lost: delete everything encrypted with it. Its people sign in again.",
)
@env_file_option
def retire_command(key_id: str, env_file: Path, *, lost: bool) -> None:
    """Remove KEY_ID, if nothing is encrypted with it any more."""
    settings = stored_settings(env_file)
    run(_forget(settings, key_id) if lost else _retire(settings, key_id))


async def _list_keys(settings: Settings) -> None:
    text = _text(settings)
    ring, days = read_keys(text, _source(settings)), read_days(text)
    async with opened_rows(settings.store_url) as rows:
        counts = await rows_by_key(rows, _spool(settings))
        missing = {*counts, *await keys_in_use(rows)} - {key.id for key in ring.keys}
    for key in ring.keys:
        role = "seals" if key is ring.primary else "opens"
        say(_line(key.id, role, days.get(key.id), counts[key.id]))
    for key_id in sorted(missing):
        say(_line(key_id, "MISSING", None, counts[key_id]))


async def _rotate(settings: Settings, key_id: str | None) -> None:
    if settings.keys is not None:
        raise ConfigurationError([IN_ENVIRONMENT])
    if key_id is None:
        line = new_key_line(secrets.token_bytes, datetime.now(UTC).date())
        key_id = add_key(settings.keys_file, line).others[-1].id
        say(f"added {key_id}")
    check_named(_ring(settings), key_id)
    await _ask_servers(settings, key_id)
    make_primary(settings.keys_file, key_id)
    say(f"{key_id} encrypts from now on")
    await _re_encrypt(settings)


async def _ask_servers(settings: Settings, key_id: str) -> None:
    """Check that every running server has the key; raise KeyUnavailable that names one."""
    complain(f"asking every server whether it has {key_id}")
    ring = read_keys(with_primary(_text(settings), key_id), _source(settings))
    try:
        async with opened_rows(settings.store_url) as rows:
            await check_keys(rows, Sealer(ring, secrets.token_bytes))
    except KeyUnavailable:
        complain(f"continue later with: webex-oauth keys rotate {key_id}")
        raise


async def _re_encrypt(settings: Settings) -> None:
    async with opened_rows(settings.store_url) as rows:
        sealer = _sealer(settings)
        await check_keys(rows, sealer)
        tally = await Reencryption(rows, _spool(settings), sealer, _progress()).run()
    count = tally.get(Outcome.REENCRYPTED, 0)
    say(f"everything is encrypted with {sealer.keys.primary.id}; rows re-encrypted: {count:,}")
    if tally.get(Outcome.UNOPENED):
        complain(
            f"warning: {tally[Outcome.UNOPENED]} rows could not be decrypted and were left alone: "
            "`webex-oauth keys list` shows their keys"
        )


async def _retire(settings: Settings, key_id: str) -> None:
    sealer = _sealer(settings)
    check_retirable(_ring(settings), key_id)
    async with opened_rows(settings.store_url) as rows:
        await check_keys(rows, sealer)
        await check_unused(rows, _spool(settings), sealer, key_id)
        await drop_check(rows, key_id)
    if settings.keys is None:
        remove_key(settings.keys_file, key_id)
        say(f"{key_id} is removed; keep a copy for as long as older backups of the store exist")
    else:
        say(f"nothing needs {key_id} any more: remove it from WEBEX_KEYS")


async def _forget(settings: Settings, key_id: str) -> None:
    """Delete everything encrypted with a key that is lost."""
    sealer = None
    if settings.keys is not None or settings.keys_file.exists():
        sealer = _sealer(settings)
        if key_id in {key.id for key in sealer.keys.keys}:
            raise KeyUnavailable(
                f"key {key_id!r} is in {sealer.keys.source} and not lost: retire it without --lost"
            )
    async with opened_rows(settings.store_url) as rows:
        ended = await forget(rows, _spool(settings), key_id, sealer)
    deleted = ", ".join(f"{count} {what}" for what, count in ended.items()) or "nothing"
    say(f"{key_id} is forgotten; deleted with it: {deleted}")


def _progress() -> Callable[[Tally], None]:
    """Return a function that prints how far a pass has come, at most once a second."""
    report_at = time.monotonic() + REPORT_EVERY_SECONDS

    def report(tally: Tally) -> None:
        nonlocal report_at
        if time.monotonic() >= report_at:
            report_at = time.monotonic() + REPORT_EVERY_SECONDS
            done, count = tally.get(Outcome.REENCRYPTED, 0), sum(tally.values())
            complain(f"rows read: {count:,}, re-encrypted: {done:,}")

    return report


def _text(settings: Settings) -> str:
    if settings.keys is not None:
        return settings.keys.reveal()
    return read_key_text(settings.keys_file)


def _source(settings: Settings) -> str:
    return str(settings.keys_file) if settings.keys is None else "WEBEX_KEYS"


def _ring(settings: Settings) -> KeyRing:
    return read_keys(_text(settings), _source(settings))


def _sealer(settings: Settings) -> Sealer:
    return Sealer(_ring(settings), secrets.token_bytes)


def _spool(settings: Settings) -> Spool:
    return Spool(settings.spool_folder, secrets.token_bytes)


def _line(key_id: str, role: str, day: str | None, count: int) -> str:
    return f"{key_id:<20} {role:<8} since {day or 'unknown':<10} {count:>12,} rows"
