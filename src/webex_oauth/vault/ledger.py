"""The ledger: the rules about states, sessions, grants and revocations, written once above rows.

Each method is one atomic change: it reads, decides, and applies over the revisions it read. If
another process was quicker, it looks again. Every method raises StoreUnavailable, within seconds,
if the database cannot answer.
"""

import logging
from collections.abc import Sequence

from msgspec import Struct
from msgspec.structs import replace

from webex_oauth.errors import AttemptInProgress, AttemptUnknown, StoreConflict, VaultError
from webex_oauth.vault.records import (
    EndedSession,
    Grant,
    Mark,
    Profile,
    Revocation,
    Session,
    name_of_grant,
    revocation_of,
)
from webex_oauth.vault.revocation_queue import MOST_TRIES, MOVING, RevocationQueue
from webex_oauth.vault.rows import Change, Entry, Kind, Row, log_unreadable
from webex_oauth.vault.tables import Draft, email_of

BATCH = 500

log = logging.getLogger(__name__)


class Admission(Struct, frozen=True):
    """What a sign-in brings, to be kept in one change.

    `mark` is the mark of its state; tokens that were issued elsewhere have none. `over` is the
    revision that `grant` is written over, `earlier` the tokens there, if they are to be revoked.
    `instead_of` had these tokens until their person was known, and goes.
    `replaced_session` is the digest of the session that this browser had before; with
    `keeps_grants` its grant stays even if that was its last session.
    """

    mark: Entry[Mark] | None
    state_digest: bytes
    grant: Grant
    over: int
    session: Session | None
    earlier: Revocation | None
    replaced_session: bytes | None
    keeps_grants: bool
    at: int
    instead_of: Entry[Grant] | None = None


class Ledger(RevocationQueue):
    """States, sessions, grants and revocations in *rows*, sealed by *sealer*.

    A session that is not used for *idle_seconds* is over.
    """

    async def take_state(self, state_digest: bytes, expires_at: int, now: int) -> Entry[Mark]:
        """Take a state, once ever, whose sign-in can be completed before *expires_at*.

        Returns a finished mark if that was done before. Raises AttemptInProgress while another
        request completes it, AttemptUnknown if its time is over.
        """
        if now < expires_at:
            taken = self.states.put(state_digest, Mark(expires_at))
            if await self.rows.apply([taken], durably=False):
                return Entry(Mark(expires_at), taken.row.rev)
        entry = await self.states.find(state_digest)
        if entry is None or now >= entry.record.kept_until:
            raise AttemptUnknown("the time of the attempt is over")
        if not entry.record.is_finished:
            raise AttemptInProgress("the attempt is being completed")
        return entry

    async def abandon_state(self, state_digest: bytes, mark: Entry[Mark], failure: Draft) -> bool:
        """Finish a sign-in that failed; return False, and nothing happened, if it is finished."""
        done = replace(mark.record, is_finished=True)
        change = self.states.put(state_digest, done, mark.rev)
        return await self.write(replace(failure, changes=[change]), durably=False)

    async def admit(self, admission: Admission) -> EndedSession | None:
        """Complete a sign-in: keep the grant, add the session if there is one, finish the state.

        Returns what `end_session` returns of the replaced session. Raises StoreConflict if the
        grant moved. A lease on it ends.
        """
        grant, session, mark = admission.grant, admission.session, admission.mark
        now, reason = admission.at, "replaced" if admission.over else None
        draft = Draft(now, [self.grants.put(grant.key, grant, admission.over)])
        draft.tell("grant.created", grant.profile, reason)
        if (gone := admission.instead_of) is not None:
            draft.changes.append(Row(Kind.GRANT, gone.record.key, gone.rev).removal)
        if session is not None:
            draft.changes.append(self.sessions.put(session.digest, session))
            draft.tell("session.started", session.profile)
        if mark is not None:
            brought = session.digest if session else b""
            finished = replace(mark.record, is_finished=True, session_digest=brought)
            draft.changes.append(self.states.put(admission.state_digest, finished, mark.rev))
        if admission.earlier is not None:
            draft.changes.append(self.revocations.put(admission.earlier.name, admission.earlier))
        ended = None
        if session is not None and admission.replaced_session is not None:
            ended = await self._end(
                draft,
                admission.replaced_session,
                keeps_grants=admission.keeps_grants,
                entering=grant.key,
                reason="replaced",
            )
        if not await self.write(draft, durably=False):
            raise StoreConflict("the grant moved on")
        return ended

    async def find_grant(self, key: bytes) -> Entry[Grant] | None:
        """Find a grant; raise SealBroken or KeyUnavailable."""
        return await self.grants.find(key)

    async def list_grants(self, after: bytes, limit: int = BATCH) -> Sequence[Entry[Grant]]:
        """List grants in the order of their keys, starting behind *after*; none at the end.

        Those that cannot be opened are logged and left out.
        """
        while rows := await self.rows.by_name(Kind.GRANT, after, limit):
            if found := self._opened(rows):
                return found
            after = rows[-1].name
        return []

    async def grants_with_email(self, email: str) -> Sequence[Entry[Grant]]:
        """Find the grants of people with this address, in whatever case it is written."""
        wanted = email.casefold()
        found = {}
        for key in self._sealer.keys.keys:
            rows = await self.rows.of_group(Kind.GRANT, key.index(wanted), BATCH)
            found.update({one.record.key: one for one in self._opened(rows)})
        # A group is outside the seal: what the sealed profile says decides.
        return [one for one in found.values() if email_of(one.record) == wanted]

    async def has_grant(self, key: bytes) -> bool:
        """Check whether there is a grant, also one that cannot be opened."""
        return bool((await self.grants.row(key)).rev)

    async def earlier_grant(self, key: bytes) -> Entry[Grant | None]:
        """Find what a sign-in writes over: None, at revision 0, if there is no grant.

        A grant that cannot be opened is None as well; its tokens end by themselves.
        """
        row = await self.grants.row(key)
        try:
            return Entry(self.grants.open(row).record if row.rev else None, row.rev)
        except VaultError as error:
            _log_unrevoked(row, error)
            return Entry(None, row.rev)

    async def replace_grant(
        self, found: Entry[Grant], grant: Grant, happened: Draft | None = None, *, durably: bool
    ) -> Entry[Grant] | None:
        """Write *grant* over the one that was found; None, and nothing happened, if it moved."""
        change = self.grants.put(grant.key, grant, found.rev)
        draft = replace(happened or Draft(0), changes=[change])
        is_done = await self.write(draft, durably=durably)
        return Entry(grant, change.row.rev) if is_done else None

    async def drop_grant(self, found: Entry[Grant]) -> None:
        """Delete a grant whose tokens are not to be revoked; do nothing if it moved."""
        row = Row(Kind.GRANT, found.record.key, found.rev)
        await self.rows.apply([row.removal], durably=False)

    def seal_grant(self, grant: Grant) -> bytes:
        """Seal a grant for its row, to be kept elsewhere until the row can be written."""
        return self.grants.seal(grant.key, grant)

    def open_grant(self, key: bytes, body: bytes) -> Grant:
        """Open what `seal_grant` returned; raises SealBroken or KeyUnavailable."""
        return self.grants.open(Row(Kind.GRANT, key, body=body)).record

    async def due_grants(self, now: int, limit: int) -> Sequence[bytes]:
        """List the keys of grants that are due to be kept, the longest due first."""
        return [row.name for row in await self.rows.due(Kind.GRANT, now, limit)]

    async def end_grant(
        self, key: bytes, now: int, *, reason: str = "disconnected"
    ) -> Revocation | None:
        """Delete a grant with all its sessions, and queue its tokens for revocation, due *now*.

        Returns None if there was no such grant, or it cannot be opened; its sessions end anyway.
        """
        for _ in range(MOST_TRIES):
            row = await self.grants.row(key)
            sessions = await self.rows.of_group(Kind.SESSION, key, BATCH)
            draft = Draft(now)
            revocation = self._revoke(draft, row, reason)
            for session in sessions:
                draft.changes.append(session.removal)
                draft.tell("session.ended", self._listed(session).profile, reason)
            if await self.write(draft, durably=True):
                if len(sessions) == BATCH:
                    await self.end_grant(key, now, reason=reason)
                return revocation
        raise StoreConflict(MOVING)

    async def find_session(self, digest: bytes) -> Entry[Session] | None:
        """Find a session that was not ended; `Session.is_live` checks its time."""
        return await self.sessions.find(digest)

    async def touch_session(self, found: Entry[Session], now: int) -> None:
        """Move `seen_at` to *now*; do nothing if the session was touched or ended meanwhile."""
        session = replace(found.record, seen_at=now)
        change = self.sessions.put(session.digest, session, found.rev)
        await self.rows.apply([change], durably=False)

    async def rename_session(
        self, found: Entry[Session], new: Session, state_digest: bytes, mark: Entry[Mark]
    ) -> bool:
        """Put *new* in the place of a session, also in the mark of the sign-in that brought it.

        Returns False, and nothing happened, if either moved.
        """
        renamed = replace(mark.record, session_digest=new.digest)
        changes = [
            Change(Row(Kind.SESSION, found.record.digest), found.rev),
            self.sessions.put(new.digest, new),
            self.states.put(state_digest, renamed, mark.rev),
        ]
        return await self.rows.apply(changes, durably=False)

    async def sessions_of(self, grant_key: bytes, limit: int, skip: int = 0) -> Sequence[Session]:
        """List the sessions of a grant but the *skip* latest seen, the latest seen first.

        Sessions whose time is over are among them. So is what cannot be opened, without a browser
        and by what its row says, so that it can be ended.
        """
        rows = await self.rows.of_group(Kind.SESSION, grant_key, skip + limit)
        sessions = [self._listed(row) for row in rows[skip:]]
        return [session for session in sessions if session.grant_key == grant_key]

    async def over_sessions(self, now: int, limit: int) -> Sequence[bytes]:
        """List the digests of sessions that were past their end, or idle, at *now*."""
        rows = await self.rows.over(Kind.SESSION, now, limit)
        return [row.name for row in rows if self._is_over(row, now)]

    async def end_session(
        self, digest: bytes, now: int, *, keeps_grants: bool, reason: str
    ) -> EndedSession | None:
        """Delete a session; return None if it is gone.

        If no other live session has its grant, which is not held, and grants are not kept, the
        grant goes too, and its tokens are queued for revocation, due *now*.
        """
        for _ in range(MOST_TRIES):
            draft = Draft(now)
            ended = await self._end(draft, digest, keeps_grants=keeps_grants, reason=reason)
            if ended is None or await self.write(draft, durably=True):
                return ended
        raise StoreConflict(MOVING)

    def _opened(self, rows: Sequence[Row]) -> list[Entry[Grant]]:
        found = []
        for row in rows:
            try:
                found.append(self.grants.open(row))
            except VaultError as error:
                log_unreadable(row, error)
        return found

    async def _end(
        self,
        draft: Draft,
        digest: bytes,
        *,
        keeps_grants: bool,
        entering: bytes = b"",
        reason: str,
    ) -> EndedSession | None:
        """Put into *draft* what the end of a session changes; return None if it is gone.

        The session that keeps a grant alive is asserted at its revision: of two that end at once,
        the later looks again. A grant is read before its sessions are listed: a sign-in meanwhile
        moves it.
        """
        row = await self.sessions.row(digest)
        if not row.rev:
            return None
        draft.changes.append(row.removal)
        try:
            session = self.sessions.open(row).record
        except VaultError as error:
            log_unreadable(row, error)
            draft.tell("session.ended", None, reason)
            return EndedSession(row.group, None)
        key = session.grant_key
        draft.tell("session.ended", session.profile, reason)
        if keeps_grants or key == entering:
            return EndedSession(key, None)
        grant = await self.grants.row(key)
        for other in await self.rows.of_group(Kind.SESSION, key, BATCH):
            if other.name != digest and not self._is_over(other, draft.at):
                draft.changes.append(Change(other, other.rev))
                return EndedSession(key, None)
        if self._is_held(grant):
            return EndedSession(key, None, is_held=True)
        return EndedSession(key, self._revoke(draft, grant, reason))

    def _listed(self, row: Row) -> Session:
        try:
            return self.sessions.open(row).record
        except VaultError as error:
            log_unreadable(row, error)
            seen_at = row.at or 0
            return Session(row.name, row.group, Profile(), seen_at, seen_at, row.over_at or 0)

    def _is_over(self, row: Row, now: int) -> bool:
        try:
            return self.sessions.open(row).record.over_at(self.idle_seconds) <= now
        except VaultError:
            return False

    def _is_held(self, row: Row) -> bool:
        try:
            return row.rev > 0 and self.grants.open(row).record.is_held
        except VaultError:
            return False

    def _revoke(self, draft: Draft, row: Row, reason: str) -> Revocation | None:
        """Put into *draft* what the end of a grant changes: it goes, its tokens are queued."""
        if not row.rev:
            return None
        draft.changes.append(row.removal)
        try:
            grant = self.grants.open(row).record
        except VaultError as error:
            _log_unrevoked(row, error)
            draft.tell("grant.revoked", None, reason)
            return None
        draft.tell("grant.revoked", grant.profile, reason)
        revocation = revocation_of(grant, draft.at)
        draft.changes.append(self.revocations.put(revocation.name, revocation))
        return revocation


def _log_unrevoked(row: Row, error: VaultError) -> None:
    log.warning(
        "the tokens of grant %(grant)s are not revoked and end by themselves: %(error)s",
        {"grant": name_of_grant(row.name), "error": str(error)},
    )
