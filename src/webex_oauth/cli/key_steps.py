"""The steps behind `webex-oauth keys`; what they tell never holds a key, only names."""

import secrets
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

from webex_oauth.cli.printing import complain, say
from webex_oauth.errors import ConfigurationError, KeyUnavailable
from webex_oauth.integration.store_urls import rows_at
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
from webex_oauth.vault.rows import Rows
from webex_oauth.vault.sealing import KeyRing, Sealer

TELL_EVERY_SECONDS = 1.0
IN_ENVIRONMENT = (
    "the keys stand in WEBEX_KEYS, which no command can change: change them there, on every "
    "machine, and restart the servers"
)
IN_MEMORY = "memory: is inside the server, where no command can reach it: restart the server"


async def list_keys(settings: Settings) -> None:
    """Tell what each key does, since when it is there, and how many rows are under it."""
    text = _text(settings)
    ring, days = read_keys(text, _source(settings)), read_days(text)
    async with _opened_rows(settings) as rows:
        counts = await rows_by_key(rows, _spool(settings))
        missing = {*counts, *await keys_in_use(rows)} - {key.id for key in ring.keys}
    for key in ring.keys:
        role = "seals" if key is ring.primary else "opens"
        say(_line(key.id, role, days.get(key.id), counts[key.id]))
    for key_id in sorted(missing):
        say(_line(key_id, "MISSING", None, counts[key_id]))


async def add(settings: Settings) -> None:
    """Add a new key, which opens and does not seal yet."""
    _refuse_environment(settings)
    line = new_key_line(secrets.token_bytes, datetime.now(UTC).date())
    ring = add_key(settings.keys_file, line)
    say(f"added {ring.others[-1].id}, which opens and does not seal yet")


async def make_primary_key(settings: Settings, key_id: str) -> None:
    """Let a key seal from now on, once every server has it."""
    _refuse_environment(settings)
    check_named(_ring(settings), key_id)
    if settings.store_url != "memory:":
        changed = read_keys(with_primary(_text(settings), key_id), _source(settings))
        complain(f"asking every server whether it has {key_id}")
        async with _opened_rows(settings) as rows:
            await check_keys(rows, Sealer(changed, secrets.token_bytes))
    make_primary(settings.keys_file, key_id)
    say(f"{key_id} seals now; next: webex-oauth keys re-encrypt")


async def re_encrypt(settings: Settings) -> None:
    """Seal every row anew with the primary key."""
    async with _opened_rows(settings) as rows:
        sealer = _sealer(settings)
        await check_keys(rows, sealer)
        tally = await Reencryption(rows, _spool(settings), sealer, _Progress()).run()
    count = tally.get(Outcome.REENCRYPTED, 0)
    say(f"everything is under {sealer.keys.primary.id}; {count} rows were re-encrypted")
    if tally.get(Outcome.UNOPENED):
        complain(
            f"warning: {tally[Outcome.UNOPENED]} rows do not open and were left as they are: "
            "`webex-oauth keys list` tells their keys"
        )


async def rotate(settings: Settings) -> None:
    """Add a key, make it primary when every server has it, and re-encrypt."""
    _refuse_environment(settings)
    line = new_key_line(secrets.token_bytes, datetime.now(UTC).date())
    key_id = add_key(settings.keys_file, line).others[-1].id
    say(f"added {key_id}")
    await make_primary_key(settings, key_id)
    await re_encrypt(settings)


async def retire(settings: Settings, key_id: str) -> None:
    """Remove a key that nothing is under any more."""
    sealer = _sealer(settings)
    check_retirable(_ring(settings), key_id)
    async with _opened_rows(settings) as rows:
        await check_keys(rows, sealer)
        await check_unused(rows, _spool(settings), sealer, key_id)
        await drop_check(rows, key_id)
    if settings.keys_text is None:
        remove_key(settings.keys_file, key_id)
        say(f"{key_id} is gone; keep it with backups of the store that are older")
    else:
        say(f"nothing needs {key_id} any more: take it out of WEBEX_KEYS")


async def forget_key(settings: Settings, key_id: str) -> None:
    """End everything under a key that is lost."""
    if settings.keys_text is not None or settings.keys_file.exists():
        _refuse_present(_ring(settings), key_id)
    async with _opened_rows(settings) as rows:
        ended = await forget(rows, _spool(settings), key_id)
    told = ", ".join(f"{count} {what}" for what, count in ended.items()) or "nothing"
    say(f"{key_id} is forgotten; ended under it: {told}")


class _Progress:
    """Tell how far a pass has come, at most once a second."""

    def __init__(self) -> None:
        self._tell_at = time.monotonic() + TELL_EVERY_SECONDS

    def __call__(self, tally: Tally) -> None:
        if time.monotonic() < self._tell_at:
            return
        self._tell_at = time.monotonic() + TELL_EVERY_SECONDS
        done, count = tally.get(Outcome.REENCRYPTED, 0), sum(tally.values())
        complain(f"{count:,} rows looked at, {done:,} re-encrypted")


@asynccontextmanager
async def _opened_rows(settings: Settings) -> AsyncIterator[Rows]:
    if settings.store_url == "memory:":
        raise ConfigurationError([IN_MEMORY])
    rows = rows_at(settings.store_url)
    await rows.open()
    try:
        yield rows
    finally:
        await rows.close()


def _text(settings: Settings) -> str:
    if settings.keys_text is not None:
        return settings.keys_text.reveal()
    return read_key_text(settings.keys_file)


def _source(settings: Settings) -> str:
    return str(settings.keys_file) if settings.keys_text is None else "WEBEX_KEYS"


def _ring(settings: Settings) -> KeyRing:
    return read_keys(_text(settings), _source(settings))


def _sealer(settings: Settings) -> Sealer:
    return Sealer(_ring(settings), secrets.token_bytes)


def _spool(settings: Settings) -> Spool:
    return Spool(settings.spool_folder, secrets.token_bytes)


def _refuse_environment(settings: Settings) -> None:
    if settings.keys_text is not None:
        raise ConfigurationError([IN_ENVIRONMENT])


def _refuse_present(ring: KeyRing, key_id: str) -> None:
    if key_id in {key.id for key in ring.keys}:
        raise KeyUnavailable(f"key {key_id!r} is in {ring.source} and not lost: retire it instead")


def _line(key_id: str, role: str, day: str | None, count: int) -> str:
    return f"{key_id:<20} {role:<8} since {day or 'unknown':<10} {count:>12,} rows"
