"""Sessions: find the one that a browser presents, list those of its person, and end them."""

import hashlib
import logging
from collections.abc import AsyncIterator
from enum import Enum

from msgspec import Struct

from webex_oauth.errors import StoreUnavailable, VaultError
from webex_oauth.flows.context import FlowContext
from webex_oauth.flows.revocation import Revocations
from webex_oauth.secret import Secret
from webex_oauth.vault.records import (
    EndedSession,
    Profile,
    Revocation,
    Session,
    check_grant_key,
    digest,
    name_of_grant,
)
from webex_oauth.vault.rows import Entry

log = logging.getLogger(__name__)

MAX_LISTED = 100
MAX_ROUNDS = 100
HANDLE_PURPOSE = b"webex-oauth session handle"


class TokenFate(Enum):
    """What became of a person's tokens when they left."""

    REVOKED = "Webex confirmed that it accepts them no longer"
    QUEUED = "they are forgotten here, and Webex is asked until it confirms"
    SHARED = "they stay, for the person is signed in elsewhere"
    LEFT = "they are forgotten here, and end by themselves: where to revoke them is not known"
    KEPT = "they stay, for this integration keeps grants without a session"
    GONE = "there were none any more: they had been given up before"


class LiveSession(Struct, frozen=True):
    """A signed-in browser, and whose grant it uses."""

    session_id: Secret
    grant_key: bytes
    profile: Profile


class ListedSession(Struct, frozen=True):
    """One of a person's sessions.

    `handle` names it among them, and means nothing outside this list; `browser` is None if it is
    not known.
    """

    handle: str
    browser: str | None
    created_at: int
    seen_at: int
    is_this: bool


class Sessions:
    """Find, list and end sessions."""

    def __init__(self, context: FlowContext, revocations: Revocations) -> None:
        self._context = context
        self._revocations = revocations

    async def find(self, session_id: Secret) -> LiveSession | None:
        """Find the live session with this id; raises StoreUnavailable or VaultError."""
        context, now = self._context, self._context.clock()
        found = await context.ledger.find_session(digest(session_id))
        if found is None or not found.record.is_live(now, context.idle_seconds):
            return None
        session = found.record
        if session.is_touch_due(now, context.idle_seconds):
            await self._touch(found, now)
        return LiveSession(session_id, session.grant_key, session.profile)

    async def is_gone(self, session_id: Secret) -> bool:
        """Check that no session has this id, not even one that is over by the clock.

        Raises StoreUnavailable.
        """
        try:
            return await self._context.ledger.find_session(digest(session_id)) is None
        except VaultError:
            return False

    async def of_person(self, session: LiveSession) -> tuple[ListedSession, ...]:
        """List the live sessions of the person, this one first, then the latest seen.

        At most MAX_LISTED; raises StoreUnavailable.
        """
        context, now, this = self._context, self._context.clock(), digest(session.session_id)
        sessions = await context.ledger.sessions_of(session.grant_key, MAX_LISTED)
        listed = [
            ListedSession(
                handle_of(one.digest), one.browser, one.created_at, one.seen_at, one.digest == this
            )
            for one in sessions
            if one.is_live(now, context.idle_seconds)
        ]
        return tuple(sorted(listed, key=lambda one: not one.is_this))

    async def sign_out(self, session_id: Secret) -> TokenFate:
        """End a session here first; then revoke its tokens if no other session uses them.

        Raises StoreUnavailable.
        """
        context = self._context
        ended = await self._end(digest(session_id), context.clock(), "signed_out")
        if ended is None:
            return TokenFate.GONE
        log.info("signed out: grant %(grant)s", {"grant": name_of_grant(ended.grant_key)})
        if ended.revocation is not None:
            return await self._revoke(ended.revocation)
        if not await context.ledger.has_grant(ended.grant_key):
            return TokenFate.GONE
        is_kept = context.keeps_grants or ended.is_held
        return TokenFate.KEPT if is_kept else TokenFate.SHARED

    async def end(self, session: LiveSession, handle: str) -> bool:
        """End another session of the same person; False when there is none with this handle.

        Raises StoreUnavailable.
        """
        async for other in self._others(session):
            if handle_of(other.digest) == handle:
                await self._end_other(other)
                return True
        return False

    async def end_others(self, session: LiveSession) -> int:
        """End all other sessions of the same person; return how many.

        Raises StoreUnavailable.
        """
        ended_count = 0
        async for other in self._others(session):
            await self._end_other(other)
            ended_count += 1
        return ended_count

    async def disconnect(self, grant_key: bytes) -> TokenFate:
        """End all sessions of a person and their grant; then revoke its tokens.

        Raises StoreUnavailable, or TypeError for what is no key.
        """
        check_grant_key(grant_key)
        context = self._context
        revocation = await context.ledger.end_grant(grant_key, context.clock())
        log.info("disconnected: grant %(grant)s", {"grant": name_of_grant(grant_key)})
        return await self._revoke(revocation) if revocation else TokenFate.GONE

    async def end_over(self, now: int, limit: int) -> int:
        """End sessions that were idle or past their end at *now*; return how many.

        The last one of a person takes the grant with it, whose tokens are queued to be revoked,
        unless it is held or grants are kept. Raises StoreUnavailable.
        """
        ended_count = 0
        for session_digest in await self._context.ledger.over_sessions(now, limit):
            ended = await self._end(session_digest, now, "expired")
            if ended is not None:
                ended_count += 1
                self._revoke_soon(ended)
        return ended_count

    async def _touch(self, found: Entry[Session], now: int) -> None:
        """Write down that a session was used, if that can be written now."""
        try:
            await self._context.ledger.touch_session(found, now)
        except StoreUnavailable as error:
            # A failed touch must not fail the request; at worst the session ends slightly early.
            log.warning(
                "a session may end slightly early: its use could not be stored: %(error)s",
                {"error": str(error)},
            )

    async def _others(self, session: LiveSession) -> AsyncIterator[Session]:
        """Yield the person's other sessions, each once, while the caller may end them."""
        this, given = digest(session.session_id), set[bytes]()
        for _ in range(MAX_ROUNDS):
            sessions = await self._context.ledger.sessions_of(session.grant_key, MAX_LISTED)
            others = [one for one in sessions if one.digest != this and one.digest not in given]
            for other in others:
                given.add(other.digest)
                yield other
            if not others:
                return

    async def _end(self, session_digest: bytes, now: int, reason: str) -> EndedSession | None:
        keeps_grants = self._context.keeps_grants
        return await self._context.ledger.end_session(
            session_digest, now, keeps_grants=keeps_grants, reason=reason
        )

    async def _end_other(self, session: Session) -> None:
        ended = await self._end(session.digest, self._context.clock(), "ended_elsewhere")
        log.info(
            "a session of grant %(grant)s was ended by its person",
            {"grant": name_of_grant(session.grant_key)},
        )
        if ended is not None:
            self._revoke_soon(ended)

    def _revoke_soon(self, ended: EndedSession) -> None:
        if ended.revocation is not None:
            grant = name_of_grant(ended.grant_key)
            log.info("grant %(grant)s ended with its last session", {"grant": grant})
            self._revocations.soon(ended.revocation)

    async def _revoke(self, revocation: Revocation) -> TokenFate:
        is_confirmed = await self._revocations.at_once(revocation)
        if self._context.platform.server.revocation_endpoint is None:
            return TokenFate.LEFT
        return TokenFate.REVOKED if is_confirmed else TokenFate.QUEUED


def handle_of(session_digest: bytes) -> str:
    """Name a session for its person's pages without giving away the name of its row."""
    return hashlib.sha256(HANDLE_PURPOSE + session_digest).hexdigest()[:32]
