"""The ledger: the rules about states, sessions, grants and revocations, written once above `Rows`.

Every record is sealed whole into its row's body, bound to the row's kind and name; nothing is
believed that stands outside a seal. Each method is one atomic change: it reads, decides, and
applies over the revisions it read. If another process was quicker, it looks again.

Every method raises StoreUnavailable, within seconds, if the database cannot answer.
"""

import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar

from webex_oauth.errors import AttemptInProgress, AttemptUnknown, StoreConflict, VaultError
from webex_oauth.vault.grants import LONGEST_WAIT_SECONDS, Grant, revocation_of
from webex_oauth.vault.records import (
    MARK_KEPT_SECONDS,
    EndedSession,
    Mark,
    Profile,
    Revocation,
    Session,
    name_of_grant,
)
from webex_oauth.vault.rows import Change, Kind, Row, Rows, next_rev
from webex_oauth.vault.sealing import Context, Envelope, Sealer

T = TypeVar("T")

MOST_TRIES = 100
BATCH = 500
FIRST_REV_BYTES = 6
PUT_OFF_SECONDS = 86_400

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Entry(Generic[T]):
    """A record as it was read, and the revision of its row."""

    record: T
    rev: int


@dataclass(frozen=True, slots=True)
class Admission:
    """What a sign-in brings, to be kept in one change.

    `over` is the revision that `grant` is written over, `earlier` the tokens there, if they are to
    be revoked.
    `replaced_session` is the digest of the session that this browser had before; with
    `keeps_grants` its grant stays even if that was its last session.
    """

    mark: Entry[Mark]
    state_digest: bytes
    grant: Grant
    over: int
    session: Session
    earlier: Revocation | None
    replaced_session: bytes | None
    keeps_grants: bool


class Ledger:
    """Keep states, sessions, grants and revocations in *rows*, sealed by *sealer*.

    A session that is not used for *idle_seconds* is over.
    """

    def __init__(self, rows: Rows, sealer: Sealer, idle_seconds: int) -> None:
        self.rows = rows
        self._sealer = sealer
        self._idle_seconds = idle_seconds

    # Signing in

    async def take_state(self, state_digest: bytes, expires_at: int, now: int) -> Entry[Mark]:
        """Take a state, once ever, whose sign-in can be completed before *expires_at*.

        Returns a finished mark if the sign-in was completed before. Raises AttemptInProgress while
        another request completes it, AttemptUnknown if its time is over.
        """
        if now < expires_at:
            taken = self._put(_STATES, state_digest, Mark(expires_at))
            if await self.rows.apply([taken], durably=False):
                return Entry(Mark(expires_at), taken.row.rev)
        entry = await self._find(_STATES, state_digest)
        if entry is None or now >= entry.record.expires_at + MARK_KEPT_SECONDS:
            raise AttemptUnknown("the time of the attempt is over")
        if not entry.record.is_finished:
            raise AttemptInProgress("the attempt is being completed")
        return entry

    async def abandon_state(self, state_digest: bytes, mark: Entry[Mark]) -> None:
        """Finish a sign-in that brought no session."""
        done = replace(mark.record, is_finished=True)
        await self.rows.apply([self._put(_STATES, state_digest, done, mark.rev)], durably=False)

    async def admit(self, admission: Admission) -> EndedSession | None:
        """Complete a sign-in: keep the grant, add the session, finish the state.

        Returns what the replaced session was, as `end_session` does. Raises StoreConflict, and
        nothing happened, if the grant is no longer as it was found; a lease on it ends.
        """
        grant, session, mark = admission.grant, admission.session, admission.mark
        finished = replace(mark.record, is_finished=True, session_digest=session.digest)
        changes = [
            self._put(_GRANTS, grant.key, grant, admission.over),
            self._put(_SESSIONS, session.digest, session),
            self._put(_STATES, admission.state_digest, finished, mark.rev),
        ]
        if admission.earlier is not None:
            changes.append(self._put(_REVOCATIONS, admission.earlier.name, admission.earlier))
        ended = None
        if admission.replaced_session is not None:
            ended, more = await self._ending(
                admission.replaced_session,
                session.created_at,
                keeps_grants=admission.keeps_grants,
                entering=grant.key,
            )
            changes += more
        if not await self.rows.apply(changes, durably=False):
            raise StoreConflict("the grant moved on")
        return ended

    # Grants

    async def find_grant(self, key: bytes) -> Entry[Grant] | None:
        """Find a grant; raises SealBroken or KeyUnavailable."""
        return await self._find(_GRANTS, key)

    async def has_grant(self, key: bytes) -> bool:
        """Check whether there is a grant, also one that cannot be opened."""
        return (await self._row(Kind.GRANT, key)).rev > 0

    async def earlier_grant(self, key: bytes) -> Entry[Grant | None]:
        """Find what a sign-in writes over: None, at revision 0, if there is no grant.

        A grant that cannot be opened is None as well; its tokens end by themselves.
        """
        row = await self._row(Kind.GRANT, key)
        try:
            return Entry(self._open(_GRANTS, row).record if row.rev else None, row.rev)
        except VaultError as error:
            _log_unrevoked(row, error)
            return Entry(None, row.rev)

    async def replace_grant(
        self, found: Entry[Grant], grant: Grant, *, durably: bool
    ) -> Entry[Grant] | None:
        """Write *grant* over the one that was found; None, and nothing happened, if it moved."""
        change = self._put(_GRANTS, grant.key, grant, found.rev)
        is_done = await self.rows.apply([change], durably=durably)
        return Entry(grant, change.row.rev) if is_done else None

    def seal_grant(self, grant: Grant) -> bytes:
        """Seal a grant for its row, to be kept elsewhere until the row can be written."""
        return _GRANTS.envelope.seal(self._sealer, grant, Context(Kind.GRANT.value, grant.key))

    def open_grant(self, key: bytes, body: bytes) -> Grant:
        """Open what `seal_grant` returned; raises SealBroken or KeyUnavailable."""
        return _GRANTS.envelope.open(self._sealer, body, Context(Kind.GRANT.value, key))

    async def due_grants(self, now: int, limit: int) -> Sequence[bytes]:
        """List the keys of grants that are due to be kept, the longest due first."""
        return [row.name for row in await self.rows.due(Kind.GRANT, now, limit)]

    async def end_grant(self, key: bytes, now: int) -> Revocation | None:
        """Delete a grant with all its sessions, and queue its tokens for revocation, due *now*.

        Returns None if there was no such grant, or it cannot be opened; its sessions end anyway.
        """

        async def end() -> "_Done[Revocation | None] | None":
            row = await self._row(Kind.GRANT, key)
            sessions = await self.rows.of_group(Kind.SESSION, key, BATCH)
            revocation, changes = self._revoking(row, now)
            changes += [_drop(session) for session in sessions]
            if not await self.rows.apply(changes, durably=True):
                return None
            if len(sessions) == BATCH:
                await self.end_grant(key, now)
            return _Done(revocation)

        return await _until_done(end)

    # Sessions

    async def find_session(self, digest: bytes) -> Entry[Session] | None:
        """Find a session that was not ended; `Session.is_live` checks its time."""
        return await self._find(_SESSIONS, digest)

    async def touch_session(self, found: Entry[Session], now: int) -> None:
        """Move `seen_at` to *now*; do nothing if the session was touched or ended meanwhile."""
        session = replace(found.record, seen_at=now)
        change = self._put(_SESSIONS, session.digest, session, found.rev)
        await self.rows.apply([change], durably=False)

    async def rename_session(
        self, found: Entry[Session], new: Session, state_digest: bytes, mark: Entry[Mark]
    ) -> bool:
        """Put *new* in the place of a session, also in the mark of the sign-in that brought it.

        Returns False, and nothing happened, if either moved.
        """
        old = found.record.digest
        changes = [
            Change(Row(Kind.SESSION, old), found.rev),
            self._put(_SESSIONS, new.digest, new),
            self._put(
                _STATES, state_digest, replace(mark.record, session_digest=new.digest), mark.rev
            ),
        ]
        return await self.rows.apply(changes, durably=False)

    async def sessions_of(self, grant_key: bytes, limit: int) -> Sequence[Session]:
        """List the sessions of a grant, the latest seen first, also those whose time is over.

        What cannot be opened is among them, so that it can be ended: without a browser, by what
        its row says.
        """
        rows = await self.rows.of_group(Kind.SESSION, grant_key, limit)
        sessions = [self._listed(row) for row in rows]
        return [session for session in sessions if session.grant_key == grant_key]

    async def end_session(
        self, digest: bytes, now: int, *, keeps_grants: bool
    ) -> EndedSession | None:
        """Delete a session; return None if it is gone.

        If no other live session has its grant, and grants are not kept, the grant goes too, and
        its tokens are queued for revocation, due *now*.
        """

        async def end() -> "_Done[EndedSession | None] | None":
            ended, changes = await self._ending(digest, now, keeps_grants=keeps_grants)
            is_done = not changes or await self.rows.apply(changes, durably=True)
            return _Done(ended) if is_done else None

        return await _until_done(end)

    # Revocations

    async def add_revocation(self, revocation: Revocation) -> None:
        """Queue tokens for revocation; do nothing if they are queued already."""
        change = self._put(_REVOCATIONS, revocation.name, revocation)
        await self.rows.apply([change], durably=True)

    async def take_revocations(self, now: int, until: int, limit: int) -> Sequence[Revocation]:
        """Take revocations that are due: nobody else gets them before *until*.

        Each comes with its `due_at` moved there and its `try_count` grown by one.
        """
        taken = []
        for row in await self.rows.due(Kind.REVOCATION, now, limit):
            try:
                entry = self._open(_REVOCATIONS, row)
            except VaultError as error:
                _log_unreadable(row, error)
                later_row = replace(row, rev=next_rev(row.rev), at=until)
                await self.rows.apply([Change(later_row, row.rev)], durably=False)
                continue
            later = replace(entry.record, due_at=until, try_count=entry.record.try_count + 1)
            change = self._put(_REVOCATIONS, later.name, later, entry.rev)
            if await self.rows.apply([change], durably=False):
                taken.append(later)
        return taken

    async def postpone_revocation(self, revocation: Revocation, due_at: int) -> None:
        """Move `due_at`; do nothing if the revocation is gone."""
        row = await self._row(Kind.REVOCATION, revocation.name)
        if row.rev:
            later = replace(revocation, due_at=due_at)
            change = self._put(_REVOCATIONS, later.name, later, row.rev)
            await self.rows.apply([change], durably=False)

    async def drop_revocation(self, revocation: Revocation) -> None:
        """Remove a revocation that is done, or will never be."""

        async def drop() -> "_Done[None] | None":
            row = await self._row(Kind.REVOCATION, revocation.name)
            is_done = not row.rev or await self.rows.apply([_drop(row)], durably=False)
            return _Done(None) if is_done else None

        await _until_done(drop)

    # Upkeep

    async def sweep(self, now: int, kinds: Sequence[Kind], limit: int = BATCH) -> int:
        """Remove rows of *kinds* that are over; return how many rows went.

        Over are marks and sessions past their time, revocations whose tokens have ended, and
        grants without a session whose last token has ended. What a row says outside its seal is
        not enough: the sealed end decides. A row that cannot be opened, or is still in use, stays
        and comes up again a day later.
        """
        count = 0
        for kind in kinds:
            for row in await self.rows.over(kind, now, limit):
                if self._is_over(row, now) and not await self._has_session(row):
                    count += await self.rows.apply([_drop(row)], durably=False)
                else:
                    later = replace(row, rev=next_rev(row.rev), over_at=now + PUT_OFF_SECONDS)
                    await self.rows.apply([Change(later, row.rev)], durably=False)
        return count

    async def over_sessions(self, now: int, limit: int) -> Sequence[bytes]:
        """List the digests of sessions that were past their end, or idle, at *now*."""
        rows = await self.rows.over(Kind.SESSION, now, limit)
        return [row.name for row in rows if self._is_over(row, now)]

    async def mend(self, kind: Kind, after: bytes, now: int, limit: int = BATCH) -> bytes:
        """Correct rows of *kind* behind the name *after*; return the last name, empty at the end.

        What a row says outside its seal becomes what its record says. A record that waits for an
        instant which only a wrong clock can have written is due *now*.
        """
        table = _TABLES[kind]
        rows = await self.rows.by_name(kind, after, limit)
        for row in rows:
            try:
                record = self._open(table, row).record
            except VaultError:
                continue
            in_time = _in_time(record, now)
            right = self._row_of(table, row.name, in_time, next_rev(row.rev), row.body)
            if in_time != record:
                right = self._put(table, row.name, in_time, row.rev).row
            if replace(right, rev=row.rev) != row:
                await self.rows.apply([Change(right, row.rev)], durably=False)
        return rows[-1].name if rows else b""

    # Rows and records

    async def _row(self, kind: Kind, name: bytes) -> Row:
        (row,) = await self.rows.read(Row(kind, name))
        return row

    async def _find(self, table: "_Table[T]", name: bytes) -> Entry[T] | None:
        row = await self._row(table.kind, name)
        return self._open(table, row) if row.rev else None

    def _open(self, table: "_Table[T]", row: Row) -> Entry[T]:
        context = Context(table.kind.value, row.name)
        return Entry(table.envelope.open(self._sealer, row.body, context), row.rev)

    def _put(self, table: "_Table[T]", name: bytes, record: T, over: int = 0) -> Change:
        body = table.envelope.seal(self._sealer, record, Context(table.kind.value, name))
        # No writer can hold the revision of a row that was deleted since.
        rev = over or int.from_bytes(self._sealer.randomness(FIRST_REV_BYTES), "big")
        return Change(self._row_of(table, name, record, next_rev(rev), body), over)

    def _row_of(self, table: "_Table[T]", name: bytes, record: T, rev: int, body: bytes) -> Row:
        group, at, over_at = table.index(record, self._idle_seconds)
        return Row(table.kind, name, rev, body, group, at, over_at)

    async def _ending(
        self, digest: bytes, now: int, *, keeps_grants: bool, entering: bytes = b""
    ) -> tuple[EndedSession | None, list[Change]]:
        """Decide what the end of a session changes.

        The session that keeps a grant alive is asserted at its revision: of two that end at once,
        the later looks again. A grant is read before its sessions are listed: a sign-in meanwhile
        moves it.
        """
        row = await self._row(Kind.SESSION, digest)
        if not row.rev:
            return None, []
        try:
            key = self._open(_SESSIONS, row).record.grant_key
        except VaultError as error:
            _log_unreadable(row, error)
            return EndedSession(row.group, None), [_drop(row)]
        if keeps_grants or key == entering:
            return EndedSession(key, None), [_drop(row)]
        grant = await self._row(Kind.GRANT, key)
        for other in await self.rows.of_group(Kind.SESSION, key, BATCH):
            if other.name != digest and not self._is_over(other, now):
                return EndedSession(key, None), [_drop(row), Change(other, other.rev)]
        revocation, changes = self._revoking(grant, now)
        return EndedSession(key, revocation), [_drop(row), *changes]

    def _listed(self, row: Row) -> Session:
        try:
            return self._open(_SESSIONS, row).record
        except VaultError as error:
            _log_unreadable(row, error)
            seen_at = row.at or 0
            return Session(row.name, row.group, Profile(), seen_at, seen_at, row.over_at or 0)

    def _revoking(self, row: Row, now: int) -> tuple[Revocation | None, list[Change]]:
        """Decide what the end of a grant changes: it goes, its tokens are queued."""
        if not row.rev:
            return None, []
        try:
            revocation = revocation_of(self._open(_GRANTS, row).record, now)
        except VaultError as error:
            _log_unrevoked(row, error)
            return None, [_drop(row)]
        return revocation, [_drop(row), self._put(_REVOCATIONS, revocation.name, revocation)]

    def _is_over(self, row: Row, now: int) -> bool:
        table = _TABLES[row.kind]
        try:
            _, _, over_at = table.index(self._open(table, row).record, self._idle_seconds)
        except VaultError as error:
            _log_unreadable(row, error)
            return False
        return over_at is not None and over_at <= now

    async def _has_session(self, row: Row) -> bool:
        if row.kind is not Kind.GRANT:
            return False
        return bool(await self.rows.of_group(Kind.SESSION, row.name, 1))


@dataclass(frozen=True, slots=True)
class _Done(Generic[T]):
    """What a step came to, so that None can mean: look again."""

    result: T


async def _until_done(step: Callable[[], Awaitable[_Done[T] | None]]) -> T:
    """Take a step again for as long as others are quicker."""
    for _ in range(MOST_TRIES):
        done = await step()
        if done is not None:
            return done.result
    raise StoreConflict("the row kept moving")


@dataclass(frozen=True, slots=True)
class _Table(Generic[T]):
    """Records of one kind: how they are sealed, and by what their rows are listed.

    `index` returns a row's group, `at` and `over_at`.
    """

    kind: Kind
    envelope: Envelope[T]
    index: Callable[[T, int], tuple[bytes, int | None, int | None]]


def _session_index(session: Session, idle_seconds: int) -> tuple[bytes, int, int]:
    over_at = min(session.expires_at, session.seen_at + idle_seconds)
    return session.grant_key, session.seen_at, over_at


_STATES = _Table(
    Kind.STATE, Envelope(Mark), lambda mark, _: (b"", None, mark.expires_at + MARK_KEPT_SECONDS)
)
_SESSIONS = _Table(Kind.SESSION, Envelope(Session), _session_index)
_GRANTS = _Table(Kind.GRANT, Envelope(Grant), lambda grant, _: (b"", grant.due_at, grant.ends_at))
_REVOCATIONS = _Table(
    Kind.REVOCATION, Envelope(Revocation), lambda one, _: (b"", one.due_at, one.ends_at)
)
_TABLES: dict[Kind, _Table[Any]] = {
    table.kind: table for table in (_STATES, _SESSIONS, _GRANTS, _REVOCATIONS)
}


def _in_time(record: T, now: int) -> T:
    """Return *record* without a wait that is longer than there is any."""
    latest = now + LONGEST_WAIT_SECONDS
    if isinstance(record, Grant) and record.due_at is not None and record.due_at > latest:
        return replace(record, keep_at=now, trouble=replace(record.trouble, retry_at=0))
    if isinstance(record, Revocation) and record.due_at > latest:
        return replace(record, due_at=now)
    return record


def _drop(row: Row) -> Change:
    return Change(Row(row.kind, row.name), row.rev)


def _log_unreadable(row: Row, error: VaultError) -> None:
    log.error(
        "a stored %(kind)s cannot be opened: %(error)s",
        {"kind": row.kind.value, "error": str(error) or type(error).__name__},
    )


def _log_unrevoked(row: Row, error: VaultError) -> None:
    log.warning(
        "the tokens of grant %(grant)s are not revoked and end by themselves: %(error)s",
        {"grant": name_of_grant(row.name), "error": str(error) or type(error).__name__},
    )
