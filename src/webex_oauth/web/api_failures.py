"""What a signed-in person is told when Webex cannot be used for them."""

from typing import Final

from webex_oauth.web.failures import Failure, Retry


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
