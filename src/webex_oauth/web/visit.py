"""One request to a page: who asks, from where, and how to answer them."""

import logging
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response

from webex_oauth.errors import StoreError
from webex_oauth.flows.return_to import HOME, ReturnTo, read_return_to
from webex_oauth.flows.sessions import LiveSession
from webex_oauth.integration import Integration
from webex_oauth.oauth.http import read_text, trimmed
from webex_oauth.secret import Secret
from webex_oauth.settings import Settings
from webex_oauth.settings.urls import is_loopback
from webex_oauth.web import failures, webex_failures
from webex_oauth.web.browser_security import (
    content_security_policy,
    csrf_token,
    is_csrf_token,
    is_from_elsewhere,
)
from webex_oauth.web.cookies import CookieJar, read_cookies
from webex_oauth.web.failures import RefusalLog, Refused, peer_address, reference_id
from webex_oauth.web.rendering import Assets, Pages
from webex_oauth.web.views import Account, Frame, Page

LIBRARY = logging.getLogger("webex_oauth")


@dataclass(frozen=True, slots=True)
class Site:
    """Hold what is made once and used by every page.

    `acting_paths` are those of pages that do something, to which no sign-in leads back.
    """

    settings: Settings
    public_origin: str
    integration: Integration
    pages: Pages
    assets: Assets
    cookies: CookieJar
    is_ready: Callable[[], Awaitable[bool]]
    refusals: RefusalLog
    acting_paths: frozenset[str]

    @property
    def is_debugging(self) -> bool:
        """Whether each step of a sign-in is logged, and only the operator can see this page."""
        is_at_home = is_loopback(urlsplit(self.public_origin))
        return self.settings.is_debugging and is_at_home and LIBRARY.isEnabledFor(logging.DEBUG)


MAX_FORM_FIELDS = 20
FORM = "application/x-www-form-urlencoded"
SIGN_IN_FORM = b'<form method="post" action="/login">'
"""Opens the form of `partials/forms.html`; foreign text cannot hold it, because it is escaped."""
CLEARED = '"cache", "storage"'
"""Not "cookies": browsers take it for the whole registrable domain, and would sign the person out
of every other application below it. Our own cookies are expired one by one."""
UNKNOWN_SESSION = "the session cookie is unknown here: invented, or its session has ended"


def redirect(url: str) -> Response:
    """Redirect with 303, the one that always becomes a GET (RFC 9110 section 15.4.4)."""
    return Response(status_code=303, headers={"location": url})


class Visit:
    """Hold one request together with the site it came to."""

    def __init__(self, site: Site, request: Request) -> None:
        self.site = site
        self.request = request
        self._session: LiveSession | None = None
        self._is_session_known = False

    @cached_property
    def headers(self) -> Mapping[str, str]:
        """The request's headers by their names in lower case, of each the first."""
        headers = reversed(self.request.scope["headers"])
        return {name.decode("latin-1"): value.decode("latin-1") for name, value in headers}

    @cached_property
    def cookies(self) -> Mapping[str, str]:
        """The cookies that the browser presents."""
        return read_cookies(self.request.scope["headers"])

    @cached_property
    def session_id(self) -> Secret | None:
        """The session id that the browser presents; it may be nobody's."""
        return self.site.cookies.session_id(self.cookies)

    @property
    def reference_id(self) -> str:
        """What ties this request's answer to the log."""
        return reference_id(self.request.scope)

    def note_refusal(self, kind: str, reason: str, error: Exception | None = None) -> None:
        """Write a refusal to the log, under the reference that this request's answer shows."""
        scope = self.request.scope
        self.site.refusals.note(
            kind,
            reason,
            peer=peer_address(scope),
            exc_info=error if kind == failures.UNEXPECTED.name else None,
            reference=self.reference_id,
            method=scope["method"],
            path=read_text(scope["path"]),
            error=type(error).__name__ if error else None,
        )

    async def session(self) -> LiveSession | None:
        """Return the live session; a cookie that names none is a guess, and is logged as one.

        Raises StoreUnavailable rather than calling anybody a stranger.
        """
        session = await self.find_session()
        if session is None and self.session_id is not None:
            self.note_refusal("session-unknown", UNKNOWN_SESSION)
        return session

    async def find_session(self) -> LiveSession | None:
        """Return the live session, whatever it means that there is none."""
        if not self._is_session_known:
            if self.session_id is not None:
                self._session = await self.site.integration.sessions.find(self.session_id)
            self._is_session_known = True
        return self._session

    async def required_session(self) -> LiveSession:
        """Find the live session, or refuse with the page that offers to sign in."""
        session = await self.find_session()
        if session is None:
            reason = UNKNOWN_SESSION if self.session_id else "no session cookie was presented"
            raise Refused(webex_failures.SIGNED_OUT, reason)
        return session

    async def check_form(self) -> None:
        """Refuse a form that this session's own page did not send."""
        session = await self.required_session()
        self.check_origin()
        form = await self.form()
        if not is_csrf_token(form.get("csrf_token", ""), session.session_id):
            reason = "the form does not carry this session's token"
            raise Refused(failures.FORGERY_SUSPECTED, reason)

    def check_origin(self) -> None:
        """Refuse a request that another site caused."""
        if is_from_elsewhere(self.headers, self.site.public_origin):
            origin = read_text(self.headers.get("origin"))
            site = read_text(self.headers.get("sec-fetch-site"))
            reason = f"another site sent the form (Origin: {origin}, Sec-Fetch-Site: {site})"
            raise Refused(failures.FORGERY_SUSPECTED, reason)

    def query_field(self, name: str) -> str:
        """Read a field of the query, empty when there is none."""
        if not self.request.scope["query_string"]:
            return ""
        return self.request.query_params.get(name, "")

    async def form(self) -> Mapping[str, str]:
        """Read the posted fields; refuse what is not the one kind of form that our pages send.

        Other kinds name their own character sets, of which some cannot decode.
        """
        kind = trimmed(self.headers.get("content-type", FORM).partition(";")[0]).lower()
        if kind != FORM:
            reason = f"the body is {read_text(kind)}, not a form"
            raise Refused(failures.MEDIA_TYPE_UNSUPPORTED, reason)
        form = await self.request.form(max_fields=MAX_FORM_FIELDS)
        return {name: value for name, value in form.items() if isinstance(value, str)}

    def forget_session(self) -> None:
        """Show the rest of this visit as to a browser that is not signed in."""
        self._session = None
        self._is_session_known = True

    def let_go(self, page: Page) -> Response:
        """Show *page* to a person who leaves, and clear what the browser kept of them."""
        response = self.show(page)
        self.site.cookies.drop_all(response, self.cookies)
        response.headers["clear-site-data"] = CLEARED
        return response

    async def drop_stale_session(self, response: Response) -> None:
        """Take away an id of a session that is gone.

        One that is only over by the clock, which may be wrong, stays until it is.
        """
        if self.session_id is None:
            return
        with suppress(StoreError):
            if await self.site.integration.sessions.is_gone(self.session_id):
                self.site.cookies.drop_session(response)

    def here(self) -> ReturnTo:
        """Name this address as a place to come back to."""
        query = self.request.url.query
        return self.return_to(self.request.url.path + (f"?{query}" if query else ""))

    def return_to(self, text: str | None) -> ReturnTo:
        """Read where a sign-in shall lead: never to a page that does something, but home."""
        asked = read_return_to(text)
        return HOME if asked.leads_to(self.site.acting_paths) else asked

    def frame(self) -> Frame:
        """Describe what stands around the page, from what is known without asking the store."""
        session, platform = self._session, self.site.settings.platform
        return Frame(
            account=Account(session.profile.display_name) if session else None,
            csrf_token=csrf_token(session.session_id) if session else None,
            is_emulator=platform.is_local,
            is_debugging=self.site.is_debugging,
            other_webex="" if platform.is_production or platform.is_local else platform.host,
        )

    def show(self, page: Page, status: int = 200, *, image_origin: str | None = None) -> Response:
        """Render a page, which may show images of *image_origin*."""
        html = self.site.pages.render(page)
        response = Response(html, status, media_type="text/html")
        leads_to_webex = SIGN_IN_FORM in html
        if leads_to_webex or image_origin:
            policy = content_security_policy(image_origin, leads_to_webex=leads_to_webex)
            response.headers["content-security-policy"] = policy.decode()
        return response

    def send_on(self, return_to: ReturnTo) -> Response:
        """Redirect to a page of this application."""
        return redirect(return_to.path)
