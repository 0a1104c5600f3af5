"""`/login` begins a sign-in; `GET /oauth`, at the registered path, completes it."""

from collections.abc import Sequence
from contextlib import suppress
from typing import ClassVar, Final, TypeAlias

from starlette.responses import Response

from webex_oauth.errors import (
    AuthorizationRefused,
    IncompleteCallback,
    ReauthRequired,
    SignInError,
    TokenError,
    WebexOAuthError,
)
from webex_oauth.flows.failures import is_used_up, sign_in_failure
from webex_oauth.flows.fetch_metadata import Follower, follower_of, is_prefetch
from webex_oauth.flows.sign_in import NotSignedIn, ReturnTo, SentOn, SignedIn, attempt_id
from webex_oauth.oauth.authorization import REGISTERED_ERRORS, read_callback, scopes_to_ask
from webex_oauth.web.failure_page import show_failure
from webex_oauth.web.refusals import Refused
from webex_oauth.web.rendering import View
from webex_oauth.web.visit import Visit, redirect, set_cookies

MAX_USER_AGENT_CHARACTERS: Final = 512
Marks: TypeAlias = Sequence[tuple[str, str]]
"""A mark in the User-Agent header, and the name it stands for; the first mark found decides."""

BROWSERS: Final[Marks] = (
    ("Edg/", "Edge"),
    ("EdgA/", "Edge"),
    ("EdgiOS/", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("Vivaldi/", "Vivaldi"),
    ("FxiOS/", "Firefox"),
    ("Firefox/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
    ("curl/", "curl"),
)
SYSTEMS: Final[Marks] = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("CrOS", "ChromeOS"),
    ("Windows", "Windows"),
    ("Macintosh", "macOS"),
    ("Linux", "Linux"),
)


class ConfirmSignInPage(View, frozen=True):
    """The question whether to begin a sign-in that another site started."""

    template: ClassVar = "confirm_sign_in.html"

    return_to: str
    scope: str


async def begin_sign_in(visit: Visit) -> Response:
    """Begin a sign-in from the button.

    It needs no token. It changes nothing of this browser's session, and its callback is bound to
    this browser: it can only sign in the person who agrees at Webex here.
    """
    visit.check_origin()
    form = await visit.form()
    return await _begin(visit, visit.return_to(form.get("return_to")), form.get("scope", ""))


async def begin_sign_in_by_link(visit: Visit) -> Response:
    """Begin a sign-in from a plain link, unless the browser or another site followed it."""
    return_to, scope = visit.return_to(visit.query_field("return_to")), visit.query_field("scope")
    match follower_of(visit.request.method, visit.headers, visit.site.origin):
        case Follower.NOBODY:
            return Response(status_code=204)
        case Follower.OTHER_SITE:
            await visit.session()  # the page then shows who is signed in
            return visit.show(ConfirmSignInPage(return_to.path, scope))
        case Follower.PERSON:
            return await _begin(visit, return_to, scope)


async def _begin(visit: Visit, return_to: ReturnTo, scope: str) -> Response:
    """Begin a sign-in that also asks for what *scope* names, separated by spaces."""
    scopes = set(filter(None, scope.split(" ")))
    if scopes:
        own = visit.site.settings.scopes
        scopes = scopes_to_ask(scopes, await _granted(visit), own)
    try:
        started = visit.site.integration.sign_in.begin(return_to, scopes=scopes)
    except ValueError as error:
        raise Refused("bad-request", str(error), error) from None
    response = redirect(started.authorization_url)
    cookies = visit.site.cookies
    set_cookies(
        response,
        cookies.kept_attempt(visit.cookies, started.attempt_id, started.attempt, visit.now()),
    )
    return response


async def _granted(visit: Visit) -> frozenset[str]:
    """Return what the person allowed before, to ask for it again: a new grant replaces the old."""
    session = await visit.find_session()
    with suppress(ReauthRequired):
        if session is not None:
            return (await visit.site.integration.vault.grant(session.grant_key)).scopes
    return frozenset()


async def complete_sign_in(visit: Visit) -> Response:
    """Complete a sign-in; a prefetch or HEAD spends nothing."""
    if is_prefetch(visit.headers) or visit.request.method == "HEAD":
        return Response(status_code=204)
    try:
        callback = read_callback(visit.request.scope["query_string"])
    except SignInError as error:
        return await _refuse(visit, error, visit.site.home)
    outcome = await visit.site.integration.sign_in.complete(
        callback,
        attempt=visit.site.cookies.attempt(visit.cookies, attempt_id(callback.state)),
        session_id=visit.session_id,
        browser=browser_label(visit.headers.get("user-agent")),
        home=visit.site.home,
    )
    match outcome:
        case SignedIn(session_id, return_to, _, missing):
            response = redirect(return_to.path)
            if missing:
                # Where the person was going they would be sent to sign in once more.
                refused = Refused("scope-missing", f"Webex did not grant {missing[0]}")
                response = await show_failure(
                    visit, refused, return_to=return_to, missing_scope=missing[0]
                )
            if session_id is not None:
                lifetime_seconds = visit.site.settings.absolute_seconds
                cookie = visit.site.cookies.kept_session(session_id, lifetime_seconds)
                set_cookies(response, [cookie])
            return response
        case SentOn(return_to):
            return redirect(return_to.path)
        case NotSignedIn(reason, return_to):
            return await _refuse(visit, reason, return_to)


async def _refuse(visit: Visit, error: WebexOAuthError, return_to: ReturnTo) -> Response:
    failure = sign_in_failure(error)
    if is_used_up(error) and await visit.is_signed_in():
        failure = "already-signed-in"
    refused = Refused(failure, str(error), error)
    return await show_failure(visit, refused, return_to=return_to, details=_details(error))


def _details(error: WebexOAuthError) -> tuple[tuple[str, str], ...]:
    """Return what the other side said about an error, as labels and text."""
    if isinstance(error, IncompleteCallback) and error.error in REGISTERED_ERRORS:
        # Without a state of ours anyone may have written it: none of its text is shown.
        return (("Error code", error.error),)
    if not isinstance(error, AuthorizationRefused | TokenError):
        return ()
    tracking_id = error.tracking_id if isinstance(error, TokenError) else None
    details = (
        ("Error code", error.error),
        ("Webex says", error.description),
        ("Webex tracking id", tracking_id),
    )
    return tuple((label, text) for label, text in details if text)


def browser_label(user_agent: str | None) -> str | None:
    """Return "Firefox on Linux", or as much of it as is known; only words of our own."""
    text = (user_agent or "")[:MAX_USER_AGENT_CHARACTERS]
    browser, system = _first(BROWSERS, text), _first(SYSTEMS, text)
    if browser and system:
        return f"{browser} on {system}"
    if system:
        return f"A browser on {system}"
    return browser


def _first(marks: Marks, text: str) -> str | None:
    return next((name for mark, name in marks if mark in text), None)
