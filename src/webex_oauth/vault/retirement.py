"""Retirement: a key that nothing is under any more leaves the ring; a lost one, with its rows."""

import asyncio
import logging
from collections import Counter

from webex_oauth.errors import KeyUnavailable, SealBroken, VaultError
from webex_oauth.ports import Sleep
from webex_oauth.vault.key_checks import SETTLE_SECONDS
from webex_oauth.vault.records import (
    AttemptRecord,
    GrantRecord,
    RevocationRecord,
    SealedRecord,
    SessionRecord,
)
from webex_oauth.vault.sealed_rows import all_rows, context_of, spooled_rows
from webex_oauth.vault.sealing import Sealer, key_id_of
from webex_oauth.vault.spool import Spool
from webex_oauth.vault.store import Store

UNREADABLE = "?"
SIGN_INS = "sign-ins under way"

log = logging.getLogger(__name__)


async def rows_by_key(store: Store, spool: Spool) -> Counter[str]:
    """Count the rows under each key, by its id."""
    counts = Counter(key_of(record) for _, record in spooled_rows(spool))
    async for batch in all_rows(store):
        counts.update(key_of(record) for record in batch)
        await asyncio.sleep(0)
    return counts


async def check_unused(
    store: Store, spool: Spool, sealer: Sealer, key_id: str, *, sleep: Sleep = asyncio.sleep
) -> None:
    """Refuse, with KeyUnavailable, to retire a key that something still needs.

    Looks twice, for a process may just be writing what it sealed before the keys changed. A row
    that does not open under its key is lost already and needs nothing.
    """
    for is_first in (True, False):
        count = await _rows_that_need(store, spool, sealer, key_id)
        if count:
            raise KeyUnavailable(
                f"key {key_id!r} is still needed (rows under it: {count}): "
                "run `webex-oauth keys re-encrypt` first"
            )
        if is_first:
            await sleep(SETTLE_SECONDS)


async def forget(store: Store, spool: Spool, key_id: str, now: int) -> Counter[str]:
    """End everything under a lost key: grants with their sessions, sessions, revocations.

    Return how many rows of each kind were under it. Sign-ins under way are counted and left:
    they expire by themselves.
    """
    ended = Counter[str]()
    for name, waiting in spooled_rows(spool):
        if key_of(waiting) == key_id:
            spool.drop(name)
            ended["spooled"] += 1
    async for batch in all_rows(store):
        for record in batch:
            if key_of(record) == key_id:
                ended[await _end(store, record, now)] += 1
    await store.drop_key_check(key_id)
    log.warning(
        "lost key %(key)s was forgotten; what was under it ended: %(ended)s",
        {"key": key_id, "ended": dict(ended)},
    )
    return ended


def key_of(record: SealedRecord) -> str:
    """Tell under which key a row is."""
    try:
        return key_id_of(record.sealed)
    except SealBroken:
        return UNREADABLE


async def _rows_that_need(store: Store, spool: Spool, sealer: Sealer, key_id: str) -> int:
    count = sum(_needs(record, sealer, key_id) for _, record in spooled_rows(spool))
    async for batch in all_rows(store):
        count += sum(_needs(record, sealer, key_id) for record in batch)
        await asyncio.sleep(0)
    return count


def _needs(record: SealedRecord, sealer: Sealer, key_id: str) -> bool:
    return key_of(record) == key_id and _opens(sealer, record)


def _opens(sealer: Sealer, record: SealedRecord) -> bool:
    try:
        sealer.open(record.sealed, context_of(record))
    except VaultError:
        return False
    return True


async def _end(store: Store, record: SealedRecord, now: int) -> str:
    match record:
        case GrantRecord():
            await store.end_grant(record.key, now=now)
            return "grants"
        case SessionRecord():
            await store.end_session(record.digest, now=now, idle_seconds=0, keeps_grants=True)
            return "sessions"
        case RevocationRecord():
            await store.drop_revocation(record.grant_key, record.version)
            return "revocations"
        case AttemptRecord():
            return SIGN_INS
