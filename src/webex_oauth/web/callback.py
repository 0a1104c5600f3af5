"""`GET /oauth`: the callback, at the path of the registered redirect URI."""

from starlette.responses import Response

from webex_oauth.errors import (
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
from webex_oauth.web.browser_label import browser_label
from webex_oauth.web.diagnosis import retry_after_seconds, sign_in_failure
from webex_oauth.web.failure import is_signed_in, show_failure
from webex_oauth.web.failures import Refused
from webex_oauth.web.fetch_metadata import is_prefetch
from webex_oauth.web.sign_in_failures import ALREADY_SIGNED_IN
from webex_oauth.web.views import Detail
from webex_oauth.web.visit import Visit


async def complete_sign_in(visit: Visit) -> Response:
    """Complete a sign-in; a prefetch or HEAD spends nothing."""
    if is_prefetch(visit.headers) or visit.request.method == "HEAD":
        return Response(status_code=204)
    try:
        callback = read_callback(visit.request.scope["query_string"])
    except SignInError as error:
        return await _refuse(visit, error, HOME)
    attempt = attempt_id(callback.state)
    outcome = await visit.site.integration.sign_in.complete(
        callback,
        browser_secret=visit.site.cookies.attempt_secret(visit.cookies, attempt),
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
    """Tell whether the address is of a sign-in that is over, as in a bookmark or the history."""
    if isinstance(error, IncompleteCallback):
        return error.error is None
    return isinstance(error, AttemptUnknown)


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
