"""The sign-in as plain values in and out, for any framework; and the sessions that it begins."""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from webex_oauth.errors import (
    AttemptUnknown,
    SignInError,
    SignInFailed,
    TemporaryError,
    WebexOAuthError,
)
from webex_oauth.flows.cookies import CookieJar
from webex_oauth.flows.sign_in import (
    HOME,
    NotSignedIn,
    ReturnTo,
    SentOn,
    SignedIn,
    attempt_id,
    read_return_to,
)
from webex_oauth.integration import OpenIntegration
from webex_oauth.library.grants import AsyncGrant, grant_of
from webex_oauth.library.loopback import Loopback, announce, open_in_browser
from webex_oauth.oauth.authorization import read_callback
from webex_oauth.oauth.device import DeviceCode
from webex_oauth.oauth.server import Client

GrantT = TypeVar("GrantT")


@dataclass(frozen=True, slots=True)
class SignInStart:
    """Where to send the browser: 303 to `url`, with every one of `set_cookies` as Set-Cookie."""

    url: str
    set_cookies: tuple[str, ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class SignInEnd(Generic[GrantT]):
    """Where to send the browser on: 303 to `return_to`, with `set_cookies`.

    `grant` is what the person allowed; None for back and reload, where this browser has completed
    the sign-in before: nothing is to be done again. `missing` are scopes that `begin` was asked for
    and Webex did not grant.
    """

    grant: GrantT | None
    return_to: str
    set_cookies: tuple[str, ...] = field(repr=False)
    missing: tuple[str, ...] = ()


class AsyncSignIn:
    """Begin sign-ins and complete them.

    Cookies go in as the browser presents them, by name, and come out as values of Set-Cookie. They
    are sealed or opaque, and mean nothing to a program.
    """

    def __init__(self, client: Client, opened: Callable[[], OpenIntegration]) -> None:
        self._redirect_uri = client.redirect_uri
        self._opened = opened
        self._jar = CookieJar(client)

    async def begin(
        self,
        *,
        return_to: str = "/",
        scopes: Iterable[str] = (),
        login_hint: str | None = None,
        cookies: Mapping[str, str] | None = None,
    ) -> SignInStart:
        """Begin a sign-in that leads to *return_to*, a path of this origin; nothing is stored.

        *scopes* are asked for beyond those of the settings; *login_hint* is an e-mail address. With
        the *cookies* of the browser the oldest of many unfinished sign-ins is dropped.
        """
        opened = self._opened()
        started = opened.sign_in.begin(
            read_return_to(return_to), scopes=_words(scopes), login_hint=login_hint
        )
        kept = self._jar.kept_attempt(
            cookies or {}, started.attempt_id, started.attempt, opened.context.clock()
        )
        return SignInStart(started.authorization_url, tuple(kept))

    async def complete(
        self,
        query: str | bytes,
        cookies: Mapping[str, str],
        *,
        session: bool = False,
        allowed_orgs: Collection[str] = (),
    ) -> SignInEnd[AsyncGrant]:
        """Complete a sign-in: *query* is the raw query of the callback.

        With *session* a session of this browser begins, which `current` knows. If there are
        *allowed_orgs*, nothing is kept of people of others. Raises SignInError, whose `return_to`
        is where the person was going: they start again.
        """
        opened = self._opened()
        callback = read_callback(query.encode() if isinstance(query, str) else query)
        outcome = await opened.sign_in.complete(
            callback,
            attempt=self._jar.attempt(cookies, attempt_id(callback.state)),
            session_id=self._jar.session_id(cookies) if session else None,
            wants_session=session,
            allowed_orgs=allowed_orgs,
        )
        match outcome:
            case NotSignedIn(error, return_to):
                raise _sign_in_error(error, return_to)
            case SentOn(return_to):
                return SignInEnd(None, return_to.path, ())
            case SignedIn(session_id, return_to, key, missing):
                set_cookies: tuple[str, ...] = ()
                if session_id is not None:
                    lifetime_seconds = opened.context.absolute_seconds
                    set_cookies = (self._jar.kept_session(session_id, lifetime_seconds),)
                grant = grant_of(await opened.vault.grant(key), self._opened)
                return SignInEnd(grant, return_to.path, set_cookies, missing)

    async def with_browser(
        self,
        *,
        scopes: Iterable[str] = (),
        timeout_seconds: float = 300,
        open_browser: Callable[[str], object] = open_in_browser,
    ) -> AsyncGrant:
        """Sign in with this machine's browser: for programs at a terminal, and notebooks.

        The redirect URI must be registered on this machine, such as http://localhost:8080/oauth;
        nothing else may listen there. The address for the browser is also written to standard
        error. Raises ConfigurationError, and SignInError, such as SignInTimedOut.
        """
        start = await self.begin(scopes=scopes)
        name, _, rest = start.set_cookies[0].partition("=")
        cookies = {name: rest.partition(";")[0]}

        def is_awaited(query: bytes) -> bool:
            try:
                state = read_callback(query).state
            except SignInError:
                return False
            return self._jar.attempt(cookies, attempt_id(state)) is not None

        async with Loopback(self._redirect_uri, is_awaited) as loopback:
            announce(start.url, open_browser)
            query = await loopback.callback(timeout_seconds)
            try:
                end = await self.complete(query, cookies)
            except WebexOAuthError as error:
                await loopback.show("Not signed in", str(error))
                raise
            await loopback.show("Signed in", "Webex knows you; the program has what you allowed.")
        if end.grant is None:
            raise AttemptUnknown("the sign-in was completed elsewhere")
        return end.grant

    async def with_device(
        self, *, show: Callable[[DeviceCode], object] = print, scopes: Iterable[str] = ()
    ) -> AsyncGrant:
        """Sign in where there is no browser: *show* a code that the person enters elsewhere.

        The integration has Webex's device redirect URIs registered. Raises SignInError, such as
        SignInTimedOut, TokenError or TemporaryError.
        """
        opened = self._opened()
        started = await opened.sign_in.device.begin(_words(scopes))
        show(started.shown)
        key = await opened.sign_in.device.complete(started, self._opened)
        return grant_of(await opened.vault.grant(key), self._opened)

    async def current(self, cookies: Mapping[str, str]) -> AsyncGrant | None:
        """Return the grant of the person who is signed in in this browser; None if nobody is.

        Raises TemporaryError, never "nobody", while the store is down.
        """
        opened = self._opened()
        session_id = self._jar.session_id(cookies)
        session = None if session_id is None else await opened.sessions.find(session_id)
        if session is None:
            return None
        found = await opened.context.ledger.find_grant(session.grant_key)
        return None if found is None else grant_of(found.record, self._opened)

    async def sign_out(self, cookies: Mapping[str, str]) -> tuple[str, ...]:
        """End the session of this browser; return the cookies that take it away.

        The last session of a person takes their grant with it, unless grants are kept.
        """
        session_id = self._jar.session_id(cookies)
        if session_id is not None:
            await self._opened().sessions.sign_out(session_id)
        return tuple(self._jar.all_dropped(cookies))


def _words(scopes: Iterable[str]) -> tuple[str, ...]:
    if isinstance(scopes, str):
        raise TypeError("scopes are several words: give a list, such as ['spark:rooms_read']")
    return tuple(scopes)


def _sign_in_error(error: WebexOAuthError, return_to: ReturnTo = HOME) -> SignInError:
    """Return *error* as one of a sign-in, which knows where the person was going."""
    if not isinstance(error, SignInError):
        cause, error = error, SignInFailed(f"the sign-in failed: {error}")
        error.__cause__ = cause
        if isinstance(cause, TemporaryError):
            error.remedy = "the person starts the sign-in again in a moment"
    error.return_to = return_to.path
    return error
