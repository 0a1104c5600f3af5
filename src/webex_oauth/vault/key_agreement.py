"""Agreement on a new key: it seals only once every living process can open what it seals.

Who wants a key to seal asks in the store, beside the key checks, and waits for as long as a living
process takes at most to look there. A process that lacks the key objects by its name.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import TypeAlias

from webex_oauth.errors import KeyUnavailable, VaultError
from webex_oauth.vault.sealing import Context, Keys, Sealer, open_sealed
from webex_oauth.vault.store import Store

LOOK_EVERY_SECONDS = 1.0
SETTLE_SECONDS = LOOK_EVERY_SECONDS + 3.0
"""How long a process may go on with what it began before it looked at its keys or the store."""

CONTENT = b"webex-oauth"
ASKED, LACKED = "asked", "lacked"
SEPARATOR = ":"
"""What stands in no key's id."""

NONCE_BYTES = 8

Sleep: TypeAlias = Callable[[float], Awaitable[None]]


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
    """Object to each key that is asked about and that *keys* lack; drop objections left behind."""
    for name, sealed in checks.items():
        what, _, question = name.partition(SEPARATOR)
        if what == ASKED and not _opens(keys, question.partition(SEPARATOR)[0], sealed):
            await store.add_key_check(SEPARATOR.join((LACKED, question)), who.encode())
        elif what == LACKED and SEPARATOR.join((ASKED, question)) not in checks:
            await store.drop_key_check(name)


def _opens(keys: Keys, key_id: str, sealed: bytes) -> bool:
    try:
        return open_sealed(keys, sealed, check_context(key_id)) == CONTENT
    except VaultError:
        return False
