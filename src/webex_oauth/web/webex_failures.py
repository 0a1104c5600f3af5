"""What a person is told when a sign-in does not complete, or Webex cannot be used for them."""

from typing import Final

from webex_oauth.web.failures import Failure, Retry

DECLINED: Final = Failure(
    "declined",
    403,
    "You declined",
    "You chose not to allow this application to use your Webex account, so nothing was shared.",
    "If that was not what you wanted, try again and choose Accept on Webex's page.",
    Retry.SIGN_IN,
)
INVALID_SCOPE: Final = Failure(
    "invalid-scope",
    400,
    "Webex does not know a permission we asked for",
    "This application asked for a scope that does not exist or that its integration is not "
    "registered for.",
    "Tell the operator. Operator: the scopes in AUTH_INIT_URL or WEBEX_SCOPES must all be ticked "
    "for the integration in the Webex Developer Portal.",
    Retry.SIGN_IN,
)
AUTHORIZATION_SERVER_FAILED: Final = Failure(
    "authorization-server-failed",
    502,
    "Webex had a problem",
    "Webex could not complete the sign-in on its side.",
    "Wait a moment and try again. If it keeps happening, see status.webex.com.",
    Retry.SIGN_IN,
)
AUTHORIZATION_REFUSED: Final = Failure(
    "authorization-refused",
    400,
    "Webex refused the sign-in",
    "Webex sent you back with an error that this application has no better words for.",
    "Try again. If it keeps happening, give the operator the error code and the reference below.",
    Retry.SIGN_IN,
)
CALLBACK_INCOMPLETE: Final = Failure(
    "callback-incomplete",
    400,
    "Part of the answer is missing",
    "This address is where Webex sends people after they sign in, but it was opened without "
    "everything that Webex adds.",
    "Start from the beginning rather than opening or reloading this address.",
    Retry.SIGN_IN,
)
CALLBACK_MALFORMED: Final = Failure(
    "callback-malformed",
    400,
    "That is not an answer from Webex",
    "The address contradicts itself or holds what Webex would never send. It may have been "
    "cut, changed or made up on the way.",
    "Start again from here. Nothing was signed in or changed.",
    Retry.SIGN_IN,
)
ATTEMPT_UNKNOWN: Final = Failure(
    "attempt-unknown",
    400,
    "This sign-in has expired",
    "A sign-in must be finished within ten minutes and works only once. This one is too old, was "
    "already used or never started here.",
    "Start again from here.",
    Retry.SIGN_IN,
)
ALREADY_SIGNED_IN: Final = Failure(
    "already-signed-in",
    400,
    "You are already signed in",
    "This address belongs to a sign-in that is over. Such an address works once and for ten "
    "minutes, so a bookmark or the history of your browser cannot use it again.",
    "Nothing is wrong and nothing was changed: go on to your page.",
    Retry.OWN_PAGE,
)
ATTEMPT_FOREIGN: Final = Failure(
    "attempt-foreign",
    400,
    "This sign-in was started in another browser",
    "For your protection a sign-in must end in the browser in which it began, and soon. It also "
    "fails when cookies are blocked, or when somebody sent you this link.",
    "If you meant to sign in, start again here and allow cookies for this site. If somebody sent "
    "you the link, close this page.",
    Retry.SIGN_IN,
)
ISSUER_MISMATCH: Final = Failure(
    "issuer-mismatch",
    400,
    "The answer came from somewhere else",
    "You were sent to one Webex to sign in, but the answer names another. It was not used.",
    "Start again. If it keeps happening, tell the operator: the configured address of Webex may "
    "be wrong.",
    Retry.SIGN_IN,
)
ATTEMPT_IN_PROGRESS: Final = Failure(
    "attempt-in-progress",
    409,
    "Your sign-in is being completed",
    "Another tab or a reload of this page is finishing the same sign-in at this moment.",
    "Wait a few seconds, then go on. You do not need to sign in again.",
    Retry.HOME,
)
CODE_REFUSED: Final = Failure(
    "code-refused",
    400,
    "Webex no longer accepts this sign-in",
    "The code that Webex handed out was already used, has expired or was meant for another "
    "sign-in.",
    "Start again. If it happens every time, tell the operator: the redirect URI or the "
    "integration's registration may be wrong.",
    Retry.SIGN_IN,
)
CLIENT_REFUSED: Final = Failure(
    "client-refused",
    502,
    "This application could not prove to Webex who it is",
    "You did nothing wrong: Webex did not accept the client id or the client secret of this "
    "application.",
    "Tell the operator. Operator: check CLIENT_SECRET (or make a new one in the Webex Developer "
    "Portal) and the client id, then restart.",
    Retry.SIGN_IN,
)
TOKEN_REQUEST_REFUSED: Final = Failure(
    "token-request-refused",
    502,
    "Webex refused to finish the sign-in",
    "Webex accepted you but would not give this application its access.",
    "Try again. If it keeps happening, give the operator the error code and the reference below.",
    Retry.SIGN_IN,
)
SIGN_IN_TIMED_OUT: Final = Failure(
    "sign-in-timed-out",
    504,
    "Webex took too long",
    "Webex did not answer in time, so the sign-in was given up.",
    "Try again in a moment.",
    Retry.SIGN_IN,
)
SIGN_IN_UNREACHABLE: Final = Failure(
    "sign-in-unreachable",
    502,
    "Webex could not be reached",
    "The connection from this application to Webex was refused or broke off.",
    "Try again in a moment. If it keeps happening, the operator should check the network between "
    "this server and Webex.",
    Retry.SIGN_IN,
)
SIGN_IN_UNREADABLE: Final = Failure(
    "sign-in-unreadable",
    502,
    "Webex's answer made no sense",
    "Something answered, but not in the way that Webex does; a proxy may stand in between. "
    "Nothing of it was used.",
    "Try again in a moment. If it keeps happening, give the operator the reference below.",
    Retry.SIGN_IN,
)
SIGN_IN_SERVER_FAILED: Final = Failure(
    "sign-in-server-failed",
    502,
    "Webex had a problem",
    "Webex failed while this application was finishing your sign-in.",
    "Wait a moment and try again. If it keeps happening, see status.webex.com.",
    Retry.SIGN_IN,
)
SIGN_IN_RATE_LIMITED: Final = Failure(
    "sign-in-rate-limited",
    503,
    "Webex asks us to slow down",
    "Webex takes no more sign-ins from this application for the moment.",
    "Wait, then try again.",
    Retry.SIGN_IN,
)


def _reauth(name: str, what_happened: str) -> Failure:
    what_to_do = "Sign in again and you will be back where you were."
    return Failure(name, 401, "Please sign in again", what_happened, what_to_do, Retry.SIGN_IN)


REAUTH_REQUIRED: Final = _reauth(
    "reauth-required",
    "Webex no longer accepts this application's access to your account. It has ended, was "
    "withdrawn, or your password was changed.",
)
REAUTH_GRANT_ENDED: Final = _reauth(
    "reauth-grant-ended",
    "This application has no access to your account any more: it was disconnected, or ended "
    "after a long time without use.",
)
REAUTH_NOT_RENEWABLE: Final = _reauth(
    "reauth-not-renewable",
    "The time for which Webex gave this application access to your account is over, and Webex "
    "gave no means to renew it.",
)
REAUTH_UNUSED: Final = _reauth(
    "reauth-unused",
    "This application did not use its access to your account for so long that Webex ended it.",
)
REAUTH_WITHDRAWN: Final = _reauth(
    "reauth-withdrawn",
    "Webex refused to renew this application's access to your account. It was withdrawn, or your "
    "password was changed.",
)
REAUTH_AMBIGUOUS: Final = _reauth(
    "reauth-ambiguous",
    "While this application renewed its access to your account, Webex's answer got lost on the "
    "way. Trying once more could look like theft to Webex, so it is not tried.",
)
SIGNED_OUT: Final = Failure(
    "signed-out",
    401,
    "Please sign in",
    "You need to sign in to see this page.",
    "Sign in and you will come back here.",
    Retry.SIGN_IN,
)
SCOPE_MISSING: Final = Failure(
    "scope-missing",
    403,
    "A permission is missing",
    "Webex shows this application your spaces only with this permission, and it was not granted:",
    "Sign in again and accept that permission; you will come back here.",
    Retry.SIGN_IN,
)
API_FORBIDDEN: Final = Failure(
    "api-forbidden",
    403,
    "Webex does not allow this",
    "Webex said that a scope, a role or a licence is missing for what this page needs.",
    "Sign in again and accept everything that is asked. If that does not help, ask your "
    "organization's Webex administrator.",
    Retry.SIGN_IN,
)
API_NOT_FOUND: Final = Failure(
    "api-not-found",
    404,
    "Webex has no such thing",
    "What this page was asked to show does not exist at Webex, or is not yours to see.",
    "Go back to the home page.",
    Retry.HOME,
)
API_REFUSED: Final = Failure(
    "api-refused",
    502,
    "Webex refused the request",
    "Webex did not accept what this application asked for.",
    "Try again. If it keeps happening, give the operator the reference below.",
    Retry.SAME_PAGE,
)
API_RATE_LIMITED: Final = Failure(
    "api-rate-limited",
    429,
    "Webex asks us to slow down",
    "Too much was asked of Webex in a short time for your account.",
    "Wait, then try again. You are still signed in.",
    Retry.SAME_PAGE,
)
API_SERVER_FAILED: Final = Failure(
    "api-server-failed",
    502,
    "Webex had a problem",
    "Webex failed while answering. You are still signed in and nothing is lost.",
    "Wait a moment and try again. If it keeps happening, see status.webex.com.",
    Retry.SAME_PAGE,
)
API_RENEWAL_POSTPONED: Final = Failure(
    "api-renewal-postponed",
    503,
    "Webex cannot be asked just now",
    "This application's access to your account has to be renewed, and that did not work yet. You "
    "are still signed in and nothing is lost.",
    "Wait a moment and try again.",
    Retry.SAME_PAGE,
)
API_TIMED_OUT: Final = Failure(
    "api-timed-out",
    504,
    "Webex took too long",
    "Webex did not answer in time. You are still signed in and nothing is lost.",
    "Try again in a moment.",
    Retry.SAME_PAGE,
)
API_UNREACHABLE: Final = Failure(
    "api-unreachable",
    502,
    "Webex could not be reached",
    "No connection from this application to Webex could be had, or it broke off. You are still "
    "signed in.",
    "Try again in a moment. If it keeps happening, the operator should check the network between "
    "this server and Webex.",
    Retry.SAME_PAGE,
)
LIST_TOO_LONG: Final = Failure(
    "list-too-long",
    502,
    "The list is longer than this page shows",
    "Webex has more pages of this list than are asked for in one go. What is shown is complete up "
    "to here.",
    "Use the search of the Webex app for a space that is not here.",
    Retry.NOTHING,
)
API_UNREADABLE: Final = Failure(
    "api-unreadable",
    502,
    "Webex's answer made no sense",
    "Something answered, but not in the way that Webex does. Nothing of it was used, and you are "
    "still signed in.",
    "Try again in a moment. If it keeps happening, give the operator the reference below.",
    Retry.SAME_PAGE,
)
