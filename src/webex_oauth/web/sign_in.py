"""`GET|POST /login` begins a sign-in; `GET /oauth`, at the registered path, completes it."""

from collections.abc import Sequence
from typing import Final, TypeAlias

from starlette.responses import Response

from webex_oauth.errors import (
    AttemptForeign,
    AttemptUnknown,
    AuthorizationRefused,
    IncompleteCallback,
    SignInError,
    TokenError,
    WebexOAuthError,
)
from webex_oauth.flows.return_to import HOME, ReturnTo
from webex_oauth.flows.sign_in import NotSignedIn, SentOn, SignedIn, attempt_id
from webex_oauth.oauth.authorization import REGISTERED_ERRORS, read_callback
from webex_oauth.web.browser_security import is_from_elsewhere, is_navigation, is_prefetch
from webex_oauth.web.failure_page import (
    is_signed_in,
    retry_after_seconds,
    show_failure,
    sign_in_failure,
)
from webex_oauth.web.failures import Refused
from webex_oauth.web.views import ConfirmSignInPage, Detail
from webex_oauth.web.visit import Visit, redirect
from webex_oauth.web.webex_failures import ALREADY_SIGNED_IN

MAX_CHARACTERS: Final = 512
Marks: TypeAlias = Sequence[tuple[str, str]]

# The first mark that is found decides: most browsers also name those they are akin to.
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


def browser_label(user_agent: str | None) -> str | None:
    """Say "Firefox on Linux", or as much of it as can be told; None when that is nothing."""
    text = (user_agent or "")[:MAX_CHARACTERS]
    browser, system = _first(BROWSERS, text), _first(SYSTEMS, text)
    if browser and system:
        return f"{browser} on {system}"
    if system:
        return f"A browser on {system}"
    return browser


def _first(marks: Marks, text: str) -> str | None:
    return next((name for mark, name in marks if mark in text), None)


async def begin_sign_in(visit: Visit) -> Response:
    """Begin a sign-in from the button.

    It needs no token. It changes nothing of this browser's session, and its callback is bound to
    this browser: it can only sign in the person who agrees at Webex here.
    """
    visit.check_origin()
    form = await visit.form()
    return await _begin(visit, visit.return_to(form.get("return_to")))


async def begin_sign_in_by_link(visit: Visit) -> Response:
    """Begin a sign-in from a plain link, unless the browser or another site followed it."""
    if is_prefetch(visit.headers) or not is_navigation(visit.headers):
        return Response(status_code=204)
    return_to = visit.return_to(visit.query_field("return_to"))
    if visit.request.method == "HEAD":
        return Response(status_code=204)
    if is_from_elsewhere(visit.headers, visit.site.public_origin):
        await visit.session()
        return visit.show(ConfirmSignInPage(visit.frame(), return_to.path))
    return await _begin(visit, return_to)


async def _begin(visit: Visit, return_to: ReturnTo) -> Response:
    integration = visit.site.integration
    started = integration.sign_in.begin(return_to)
    response = redirect(started.authorization_url)
    visit.site.cookies.keep_attempt(
        response,
        visit.cookies,
        started.attempt_id,
        started.attempt,
        integration.context.clock(),
    )
    return response


async def complete_sign_in(visit: Visit) -> Response:
    """Complete a sign-in; a prefetch or HEAD spends nothing."""
    if is_prefetch(visit.headers) or visit.request.method == "HEAD":
        return Response(status_code=204)
    try:
        callback = read_callback(visit.request.scope["query_string"])
    except SignInError as error:
        return await _refuse(visit, error, HOME)
    outcome = await visit.site.integration.sign_in.complete(
        callback,
        attempt=visit.site.cookies.attempt(visit.cookies, attempt_id(callback.state)),
        session_id=visit.session_id,
        browser=browser_label(visit.headers.get("user-agent")),
    )
    match outcome:
        case SignedIn(session_id, return_to):
            response = visit.send_on(return_to)
            lifetime_seconds = visit.site.settings.absolute_seconds
            visit.site.cookies.keep_session(response, session_id, lifetime_seconds)
            return response
        case SentOn(return_to):
            return visit.send_on(return_to)
        case NotSignedIn(reason, return_to):
            return await _refuse(visit, reason, return_to)


async def _refuse(visit: Visit, error: WebexOAuthError, return_to: ReturnTo) -> Response:
    failure = sign_in_failure(error)
    if _is_used_up(error) and await is_signed_in(visit):
        failure = ALREADY_SIGNED_IN
    return await show_failure(
        visit,
        Refused(failure, str(error), error),
        return_to=return_to,
        retry_after=retry_after_seconds(error),
        details=_details(error),
    )


def _is_used_up(error: WebexOAuthError) -> bool:
    """Check whether the address is of a sign-in that is over, as in a bookmark or the history."""
    if isinstance(error, IncompleteCallback):
        return error.error is None
    return isinstance(error, AttemptForeign | AttemptUnknown)


def _details(error: WebexOAuthError) -> tuple[Detail, ...]:
    """Show what the other side said of it, as text."""
    if isinstance(error, IncompleteCallback) and error.error in REGISTERED_ERRORS:
        # Without a state of ours anybody may have written it: no text of theirs is shown.
        return (Detail("Error code", error.error),)
    if not isinstance(error, AuthorizationRefused | TokenError):
        return ()
    details = [Detail("Error code", error.error)]
    if error.description:
        details.append(Detail("Webex says", error.description))
    if isinstance(error, TokenError) and error.tracking_id:
        details.append(Detail("Webex tracking id", error.tracking_id))
    return tuple(details)
