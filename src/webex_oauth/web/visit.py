"""A visit: one request to a page, with what every page needs to answer it."""

import hmac
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import suppress
from functools import cached_property

from msgspec import Struct
from starlette.formparsers import MultiPartException
from starlette.requests import Request
from starlette.responses import Response

from webex_oauth.errors import StoreError, VaultError
from webex_oauth.flows.cookies import CookieJar, read_cookies
from webex_oauth.flows.fetch_metadata import is_from_elsewhere
from webex_oauth.flows.refusal_log import RefusalLog
from webex_oauth.flows.sessions import LiveSession
from webex_oauth.flows.sign_in import ReturnTo, read_return_to
from webex_oauth.integration import OpenIntegration
from webex_oauth.oauth.http import read_text, trimmed
from webex_oauth.secret import Secret
from webex_oauth.settings import Settings
from webex_oauth.web.browser_security import content_security_policy
from webex_oauth.web.refusals import Refused, reference_id
from webex_oauth.web.rendering import Assets, Layout, Pages, View

MAX_FORM_FIELDS = 20
FORM = "application/x-www-form-urlencoded"
CLEARED = '"cache", "storage"'
"""Not "cookies": browsers apply that to the whole registrable domain, and would sign the person out
of every other application below it. Our own cookies are expired one by one."""
CLEARED_BELOW = '"cache"'
"""Below a path the origin, and what it stores, belongs to other applications too."""
FORM_PURPOSE = b"webex-oauth csrf"
NOTICE_PURPOSE = b"webex-oauth notice "
UNKNOWN_SESSION = "the session cookie is unknown here: invented, or its session has ended"


def csrf_token(session_id: Secret) -> Secret:
    """Return what proves that a form comes from the session's own page."""
    return Secret(_derived(session_id, FORM_PURPOSE))


def notice_proof(notice: str, session_id: Secret) -> str:
    """Return what a link carries beside *notice*, so that no other link makes a page show it."""
    return _derived(session_id, NOTICE_PURPOSE + notice.encode("utf-8", "replace"))[:32]


def _derived(session_id: Secret, content: bytes) -> str:
    """Derive what only this application can; it reveals nothing of the session id."""
    return hmac.digest(session_id.reveal().encode(), content, "sha256").hex()


def redirect(url: str) -> Response:
    """Redirect with 303, the one that always becomes a GET (RFC 9110 section 15.4.4)."""
    return Response(status_code=303, headers={"location": url})


def set_cookies(response: Response, cookies: Iterable[str]) -> None:
    """Add cookies of our own to an answer."""
    response.raw_headers.extend((b"set-cookie", cookie.encode("ascii")) for cookie in cookies)


class Site(Struct, frozen=True):
    """What is made once and used by every page.

    `acting_paths` are those of pages that do something, to which no sign-in leads back; it then
    leads `home`.
    """

    settings: Settings
    origin: str
    integration: OpenIntegration
    pages: Pages
    assets: Assets
    cookies: CookieJar
    refusals: RefusalLog
    is_ready: Callable[[], Awaitable[bool]]
    acting_paths: frozenset[str]
    home: ReturnTo


class Visit:
    """One request, together with the site that it came to."""

    def __init__(self, site: Site, request: Request) -> None:
        self.site = site
        self.request = request
        self._session: LiveSession | None = None
        self._is_session_known = False

    @cached_property
    def headers(self) -> Mapping[str, str]:
        """The request's headers by lower-case name; of repeated ones the first."""
        headers = reversed(self.request.scope["headers"])
        return {name.decode("latin-1"): value.decode("latin-1") for name, value in headers}

    @cached_property
    def cookies(self) -> Mapping[str, str]:
        """The cookies that the browser presents."""
        return read_cookies(self.request.scope["headers"])

    @cached_property
    def session_id(self) -> Secret | None:
        """The session id that the browser presents, which may be invented."""
        return self.site.cookies.session_id(self.cookies)

    @property
    def reference_id(self) -> str:
        """What ties this request's answer to the log."""
        return reference_id(self.request.scope)

    def now(self) -> int:
        """Return the current time in seconds since 1970."""
        return self.site.integration.context.clock()

    def note_refusal(self, kind: str, reason: str, error: Exception | None = None) -> None:
        """Log a refusal under the reference that this request's answer shows."""
        scope = self.request.scope
        client = scope.get("client")
        self.site.refusals.note(
            kind,
            reason,
            peer=str(client[0]) if client else "unknown",
            exc_info=error if kind == "unexpected" else None,
            reference=self.reference_id,
            method=scope["method"],
            path=read_text(scope["path"]),
            error=type(error).__name__ if error else None,
        )

    async def find_session(self) -> LiveSession | None:
        """Return the live session, if there is one.

        Raises StoreUnavailable rather than taking a person for a stranger.
        """
        if not self._is_session_known:
            if self.session_id is not None:
                self._session = await self.site.integration.sessions.find(self.session_id)
            self._is_session_known = True
        return self._session

    async def session(self) -> LiveSession | None:
        """Return the live session, and log a cookie that names none: it may be a guess."""
        session = await self.find_session()
        if session is None and self.session_id is not None:
            self.note_refusal("session-unknown", UNKNOWN_SESSION)
        return session

    async def required_session(self) -> LiveSession:
        """Return the live session, or refuse with the page that offers to sign in."""
        session = await self.find_session()
        if session is None:
            reason = UNKNOWN_SESSION if self.session_id else "no session cookie was presented"
            raise Refused("signed-out", reason)
        return session

    async def is_signed_in(self) -> bool:
        """Return whether the person is signed in, as far as the store can tell."""
        try:
            return await self.find_session() is not None
        except (StoreError, VaultError):
            return False

    async def check_form(self) -> LiveSession:
        """Return the session, after refusing a form that none of its own pages sent."""
        session = await self.required_session()
        self.check_origin()
        form = await self.form()
        if Secret(form.get("csrf_token", "")) != csrf_token(session.session_id):
            raise Refused("forgery-suspected", "the form does not carry this session's token")
        return session

    def check_origin(self) -> None:
        """Refuse a request that another site caused."""
        if is_from_elsewhere(self.headers, self.site.origin):
            origin = read_text(self.headers.get("origin"))
            site = read_text(self.headers.get("sec-fetch-site"))
            reason = f"another site sent the form (Origin: {origin}, Sec-Fetch-Site: {site})"
            raise Refused("forgery-suspected", reason)

    def query_field(self, name: str) -> str:
        """Return a field of the query, empty if there is none."""
        if not self.request.scope["query_string"]:
            return ""
        return self.request.query_params.get(name, "")

    async def form(self) -> Mapping[str, str]:
        """Return the posted fields; refuse any kind of form that our pages do not send.

        Other kinds name their own character sets, some of which cannot be decoded.
        """
        kind = trimmed(self.headers.get("content-type", FORM).partition(";")[0]).lower()
        if kind != FORM:
            raise Refused("media-type-unsupported", f"the body is {read_text(kind)}, not a form")
        try:
            form = await self.request.form(max_fields=MAX_FORM_FIELDS)
        except MultiPartException as error:
            raise Refused("bad-request", error.message, error) from None
        return {name: value for name, value in form.items() if isinstance(value, str)}

    def here(self) -> ReturnTo:
        """Return this address as a place to come back to."""
        query = self.request.url.query
        return self.return_to(self.request.url.path + (f"?{query}" if query else ""))

    def return_to(self, text: str | None) -> ReturnTo:
        """Return where a sign-in leads: home rather than to a page that does something."""
        asked = read_return_to(text, self.site.home)
        return self.site.home if asked.leads_to(self.site.acting_paths) else asked

    def layout(self) -> Layout:
        """Return what the layout shows, without asking the store."""
        session = self._session
        if session is None:
            return Layout()
        return Layout(csrf_token(session.session_id), session.profile.display_name)

    def show(self, view: View, status: int = 200, *, image_origin: str | None = None) -> Response:
        """Render a page, which may show images of *image_origin*."""
        html = self.site.pages.render(view, self.layout())
        response = Response(html, status, media_type="text/html")
        leads_to_webex = self.site.pages.leads_to_webex(html)
        if leads_to_webex or image_origin:
            policy = content_security_policy(image_origin, leads_to_webex=leads_to_webex)
            response.headers["content-security-policy"] = policy.decode()
        return response

    def show_signed_out(self, view: View) -> Response:
        """Show a page to a person who has left, and clear what their browser kept."""
        self._session, self._is_session_known = None, True
        response = self.show(view)
        set_cookies(response, self.site.cookies.all_dropped(self.cookies))
        has_own_origin = self.site.home.path == "/"
        response.headers["clear-site-data"] = CLEARED if has_own_origin else CLEARED_BELOW
        return response

    async def drop_stale_session(self, response: Response) -> None:
        """Remove the cookie of a session that is gone.

        One that has only expired by the clock, which may be wrong, stays until it is gone.
        """
        if self.session_id is None:
            return
        with suppress(StoreError):
            if await self.site.integration.sessions.is_gone(self.session_id):
                set_cookies(response, [self.site.cookies.dropped_session()])
