"""Sessions: find the one that a browser presents, list those of its person, and end them."""

import hashlib
import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass
from enum import Enum

from webex_oauth.errors import StoreUnavailable, VaultError
from webex_oauth.flows.context import FlowContext
from webex_oauth.flows.revocation import Revocations
from webex_oauth.secret import Secret
from webex_oauth.vault.records import (
    EndedSession,
    RevocationRecord,
    SessionRecord,
    check_grant_key,
    digest,
)
from webex_oauth.vault.sessions import Profile, is_live, is_touch_due, open_session

log = logging.getLogger(__name__)

MAX_LISTED = 100
MAX_ROUNDS = 100
HANDLE_PURPOSE = b"webex-oauth session handle"


class TokenFate(Enum):
    """Say what became of a person's tokens when they left."""

    REVOKED = "Webex confirmed that it accepts them no longer"
    QUEUED = "they are forgotten here, and Webex is asked until it confirms"
    SHARED = "they stay, for the person is signed in elsewhere"
    LEFT = "they are forgotten here, and end by themselves: where to revoke them is not known"
    KEPT = "they stay, for this integration keeps grants without a session"
    GONE = "there were none any more: they had been given up before"


@dataclass(frozen=True, slots=True)
class LiveSession:
    """A signed-in browser, and whose grant it uses."""

    session_id: Secret
    grant_key: bytes
    profile: Profile


@dataclass(frozen=True, slots=True)
class ListedSession:
    """One of a person's sessions.

    `handle` names it among them, and says nothing to anybody else; `browser` is None where it is
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
        record = await context.store.find_session(digest(session_id))
        if record is None or not is_live(record, now, context.idle_seconds):
            return None
        session = open_session(context.sealer, record)
        if is_touch_due(record, now, context.idle_seconds):
            await self._touch(record.digest, now)
        return LiveSession(session_id, session.grant_key, session.profile)

    async def is_gone(self, session_id: Secret) -> bool:
        """Check that no session has this id, not even one that is over by the clock.

        Raises StoreUnavailable.
        """
        return await self._context.store.find_session(digest(session_id)) is None

    async def of_person(self, session: LiveSession) -> tuple[ListedSession, ...]:
        """List the live sessions of the person, this one first, then the latest seen.

        At most MAX_LISTED; raises StoreUnavailable.
        """
        context, now, this = self._context, self._context.clock(), digest(session.session_id)
        records = await context.store.sessions_of(session.grant_key, limit=MAX_LISTED)
        listed = [
            self._listed(record, is_this=record.digest == this)
            for record in records
            if is_live(record, now, context.idle_seconds)
        ]
        return tuple(sorted(listed, key=lambda one: not one.is_this))

    async def sign_out(self, session_id: Secret) -> TokenFate:
        """End a session here first; then revoke its tokens if nobody else uses them.

        Raises StoreUnavailable.
        """
        context = self._context
        ended = await self._end(digest(session_id), context.clock())
        if ended is None:
            return TokenFate.GONE
        log.info("signed out: grant %(grant)s", {"grant": ended.grant_key.hex()[:12]})
        if ended.revocation is not None:
            return await self._revoke(ended.revocation)
        if await context.store.find_grant(ended.grant_key) is None:
            return TokenFate.GONE
        return TokenFate.KEPT if context.keeps_grants else TokenFate.SHARED

    async def end(self, session: LiveSession, handle: str) -> bool:
        """End another session of the same person; False when there is none with this handle.

        Raises StoreUnavailable.
        """
        async for record in self._others(session):
            if handle_of(record.digest) == handle:
                await self._end_other(record)
                return True
        return False

    async def end_others(self, session: LiveSession) -> int:
        """End all other sessions of the same person; say how many.

        Raises StoreUnavailable.
        """
        ended_count = 0
        async for record in self._others(session):
            await self._end_other(record)
            ended_count += 1
        return ended_count

    async def disconnect(self, grant_key: bytes) -> TokenFate:
        """End all sessions of a person and their grant; then revoke its tokens.

        Raises StoreUnavailable, or TypeError for what is no key.
        """
        check_grant_key(grant_key)
        context = self._context
        revocation = await context.store.end_grant(grant_key, now=context.clock())
        log.info("disconnected: grant %(grant)s", {"grant": grant_key.hex()[:12]})
        return await self._revoke(revocation) if revocation else TokenFate.GONE

    async def end_over(self, now: int, limit: int) -> int:
        """End sessions that were idle or past their end at *now*; return how many.

        The last one of a person takes the grant with it, whose tokens are queued to be revoked,
        unless grants are kept. Raises StoreUnavailable.
        """
        context, ended_count = self._context, 0
        for record in await context.store.over_sessions(
            now=now, idle_seconds=context.idle_seconds, limit=limit
        ):
            try:
                ended_count += await self._end_over(record, now)
            except VaultError as error:
                log.warning(
                    "a session that is over could not be ended and is tried again: %(error)s",
                    {"error": str(error)},
                )
        return ended_count

    async def _end_over(self, record: SessionRecord, now: int) -> bool:
        ended = await self._end(record.digest, now)
        if ended is not None and ended.revocation is not None:
            grant = ended.grant_key.hex()[:12]
            log.info("grant %(grant)s ended with its last session", {"grant": grant})
            self._revocations.soon(ended.revocation)
        return ended is not None

    async def _touch(self, session_digest: bytes, now: int) -> None:
        """Write down that a session was used, where that can be written just now."""
        try:
            await self._context.store.touch_session(session_digest, now)
        except StoreUnavailable as error:
            # A failed touch must not fail the request; at worst the session ends slightly early.
            log.warning(
                "a session may end slightly early: its use could not be stored: %(error)s",
                {"error": str(error)},
            )

    async def _others(self, session: LiveSession) -> AsyncIterator[SessionRecord]:
        """Give the person's other sessions, each once, while whoever asks may end them."""
        this, given = digest(session.session_id), set[bytes]()
        for _ in range(MAX_ROUNDS):
            records = await self._context.store.sessions_of(session.grant_key, limit=MAX_LISTED)
            others = [one for one in records if one.digest != this and one.digest not in given]
            for record in others:
                given.add(record.digest)
                yield record
            if not others:
                return

    async def _end(self, session_digest: bytes, now: int) -> EndedSession | None:
        context = self._context
        return await context.store.end_session(
            session_digest,
            now=now,
            idle_seconds=context.idle_seconds,
            keeps_grants=context.keeps_grants,
        )

    async def _end_other(self, record: SessionRecord) -> None:
        ended = await self._end(record.digest, self._context.clock())
        log.info(
            "a session of grant %(grant)s was ended by its person",
            {"grant": record.grant_key.hex()[:12]},
        )
        if ended is not None and ended.revocation is not None:
            self._revocations.soon(ended.revocation)

    async def _revoke(self, revocation: RevocationRecord) -> TokenFate:
        is_confirmed = await self._revocations.at_once(revocation)
        if self._context.platform.server.revocation_endpoint is None:
            return TokenFate.LEFT
        return TokenFate.REVOKED if is_confirmed else TokenFate.QUEUED

    def _listed(self, record: SessionRecord, *, is_this: bool) -> ListedSession:
        return ListedSession(
            handle=handle_of(record.digest),
            browser=self._browser(record),
            created_at=record.created_at,
            seen_at=record.seen_at,
            is_this=is_this,
        )

    def _browser(self, record: SessionRecord) -> str | None:
        try:
            return open_session(self._context.sealer, record).browser
        except VaultError:
            # What cannot be opened can still be ended.
            return None


def handle_of(session_digest: bytes) -> str:
    """Name a session for its person's pages, without the name that the store knows it by."""
    return hashlib.sha256(HANDLE_PURPOSE + session_digest).hexdigest()[:32]
