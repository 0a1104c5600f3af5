"""Sign in with Webex: from the button to a grant (RFC 6749 section 4.1 with PKCE).

An attempt travels sealed in a cookie of the browser that began it. Its state is taken once, and it
knows where its person was going, so that every end of it, good or bad, leads back there.
"""

import asyncio
import logging
import re
from collections.abc import Collection
from posixpath import normpath
from typing import TypeAlias, final
from urllib.parse import unquote

from msgspec import Struct
from msgspec.structs import replace

from webex_oauth.errors import AttemptInProgress, AttemptUnknown, StoreUnavailable, WebexOAuthError
from webex_oauth.flows.code_redemption import Admitted, Browser, CodeRedemption, TakenAttempt
from webex_oauth.flows.context import FlowContext
from webex_oauth.flows.device_sign_in import DeviceSignIn
from webex_oauth.oauth.authorization import (
    MAX_MORE_SCOPES_CHARACTERS,
    Callback,
    authorization_url,
    check_callback,
    check_scopes,
    code_challenge,
    code_verifier,
)
from webex_oauth.secret import Secret
from webex_oauth.vault.records import (
    CLOCK_SKEW_SECONDS,
    Attempt,
    Mark,
    Session,
    digest,
    digest_of_terms,
    open_attempt,
    seal_attempt,
)
from webex_oauth.vault.rows import Entry
from webex_oauth.vault.tables import Draft

log = logging.getLogger(__name__)

ATTEMPT_SECONDS = 600
VERIFIER_BYTES = 32
TWIN_WAIT_SECONDS = 15.0
LOOK_AGAIN_SECONDS = 0.1
RENEWAL_TRIES = 5
MAX_RETURN_TO_CHARACTERS = 2000
MAX_LOGIN_HINT_CHARACTERS = 254
"""An e-mail address is not longer (RFC 5321)."""

# RFC 3986 pchar, "/" and a query; no backslash, no control, no space, nothing beyond ASCII.
_PATH = re.compile(r"/[A-Za-z0-9\-._~!$&'()*+,;=:@%/]*(\?[A-Za-z0-9\-._~!$&'()*+,;=:@%/?]*)?")


@final
class ReturnTo(Struct, frozen=True):
    """A path of this application; make one with `read_return_to`."""

    path: str

    def leads_to(self, paths: Collection[str]) -> bool:
        """Check whether a browser, or a proxy that decodes, may take this for one of *paths*."""
        path = self.path.partition("?")[0]
        readings = (path, unquote(path), unquote(unquote(path)))
        return any(normpath(reading) in paths for reading in readings)


HOME = ReturnTo("/")


def read_return_to(text: str | None, home: ReturnTo = HOME) -> ReturnTo:
    """Return *text* if every browser reads it as a path on this origin, else *home*.

    Browsers read a backslash as a slash and drop tabs and newlines; a proxy may decode percent
    escapes before that. So the path is judged decoded.
    """
    if text is None or len(text) > MAX_RETURN_TO_CHARACTERS or not _PATH.fullmatch(text):
        return home
    path = unquote(unquote(text.partition("?")[0])).replace("\\", "/")
    if "//" in path or any(character <= " " or character == "\x7f" for character in path):
        return home
    return ReturnTo(text)


class StartedSignIn(Struct, frozen=True):
    """Where to send the browser, which keeps `attempt` as the cookie `attempt_id`."""

    authorization_url: str
    attempt_id: str
    attempt: Secret


class SignedIn(Struct, frozen=True):
    """A grant, and a session for the browser if it was wanted, which is sent on with it."""

    session_id: Secret | None
    return_to: ReturnTo
    grant_key: bytes
    missing: tuple[str, ...] = ()


class SentOn(Struct, frozen=True):
    """A browser that completed this sign-in before, lacks no session, and is sent on."""

    return_to: ReturnTo


class NotSignedIn(Struct, frozen=True):
    """An error to show, with the offer of a new sign-in that leads to `return_to`."""

    error: WebexOAuthError
    return_to: ReturnTo


Outcome: TypeAlias = SignedIn | SentOn | NotSignedIn


def attempt_id(state: Secret) -> str:
    """Return an attempt's public name: 16 hexadecimal digits of its state's digest."""
    return _name_of_attempt(digest(state))


def _name_of_attempt(state_digest: bytes) -> str:
    return state_digest.hex()[:16]


def _hint(login_hint: str | None) -> str | None:
    """Return *login_hint* if it can be an address: others may have written it."""
    if not login_hint or len(login_hint) > MAX_LOGIN_HINT_CHARACTERS:
        return None
    return login_hint if login_hint.isprintable() else None


class SignIn:
    """Begin sign-ins that ask for *scopes*, or more, and complete them."""

    def __init__(
        self, context: FlowContext, scopes: tuple[str, ...], redemption: CodeRedemption
    ) -> None:
        self._context = context
        self._scopes = scopes
        self._redemption = redemption
        self.device = DeviceSignIn(context, scopes, redemption)

    def begin(
        self, return_to: ReturnTo, *, scopes: Collection[str] = (), login_hint: str | None = None
    ) -> StartedSignIn:
        """Make an attempt that asks for *scopes* too; nothing of it is stored here.

        *login_hint* is the address that Webex offers the person; one that cannot be is left out.
        Raises ValueError for scopes that cannot be, or are too many for a cookie.
        """
        context, more = self._context, self._more(scopes)
        server, client, asked = context.platform.server, context.client, (*self._scopes, *more)
        state = context.random_secret()
        state_digest = digest(state)
        attempt = Attempt(
            verifier=code_verifier(context.randomness(VERIFIER_BYTES)),
            return_to=return_to.path,
            terms=digest_of_terms(server.issuer, client.redirect_uri, asked),
            expires_at=context.clock() + ATTEMPT_SECONDS,
            scopes=more,
        )
        name = _name_of_attempt(state_digest)
        log.debug(
            "sign-in begun (attempt %(attempt)s), asking for %(scopes)s",
            {"attempt": name, "scopes": asked},
        )
        url = authorization_url(
            server,
            client,
            scopes=asked,
            state=state,
            challenge=code_challenge(attempt.verifier),
            login_hint=_hint(login_hint),
        )
        return StartedSignIn(url, name, seal_attempt(context.sealer, attempt, state_digest))

    async def complete(
        self,
        callback: Callback,
        *,
        attempt: Secret | None,
        session_id: Secret | None,
        browser: str | None = None,
        home: ReturnTo = HOME,
        wants_session: bool = True,
        allowed_orgs: Collection[str] = (),
    ) -> Outcome:
        """Complete the attempt that *callback* answers, in the browser that began it.

        *attempt* and *session_id* are the cookies that this browser presents, *browser* describes
        it to its person. Unless it *wants_session* nothing of a session is looked at or written,
        and the grant is held. Of people outside *allowed_orgs*, if there are any, nothing is kept.
        *home* is for an attempt that does not open. What can go wrong is in the outcome.
        """
        state_digest, return_to, taken = digest(callback.state), home, None
        log.debug(
            "callback received (attempt %(attempt)s): %(kind)s",
            {"attempt": _name_of_attempt(state_digest), "kind": type(callback).__name__},
        )
        try:
            opened = open_attempt(self._context.sealer, attempt, state_digest)
            return_to = read_return_to(opened.return_to, home)
            self._check_end(opened)
            # A refusal takes no state: nothing is written, and the person may still accept.
            code = check_callback(callback, self._context.platform.server)
            mark = await self._take(state_digest, opened.expires_at)
            taken = TakenAttempt(state_digest, opened, mark, allowed_orgs)
            presented = Browser(digest(session_id) if session_id else None, browser)
            wanted = presented if wants_session else None
            if mark.record.is_finished:
                return await self._send_on(taken, wanted, return_to)
            admitted = await self._redemption.redeem(taken, code, wanted)
        except WebexOAuthError as error:
            await self._note_failure(error, taken)
            return NotSignedIn(error, return_to)
        return SignedIn(admitted.session_id, return_to, admitted.grant_key, admitted.missing)

    def _more(self, scopes: Collection[str]) -> tuple[str, ...]:
        """Return the scopes that are not asked for anyway; raise ValueError."""
        more = tuple(sorted(set(scopes) - set(self._scopes)))
        check_scopes(more)
        if len(" ".join(more)) > MAX_MORE_SCOPES_CHARACTERS:
            raise ValueError(
                f"more than {MAX_MORE_SCOPES_CHARACTERS} characters of scopes beyond those of the "
                "settings: ask for them there"
            )
        return more

    def _check_end(self, attempt: Attempt) -> None:
        if attempt.expires_at > self._context.clock() + ATTEMPT_SECONDS + CLOCK_SKEW_SECONDS:
            raise AttemptUnknown("the attempt was begun by a wrong clock")

    async def _take(self, state_digest: bytes, expires_at: int) -> Entry[Mark]:
        """Take the state; while another request completes the sign-in, wait for its end."""
        give_up_at = asyncio.get_running_loop().time() + TWIN_WAIT_SECONDS
        while True:
            try:
                return await self._context.ledger.take_state(
                    state_digest, expires_at, self._context.clock()
                )
            except AttemptInProgress:
                if asyncio.get_running_loop().time() >= give_up_at:
                    raise
            await asyncio.sleep(LOOK_AGAIN_SECONDS)

    async def _note_failure(self, error: WebexOAuthError, taken: TakenAttempt | None) -> None:
        """Finish the state if this sign-in has taken it, and tell why it failed."""
        ledger, is_written = self._context.ledger, False
        failure = Draft(self._context.clock())
        failure.tell("sign_in.failed", reason=type(error).__name__)
        if taken is not None and not taken.mark.record.is_finished:
            try:
                is_written = await ledger.abandon_state(taken.state_digest, taken.mark, failure)
            except StoreUnavailable as outage:
                log.warning(
                    "an attempt could not be closed and will expire: %(error)s",
                    {"error": str(outage)},
                )
        if not is_written:
            ledger.tell(failure)

    async def _send_on(
        self,
        finished: TakenAttempt,
        browser: Browser | None,
        return_to: ReturnTo,
    ) -> Outcome:
        """Treat a second delivery in the same browser: back, reload, a double click.

        The browser may have left before the answer with its session came; then the session gets
        a new id. If the sign-in failed, whoever is signed in here did not come by it.
        """
        brought = finished.mark.record.session_digest
        if brought is None:
            raise AttemptUnknown("the attempt was used before, and failed")
        if not brought or browser is None or await self._live(browser.session_digest):
            return SentOn(return_to)
        renewed = await self._renew(finished)
        return SignedIn(renewed.session_id, return_to, renewed.grant_key)

    async def _renew(self, finished: TakenAttempt) -> Admitted:
        """Rename the session that the attempt brought; raise AttemptUnknown if it is gone.

        Of several deliveries at once each may get its turn: the last one has the living id.
        """
        mark = finished.mark
        for _ in range(RENEWAL_TRIES):
            session = await self._live(mark.record.session_digest)
            if session is not None:
                session_id = await self._rename(session, replace(finished, mark=mark))
                if session_id is not None:
                    return Admitted(session.record.grant_key, session_id)
            tried, mark = mark, await self._take(finished.state_digest, finished.attempt.expires_at)
            if mark.rev == tried.rev:
                raise AttemptUnknown("the attempt was used before")
        raise AttemptInProgress("other deliveries of the callback were faster")

    async def _live(self, session_digest: bytes | None) -> Entry[Session] | None:
        context = self._context
        if session_digest is None:
            return None
        session = await context.ledger.find_session(session_digest)
        if session and session.record.is_live(context.clock(), context.idle_seconds):
            return session
        return None

    async def _rename(self, session: Entry[Session], finished: TakenAttempt) -> Secret | None:
        context, session_id = self._context, self._context.random_secret()
        new = replace(session.record, digest=digest(session_id), seen_at=context.clock())
        is_done = await context.ledger.rename_session(
            session, new, finished.state_digest, finished.mark
        )
        return session_id if is_done else None
