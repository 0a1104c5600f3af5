"""Commit: what a refresh brought or found out goes over the version that it began from.

What cannot be written is noted, so that this process at least goes by it.
"""

import logging
from dataclasses import replace
from typing import Generic, TypeAlias, TypeVar

from webex_oauth.errors import StoreConflict, StoreError
from webex_oauth.ports import Clock
from webex_oauth.vault.grants import Held, open_grant, revocation_of, seal_grant
from webex_oauth.vault.records import GrantRecord
from webex_oauth.vault.sealing import Sealer
from webex_oauth.vault.store import Store
from webex_oauth.vault.timing import COMMIT_TRIES

MOST_NOTES = 1_000

T = TypeVar("T")
VersionName: TypeAlias = tuple[bytes, int]

log = logging.getLogger(__name__)


class Commit:
    """Write grants by version; what somebody else wrote meanwhile is adopted, never overwritten."""

    def __init__(self, store: Store, sealer: Sealer, clock: Clock) -> None:
        self._store = store
        self._sealer = sealer
        self._clock = clock

    async def tokens(self, fresh: Held) -> Held | None:
        """Write fresh tokens, sealed for the version that follows the one they came from.

        Gives what is in the row afterwards: these tokens, or newer ones. A row that says that the
        person is needed gives way. None when the row is gone: then the tokens are queued for
        revocation.
        """
        for _ in range(COMMIT_TRIES):
            try:
                await self._store.replace_grant(fresh.record, fresh.record.version - 1)
            except StoreConflict:
                current = await self._find(fresh.record.key)
            else:
                return fresh
            if current is None:
                await self._give_back(fresh)
                return None
            if current.has(fresh.access_token):
                return current  # a write whose answer was lost
            if current.grant.reauth_reason is None:
                log.info(
                    "grant %(grant)s has newer tokens of another process, which are used",
                    {"grant": fresh.name},
                )
                return current
            fresh = replace(fresh, record=seal_grant(self._sealer, fresh.grant, current.record))
        raise StoreConflict("the grant kept moving")

    async def reason(self, held: Held, reason: str) -> Held | None:
        """Write that the person is needed, and why; everything else stays.

        Gives what is in the row afterwards, None when it is gone.
        """
        return await self._write(held, reason)

    async def end_of_keeping(self, held: Held) -> Held | None:
        """Write that there is nothing to keep alive; gives what `reason` gives."""
        return await self._write(held, None)

    async def _write(self, held: Held, reason: str | None) -> Held | None:
        for _ in range(COMMIT_TRIES):
            # Read first: the row may say by now that the access token was refused.
            current = await self._find(held.record.key)
            if current is None or not current.has(held.access_token):
                return current
            if current.grant.reauth_reason is not None:
                return current
            grant = replace(current.grant, reauth_reason=reason)
            sealed = seal_grant(self._sealer, grant, current.record)
            record = replace(sealed, keep_at=None)
            try:
                await self._store.replace_grant(record, current.record.version)
            except StoreConflict:
                continue
            return replace(current, record=record, grant=grant)
        raise StoreConflict("the grant kept moving")

    async def _find(self, key: bytes) -> Held | None:
        record = await self._store.find_grant(key)
        if record is None:
            return None
        grant = open_grant(self._sealer, record)
        return Held(record, grant, is_refused=grant.is_access_refused)

    async def _give_back(self, fresh: Held) -> None:
        log.info(
            "tokens came for grant %(grant)s, which was ended: they are revoked",
            {"grant": fresh.name},
        )
        await self._store.add_revocation(revocation_of(fresh.record, self._clock()))


class Notes(Generic[T]):
    """Remember one note each of at most *at_most* versions, the latest ones."""

    def __init__(self, at_most: int = MOST_NOTES) -> None:
        self._at_most = at_most
        self._notes: dict[VersionName, T] = {}

    def add(self, record: GrantRecord, note: T) -> None:
        """Remember *note*, and no earlier one of this version."""
        self.drop(record)
        self._notes[_name(record)] = note
        if len(self._notes) > self._at_most:
            del self._notes[next(iter(self._notes))]

    def find(self, record: GrantRecord) -> T | None:
        """Find what is remembered of this version."""
        return self._notes.get(_name(record))

    def drop(self, record: GrantRecord) -> None:
        """Forget this version."""
        self._notes.pop(_name(record), None)


class Reasons:
    """Make sure that this process never presents again what must not be presented."""

    def __init__(self, commit: Commit) -> None:
        self._commit = commit
        self._unwritten: Notes[str] = Notes()

    def unwritten(self, record: GrantRecord) -> str | None:
        """Find the reason that this version of a row should hold and does not."""
        return self._unwritten.find(record)

    def remember(self, held: Held, reason: str) -> None:
        """Keep a reason that cannot be written just now."""
        self._unwritten.add(held.record, reason)

    async def write(self, held: Held, reason: str) -> Held | None:
        """Write *reason* into the row; gives what is there afterwards, None when it is gone.

        Raises StoreError, and remembers, when that is not possible.
        """
        try:
            current = await self._commit.reason(held, reason)
        except StoreError:
            self.remember(held, reason)
            raise
        self._unwritten.drop(held.record)
        if current is not None and current.grant.reauth_reason is not None:
            log.warning(
                "the person of grant %(grant)s has to sign in again: %(reason)s",
                {"grant": held.name, "reason": reason},
            )
        return current


def _name(record: GrantRecord) -> VersionName:
    return record.key, record.version
