"""Sign in with Webex: from the button to a new session (RFC 6749 section 4.1 with PKCE).

An attempt is bound to the browser that began it, is taken once, and knows where its person was
going, so that every end of it, good or bad, leads back there.
"""

import asyncio
import logging
from dataclasses import dataclass, replace
from typing import TypeAlias

from webex_oauth.errors import (
    AttemptInProgress,
    AttemptUnknown,
    StoreUnavailable,
    WebexOAuthError,
)
from webex_oauth.flows.code_redemption import Browser, CodeRedemption
from webex_oauth.flows.context import FlowContext
from webex_oauth.flows.return_to import HOME, ReturnTo, read_return_to
from webex_oauth.flows.revocation import Revocations
from webex_oauth.oauth.authorization import (
    Callback,
    authorization_url,
    check_callback,
    code_challenge,
    code_verifier,
)
from webex_oauth.secret import Secret
from webex_oauth.vault.attempts import (
    TOMBSTONE_SECONDS,
    Attempt,
    check_time,
    open_attempt,
    seal_attempt,
)
from webex_oauth.vault.records import AttemptRecord, FinishedAttempt, SessionRecord, digest
from webex_oauth.vault.sessions import is_live, open_session, seal_session

log = logging.getLogger(__name__)

ATTEMPT_SECONDS = 600
MAX_ATTEMPTS = 50_000
VERIFIER_BYTES = 32
TWIN_WAIT_SECONDS = 15.0
LOOK_AGAIN_SECONDS = 0.1
RENEWAL_TRIES = 5


@dataclass(frozen=True, slots=True)
class StartedSignIn:
    """Send the browser to `authorization_url`; it keeps `browser_secret` under `attempt_id`."""

    authorization_url: str
    attempt_id: str
    browser_secret: Secret


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Give the browser its new session and send it on."""

    session_id: Secret
    return_to: ReturnTo


@dataclass(frozen=True, slots=True)
class SentOn:
    """Send a browser on that completed this sign-in before and is still signed in."""

    return_to: ReturnTo


@dataclass(frozen=True, slots=True)
class NotSignedIn:
    """Tell the person why, and offer a new sign-in that leads to `return_to`."""

    error: WebexOAuthError
    return_to: ReturnTo


Outcome: TypeAlias = SignedIn | SentOn | NotSignedIn


def attempt_id(state: Secret) -> str:
    """Name an attempt in public: the first 16 hexadecimal digits of its state's digest."""
    return digest(state).hex()[:16]


class SignIn:
    """Begin sign-ins that ask for *scopes*, and complete them."""

    def __init__(
        self, context: FlowContext, scopes: tuple[str, ...], revocations: Revocations
    ) -> None:
        self._context = context
        self._scopes = scopes
        self._redemption = CodeRedemption(context, revocations)

    async def begin(self, return_to: ReturnTo) -> StartedSignIn:
        """Make an attempt; raises StoreUnavailable."""
        context, now = self._context, self._context.clock()
        server, client = context.platform.server, context.client
        state, browser_secret = context.random_secret(), context.random_secret()
        attempt = Attempt(
            verifier=code_verifier(context.randomness(VERIFIER_BYTES)),
            return_to=return_to.path,
            issuer=server.issuer,
            redirect_uri=client.redirect_uri,
            scopes=self._scopes,
        )
        record = seal_attempt(
            context.sealer, attempt, digest(state), digest(browser_secret), now + ATTEMPT_SECONDS
        )
        await context.store.add_attempt(record, at_most=MAX_ATTEMPTS, now=now)
        log.debug(
            "sign-in begun (attempt %(attempt)s), asking for %(scopes)s",
            {"attempt": attempt_id(state), "scopes": self._scopes},
        )
        challenge = code_challenge(attempt.verifier)
        url = authorization_url(
            server, client, scopes=self._scopes, state=state, challenge=challenge
        )
        return StartedSignIn(url, attempt_id(state), browser_secret)

    async def complete(
        self,
        callback: Callback,
        *,
        browser_secret: Secret | None,
        session_id: Secret | None,
        browser: str | None = None,
    ) -> Outcome:
        """Complete the attempt that *callback* answers, in the browser that began it.

        *browser_secret* and *session_id* are what this browser presents, *browser* is how its
        person knows it. Everything that can go wrong is in the outcome.
        """
        name = attempt_id(callback.state)
        log.debug(
            "callback received (attempt %(attempt)s): %(kind)s",
            {"attempt": name, "kind": type(callback).__name__},
        )
        try:
            taken = await self._take(digest(callback.state), browser_secret)
        except WebexOAuthError as error:
            return NotSignedIn(error, HOME)
        if isinstance(taken, FinishedAttempt):
            return await self._send_on(taken, session_id)
        presented = Browser(digest(session_id) if session_id else None, browser)
        return await self._finish(taken, callback, presented)

    async def _take(
        self, state_digest: bytes, browser_secret: Secret | None
    ) -> AttemptRecord | FinishedAttempt:
        """Take the attempt; while another request completes it, wait for the end of that."""
        browser_digest = digest(browser_secret) if browser_secret else b""
        give_up_at = asyncio.get_running_loop().time() + TWIN_WAIT_SECONDS
        while True:
            try:
                return await self._context.store.take_attempt(
                    state_digest, browser_digest, self._context.clock()
                )
            except AttemptInProgress:
                if asyncio.get_running_loop().time() >= give_up_at:
                    raise
            await asyncio.sleep(LOOK_AGAIN_SECONDS)

    async def _send_on(self, finished: FinishedAttempt, session_id: Secret | None) -> Outcome:
        """Treat a second delivery in the same browser: back, reload, a double click.

        The browser may have left before the answer with its session came; then the session gets
        a new id.
        """
        try:
            return_to = read_return_to(
                open_attempt(self._context.sealer, finished.attempt).return_to
            )
            check_time(finished.attempt, self._context.clock() - TOMBSTONE_SECONDS)
            if session_id is not None and await self._live(digest(session_id)):
                return SentOn(return_to)
            renewed = await self._renew(finished)
        except WebexOAuthError as error:
            return NotSignedIn(error, HOME)
        if renewed is None:
            return NotSignedIn(AttemptUnknown("the attempt was used before"), return_to)
        return SignedIn(renewed, return_to)

    async def _live(self, session_digest: bytes) -> SessionRecord | None:
        record = await self._context.store.find_session(session_digest)
        if record and is_live(record, self._context.clock(), self._context.idle_seconds):
            return record
        return None

    async def _renew(self, finished: FinishedAttempt) -> Secret | None:
        """Give the session that the attempt brought a new id; None when it is over.

        Of several deliveries at once each may get its turn: the last one has the living id.
        """
        attempt = finished.attempt
        for _ in range(RENEWAL_TRIES):
            session_id = await self._rename(finished)
            if session_id is not None:
                return session_id
            tried = finished.session_digest
            again = await self._context.store.take_attempt(
                attempt.state_digest, attempt.browser_digest, self._context.clock()
            )
            if isinstance(again, AttemptRecord) or again.session_digest == tried:
                return None
            finished = again
        raise AttemptInProgress("other deliveries of the callback were faster")

    async def _rename(self, finished: FinishedAttempt) -> Secret | None:
        old_digest = finished.session_digest
        record = await self._live(old_digest) if old_digest else None
        if record is None:
            return None
        context, session_id = self._context, self._context.random_secret()
        session = open_session(context.sealer, record)
        new = replace(session, digest=digest(session_id), seen_at=context.clock())
        is_replaced = await context.store.replace_session(
            record.digest,
            seal_session(context.sealer, new),
            attempt_state_digest=finished.attempt.state_digest,
        )
        return session_id if is_replaced else None

    async def _finish(self, record: AttemptRecord, callback: Callback, browser: Browser) -> Outcome:
        return_to = HOME
        try:
            attempt = open_attempt(self._context.sealer, record)
            return_to = read_return_to(attempt.return_to)
            check_time(record, self._context.clock())
            code = check_callback(callback, self._context.platform.server)
            new_id = await self._redemption.redeem(record, attempt, code, browser)
        except WebexOAuthError as error:
            await self._abandon(record)
            return NotSignedIn(error, return_to)
        return SignedIn(new_id, return_to)

    async def _abandon(self, record: AttemptRecord) -> None:
        try:
            await self._context.store.abandon_attempt(record.state_digest)
        except StoreUnavailable as error:
            log.warning(
                "an attempt could not be closed and will expire: %(error)s", {"error": str(error)}
            )
