"""Key checks: a small value in the store, sealed under each key in use, which only that key opens.

They tell at start, before anything is sealed, that the keys at hand are those of the store.

A new key seals only once every living process can open what it seals. The process that wants it to
seal asks in the store, beside the checks, and waits for as long as a living process takes at most
to look there. A process that lacks the key objects by its name.
"""

import asyncio
from collections.abc import Collection, Mapping
from datetime import date
from pathlib import Path

from webex_oauth.errors import KeyUnavailable, SealBroken, VaultError
from webex_oauth.ports import Randomness, Sleep
from webex_oauth.secret import Secret
from webex_oauth.vault.key_text import RESTORE, read_keys
from webex_oauth.vault.keys import read_or_make_key_file
from webex_oauth.vault.sealed_rows import context_of, some_rows
from webex_oauth.vault.sealing import Context, Keys, Sealer, key_id_of, open_sealed
from webex_oauth.vault.store import Store

LOOK_EVERY_SECONDS = 1.0
SETTLE_SECONDS = LOOK_EVERY_SECONDS + 3.0
"""How long a process may go on with what it began before it looked at its keys or the store."""

CONTENT = b"webex-oauth"
ASKED, LACKED = "asked", "lacked"
SEPARATOR = ":"
"""What stands in no key's id."""

NONCE_BYTES = 8


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


def in_use(checks: Mapping[str, bytes]) -> dict[str, bytes]:
    """Return the checks of keys that seal or sealed, without questions and objections."""
    return {name: sealed for name, sealed in checks.items() if SEPARATOR not in name}


def check_context(key_id: str) -> Context:
    """Return what the check of a key is bound to."""
    return Context(kind="key check", row=(key_id.encode(),), field="check", version=1)


async def agree(store: Store, sealer: Sealer, sleep: Sleep = asyncio.sleep) -> None:
    """Ask whether every living process has the primary key.

    Raises KeyUnavailable that names a process which has not, or StoreUnavailable.
    """
    key_id = sealer.keys.primary.id
    question = SEPARATOR.join((key_id, sealer.randomness(NONCE_BYTES).hex()))
    asked, lacked = (SEPARATOR.join((what, question)) for what in (ASKED, LACKED))
    await store.add_key_check(asked, sealer.seal(CONTENT, check_context(key_id)))
    try:
        await sleep(SETTLE_SECONDS)
        objection = (await store.key_checks()).get(lacked)
    finally:
        await store.drop_key_check(asked)
        await store.drop_key_check(lacked)
    if objection is not None:
        raise KeyUnavailable(
            f"key {key_id!r} cannot seal yet, for {objection.decode(errors='replace')} does not "
            "have it: add it there first, and make it primary afterwards"
        )


async def answer(store: Store, keys: Keys, checks: Mapping[str, bytes], who: str) -> None:
    """Object, once, to each key that is asked about and that *keys* lack.

    What a process left behind that was killed goes: a question about a key that seals by now, an
    objection to a question that is gone.
    """
    for name, sealed in checks.items():
        what, _, question = name.partition(SEPARATOR)
        asked, lacked = (SEPARATOR.join((kind, question)) for kind in (ASKED, LACKED))
        key_id = question.partition(SEPARATOR)[0]
        if (what == ASKED and key_id in checks) or (what == LACKED and asked not in checks):
            await store.drop_key_check(name)
        elif what == ASKED and lacked not in checks and not _opens(keys, key_id, sealed):
            await store.add_key_check(lacked, who.encode())


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


def _opens(keys: Keys, key_id: str, sealed: bytes) -> bool:
    try:
        return open_sealed(keys, sealed, check_context(key_id)) == CONTENT
    except VaultError:
        return False
