"""The library without an event loop: each verb runs its asynchronous namesake to the end."""

from collections.abc import Callable, Collection, Coroutine, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Self, TypeAlias, TypeVar

from webex_oauth.library.events import AsyncEvents
from webex_oauth.library.grants import WAIT_SECONDS, AsyncGrant, AsyncGrants, Snapshot, Status
from webex_oauth.library.integration import AsyncIntegration
from webex_oauth.library.loop import Runner, in_thread
from webex_oauth.library.loopback import open_in_browser
from webex_oauth.library.sign_in import AsyncSignIn, SignInEnd, SignInStart
from webex_oauth.oauth.device import DeviceCode
from webex_oauth.secret import Secret
from webex_oauth.settings import Settings
from webex_oauth.vault.events import Event, EventKind
from webex_oauth.vault.vault import DEFAULT_MIN_TTL_SECONDS
from webex_oauth.webex.api import Call, Listing, Page
from webex_oauth.webex.own_requests import ApiResponse
from webex_oauth.webex.platform import Platform

Handler: TypeAlias = Callable[[Event], None]
HandlerT = TypeVar("HandlerT", bound=Handler)
Result = TypeVar("Result")
Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Grant(Snapshot):
    """What one person allowed, as `AsyncGrant` is, with verbs that return when they are done."""

    _twin: AsyncGrant = field(repr=False)
    _runner: Runner = field(repr=False, compare=False)

    def access_token(
        self, *, min_ttl_seconds: int = DEFAULT_MIN_TTL_SECONDS, refused: Secret | None = None
    ) -> Secret:
        """Return an access token; see `AsyncGrant.access_token`."""
        work = self._twin.access_token(min_ttl_seconds=min_ttl_seconds, refused=refused)
        return self._runner.run(work)

    def call(self, call: Call[Result], *, wait_seconds: float = WAIT_SECONDS) -> Result:
        """Ask Webex a question that has one answer; see `AsyncGrant.call`."""
        return self._runner.run(self._twin.call(call, wait_seconds=wait_seconds))

    def pages(
        self, listing: Listing[Item], *, wait_seconds: float = WAIT_SECONDS
    ) -> Iterator[Page[Item]]:
        """Yield a list page by page; see `AsyncGrant.pages`."""
        return self._runner.iterate(self._twin.pages(listing, wait_seconds=wait_seconds))

    def items(
        self, listing: Listing[Item], *, wait_seconds: float = WAIT_SECONDS
    ) -> Iterator[Item]:
        """Yield a list item by item; see `AsyncGrant.items`."""
        for page in self.pages(listing, wait_seconds=wait_seconds):
            yield from page.items

    def request(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        json: object = None,
        content: bytes = b"",
        headers: Mapping[str, str] | None = None,
        wait_seconds: float = WAIT_SECONDS,
    ) -> ApiResponse:
        """Send any request to Webex's API; see `AsyncGrant.request`."""
        work = self._twin.request(
            method,
            path,
            params=params,
            json=json,
            content=content,
            headers=headers,
            wait_seconds=wait_seconds,
        )
        return self._runner.run(work)

    @property
    def platform(self) -> Platform:
        """The Webex that knows this grant; see `AsyncGrant.platform`."""
        return self._twin.platform

    def revoke(self) -> None:
        """End the grant here first, then its tokens at Webex; see `AsyncGrant.revoke`."""
        self._runner.run(self._twin.revoke())


def twin_of(grant: AsyncGrant, runner: Runner) -> Grant:
    """Return *grant* with verbs that *runner* runs."""
    values = {one.name: getattr(grant, one.name) for one in fields(Snapshot)}
    return Grant(**values, _twin=grant, _runner=runner)


class Grants:
    """The grants that are kept."""

    def __init__(self, twin: AsyncGrants, runner: Runner) -> None:
        self._twin = twin
        self._runner = runner

    def get(self, person_id: str) -> Grant:
        """Return the grant of a person; see `AsyncGrants.get`."""
        return self._of(self._runner.run(self._twin.get(person_id)))

    def find(self, *, email: str) -> Grant | None:
        """Return the grant of the person with this address; see `AsyncGrants.find`."""
        found = self._runner.run(self._twin.find(email=email))
        return None if found is None else self._of(found)

    def one(self) -> Grant:
        """Return the grant that the settings name, or the only one; see `AsyncGrants.one`."""
        return self._of(self._runner.run(self._twin.one()))

    def list(self, *, status: Status | None = None, org_id: str | None = None) -> Iterator[Grant]:
        """Yield all grants; see `AsyncGrants.list`."""
        return map(self._of, self._runner.iterate(self._twin.list(status=status, org_id=org_id)))

    def adopt(
        self,
        access_token: Secret,
        refresh_token: Secret | None,
        *,
        scopes: Collection[str],
        expires_in: int | None = None,
    ) -> Grant:
        """Keep tokens that were issued elsewhere; see `AsyncGrants.adopt`."""
        work = self._twin.adopt(access_token, refresh_token, scopes=scopes, expires_in=expires_in)
        return self._of(self._runner.run(work))

    def _of(self, grant: AsyncGrant) -> Grant:
        return twin_of(grant, self._runner)


class SignIn:
    """Begin sign-ins and complete them, as `AsyncSignIn` does."""

    def __init__(self, twin: AsyncSignIn, runner: Runner) -> None:
        self._twin = twin
        self._runner = runner

    def begin(
        self,
        *,
        return_to: str = "/",
        scopes: Iterable[str] = (),
        login_hint: str | None = None,
        cookies: Mapping[str, str] | None = None,
    ) -> SignInStart:
        """Begin a sign-in; see `AsyncSignIn.begin`."""
        work = self._twin.begin(
            return_to=return_to, scopes=scopes, login_hint=login_hint, cookies=cookies
        )
        return self._runner.run(work)

    def complete(
        self,
        query: str | bytes,
        cookies: Mapping[str, str],
        *,
        session: bool = False,
        allowed_orgs: Collection[str] = (),
    ) -> SignInEnd[Grant]:
        """Complete a sign-in; see `AsyncSignIn.complete`."""
        work = self._twin.complete(query, cookies, session=session, allowed_orgs=allowed_orgs)
        end = self._runner.run(work)
        grant = None if end.grant is None else twin_of(end.grant, self._runner)
        return SignInEnd(grant, end.return_to, end.set_cookies, end.missing)

    def with_browser(
        self,
        *,
        scopes: Iterable[str] = (),
        timeout_seconds: float = 300,
        open_browser: Callable[[str], object] = open_in_browser,
    ) -> Grant:
        """Sign in with this machine's browser; see `AsyncSignIn.with_browser`."""
        work = self._twin.with_browser(
            scopes=scopes, timeout_seconds=timeout_seconds, open_browser=open_browser
        )
        return twin_of(self._runner.run(work), self._runner)

    def with_device(
        self, *, show: Callable[[DeviceCode], object] = print, scopes: Iterable[str] = ()
    ) -> Grant:
        """Sign in where there is no browser; see `AsyncSignIn.with_device`."""
        work = self._twin.with_device(show=show, scopes=scopes)
        return twin_of(self._runner.run(work), self._runner)

    def current(self, cookies: Mapping[str, str]) -> Grant | None:
        """Return the grant of who is signed in in this browser; see `AsyncSignIn.current`."""
        grant = self._runner.run(self._twin.current(cookies))
        return None if grant is None else twin_of(grant, self._runner)

    def sign_out(self, cookies: Mapping[str, str]) -> tuple[str, ...]:
        """End the session of this browser; see `AsyncSignIn.sign_out`."""
        return self._runner.run(self._twin.sign_out(cookies))


class Events:
    """What becomes of grants and sessions, as `AsyncEvents` says it."""

    def __init__(self, twin: AsyncEvents, runner: Runner) -> None:
        self._twin = twin
        self._runner = runner

    def on(self, kind: EventKind) -> Callable[[HandlerT], HandlerT]:
        """Return a decorator for what hears of events; see `AsyncEvents.on`.

        It runs in a thread of its own.
        """

        def decorate(handler: HandlerT) -> HandlerT:
            self._twin.on(kind)(_in_thread(handler))
            return handler

        return decorate

    def read(
        self,
        *,
        after: int = 0,
        kinds: Collection[EventKind] = (),
        person_id: str | None = None,
    ) -> Iterator[Event]:
        """Yield the events that are kept; see `AsyncEvents.read`."""
        return self._runner.iterate(self._twin.read(after=after, kinds=kinds, person_id=person_id))

    def follow(self, name: str, handler: Handler) -> None:
        """Call *handler* with every event until interrupted; see `AsyncEvents.follow`."""
        self._runner.run(self._twin.follow(name, _in_thread(handler)))


def _in_thread(handler: Handler) -> Callable[[Event], Coroutine[Any, Any, None]]:
    async def hear(event: Event) -> None:
        await in_thread(handler, event)

    return hear


class Integration:
    """Your registered integration: sign people in, and act for them, without an event loop.

    It opens at first use, also after a fork, or in `with`; it closes at the end of `with`, by
    `close`, or when the process ends. Any thread may use it. See `AsyncIntegration`.
    """

    def __init__(self, settings: Settings | None = None) -> None:
        self._twin = twin = AsyncIntegration(settings)
        self.settings: Settings = twin.settings
        self._runner = Runner(twin.__aenter__, twin.close, twin._end_listeners)  # noqa: SLF001 - the two halves of one library
        self.grants: Grants = Grants(twin.grants, self._runner)
        self.sign_in: SignIn = SignIn(twin.sign_in, self._runner)
        self.events: Events = Events(twin.events, self._runner)

    def _use(self, settings: Settings) -> bool:
        is_done = self._twin._use(settings)  # noqa: SLF001 - the two halves of one library
        self.settings = self._twin.settings
        return is_done

    def close(self) -> None:
        """Finish what was begun and close for good; do nothing if it is closed."""
        self._runner.close()

    def __enter__(self) -> Self:
        """Open the store and start what runs in the background."""
        self._runner.open()
        return self

    def __exit__(self, *_: object) -> None:
        """Finish what was begun and close for good."""
        self.close()
