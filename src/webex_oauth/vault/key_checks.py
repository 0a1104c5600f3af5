"""Key checks: a small value in the store, sealed under each key in use, which only that key opens.

They tell at start, before anything is sealed, that the keys at hand are those of the store.
"""

import asyncio
from collections.abc import Collection
from datetime import date
from pathlib import Path

from webex_oauth.errors import KeyUnavailable, SealBroken, VaultError
from webex_oauth.ports import Randomness
from webex_oauth.secret import Secret
from webex_oauth.vault.key_agreement import CONTENT, Sleep, agree, check_context, in_use
from webex_oauth.vault.key_text import RESTORE, read_keys
from webex_oauth.vault.keys import read_or_make_key_file
from webex_oauth.vault.sealed_rows import context_of, some_rows
from webex_oauth.vault.sealing import Keys, Sealer, key_id_of
from webex_oauth.vault.store import Store


async def open_keys(
    store: Store, path: Path, text: Secret | None, randomness: Randomness, made_on: date
) -> Keys:
    """Read the keys in *text*, or else in the file at *path*, and check that they are the store's.

    The file is made when there is none and the store has never been sealed. Raises
    KeyUnavailable that says what to do, or StoreUnavailable.
    """
    if text is None:
        _refuse_fresh_keys(path, in_use(await store.key_checks()))
        keys: Keys = read_or_make_key_file(path, randomness, made_on)
    else:
        keys = read_keys(text.reveal(), "WEBEX_KEYS")
    await check_keys(store, Sealer(keys, randomness))
    return keys


async def check_keys(store: Store, sealer: Sealer, sleep: Sleep = asyncio.sleep) -> None:
    """Check that every key in use is there and is the right one; note the use of the primary one.

    A new primary key has to be known to every living process first, which takes some seconds.
    Raises KeyUnavailable that says what to do, or StoreUnavailable.
    """
    primary = sealer.keys.primary
    checks = await _checked(store, sealer)
    if not checks:
        await _check_rows(store, sealer)
    elif primary.id not in checks:
        await agree(store, sealer, sleep)
        checks = await _checked(store, sealer)
    if primary.id not in checks:
        await store.add_key_check(primary.id, sealer.seal(CONTENT, check_context(primary.id)))


async def _checked(store: Store, sealer: Sealer) -> dict[str, bytes]:
    checks = in_use(await store.key_checks())
    for key_id, sealed in checks.items():
        check_key(sealer, key_id, sealed)
    return checks


def _refuse_fresh_keys(path: Path, key_ids: Collection[str]) -> None:
    """Refuse to make keys for a store that was sealed with others."""
    if key_ids and not path.is_symlink() and not path.exists():
        names = ", ".join(repr(key_id) for key_id in sorted(key_ids))
        raise KeyUnavailable(f"{path} is not there, and the store needs its key {names}: {RESTORE}")


def check_key(sealer: Sealer, key_id: str, sealed: bytes) -> None:
    """Raise KeyUnavailable that says what to do when the key is missing or another one."""
    try:
        content = sealer.open(sealed, check_context(key_id))
    except VaultError as error:
        raise _refusal(sealer, key_id, error) from error
    if content != CONTENT:
        raise _refusal(sealer, key_id, SealBroken("another content"))


async def _check_rows(store: Store, sealer: Sealer) -> None:
    """Open one row, in a store that was sealed before there were key checks."""
    refusal: KeyUnavailable | None = None
    async for record in some_rows(store):
        try:
            sealer.open(record.sealed, context_of(record))
        except VaultError as error:
            refusal = _refusal(sealer, key_id_of(record.sealed), error)
        else:
            return
    if refusal is not None:
        raise refusal


def _refusal(sealer: Sealer, key_id: str, error: VaultError) -> KeyUnavailable:
    source = sealer.keys.source
    if isinstance(error, KeyUnavailable):
        return KeyUnavailable(f"key {key_id!r} of the store is not in {source}: put it back")
    return KeyUnavailable(
        f"key {key_id!r} in {source} is not the one the store was sealed with: put that one back"
    )
