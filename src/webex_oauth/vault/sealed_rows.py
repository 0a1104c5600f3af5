"""Sealed rows: all that a key seals, in a store and its spool, and what each seal is bound to."""

from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import suppress

from webex_oauth.errors import SealBroken
from webex_oauth.vault.attempts import attempt_context
from webex_oauth.vault.grants import grant_context, revocation_context
from webex_oauth.vault.records import (
    AttemptRecord,
    GrantRecord,
    RevocationRecord,
    SealedRecord,
    SessionRecord,
    name_of,
)
from webex_oauth.vault.sealing import Context
from webex_oauth.vault.sessions import session_context
from webex_oauth.vault.spool import Spool
from webex_oauth.vault.store import Row, Store

BATCH_ROWS = 100
SOME_ROWS = 20


def context_of(record: SealedRecord) -> Context:
    """Say what the seal of a row is bound to."""
    match record:
        case AttemptRecord():
            return attempt_context(record)
        case SessionRecord():
            return session_context(record)
        case GrantRecord():
            return grant_context(record)
        case RevocationRecord():
            return revocation_context(record)


async def all_rows(store: Store) -> AsyncIterator[Sequence[SealedRecord]]:
    """Walk through the rows of every kind, in batches, each kind in the order of its names.

    Rows that come or move meanwhile may be missed.
    """
    for batches in (
        _batches(store, GrantRecord),
        _batches(store, RevocationRecord),
        _batches(store, SessionRecord),
        _batches(store, AttemptRecord),
    ):
        async for batch in batches:
            yield batch


async def some_rows(store: Store) -> AsyncIterator[SealedRecord]:
    """Give a few rows of the kinds that last."""
    samples: tuple[Sequence[SealedRecord], ...] = (
        await store.scan(GrantRecord, after=b"", limit=SOME_ROWS),
        await store.scan(SessionRecord, after=b"", limit=SOME_ROWS),
    )
    for sample in samples:
        for record in sample:
            yield record


def spooled_rows(spool: Spool) -> Iterator[tuple[str, GrantRecord]]:
    """Give the rows that wait for the store, with the names of their files.

    What went meanwhile, or is no row, is passed over.
    """
    for name in spool.names():
        with suppress(OSError, SealBroken):
            yield name, spool.read(name)


async def _batches(store: Store, kind: type[Row]) -> AsyncIterator[Sequence[SealedRecord]]:
    after = b""
    while batch := await store.scan(kind, after=after, limit=BATCH_ROWS):
        yield batch
        after = name_of(batch[-1])
