"""What a person is told when this application refuses a request or fails by itself."""

from typing import Final

from webex_oauth.web.failures import Failure, Retry

PAGE_NOT_FOUND: Final = Failure(
    "page-not-found",
    404,
    "There is no such page",
    "Nothing lives at this address. It may be misspelled, or the link that led here is old.",
    "Go to the home page and find your way from there.",
    Retry.HOME,
)
METHOD_NOT_ALLOWED: Final = Failure(
    "method-not-allowed",
    405,
    "This page does not work that way",
    "The page exists, but not for the kind of request that was sent.",
    "Go to the home page and use its links and buttons.",
    Retry.HOME,
)
BAD_REQUEST: Final = Failure(
    "bad-request",
    400,
    "The request could not be understood",
    "What your browser sent is broken or contradicts itself.",
    "Go to the home page and try again from there.",
    Retry.HOME,
)
BODY_TOO_LARGE: Final = Failure(
    "body-too-large",
    413,
    "That is too much",
    "The form that was sent is larger than any form of this application.",
    "Go to the home page and try again from there.",
    Retry.HOME,
)
BODY_TOO_SLOW: Final = Failure(
    "body-too-slow",
    408,
    "Your form did not arrive",
    "The connection was too slow or broke off: after some seconds a part of the form was still "
    "missing. Nothing was changed.",
    "Go to the home page and try again from there.",
    Retry.HOME,
)
URL_TOO_LONG: Final = Failure(
    "url-too-long",
    414,
    "The address is too long",
    "The address that was opened is longer than any address of this application.",
    "Go to the home page and try again from there.",
    Retry.HOME,
)
HEADERS_TOO_LARGE: Final = Failure(
    "headers-too-large",
    431,
    "Your browser sent too many cookies",
    "The cookies and headers of the request are larger than this application accepts.",
    "Delete this site's cookies in your browser, then start again from the home page.",
    Retry.HOME,
)
MEDIA_TYPE_UNSUPPORTED: Final = Failure(
    "media-type-unsupported",
    415,
    "This page does not work that way",
    "The page takes an ordinary web form and something else was sent.",
    "Go to the home page and use its buttons.",
    Retry.HOME,
)
FORGERY_SUSPECTED: Final = Failure(
    "forgery-suspected",
    403,
    "We could not tell that it was you",
    "The request did not come from a current page of this application: the page was open too "
    "long, you signed out or in meanwhile, or another site sent the request. Nothing was changed.",
    "Go to the home page and press the button there.",
    Retry.HOME,
)
WRONG_HOST: Final = Failure(
    "wrong-host",
    421,
    "Please use the right address",
    "You opened this application under another name than the one that is registered with Webex.",
    "Go on at the address below. Operator: if it is not the right one, correct WEBEX_REDIRECT_URI "
    "(or the redirect_uri inside AUTH_INIT_URL).",
    Retry.NOTHING,
)
STORE_UNAVAILABLE: Final = Failure(
    "store-unavailable",
    503,
    "We cannot look up your sign-in just now",
    "The place where this application keeps its sign-ins does not answer. You have not been "
    "signed out.",
    "Try again in a moment.",
    Retry.SAME_PAGE,
)
OVERLOADED: Final = Failure(
    "overloaded",
    503,
    "Too many people at once",
    "This application is busy and did not take your request.",
    "Try again in a moment.",
    Retry.SAME_PAGE,
)
UNEXPECTED: Final = Failure(
    "unexpected",
    500,
    "Something went wrong here",
    "This application made a mistake; it is not your fault and not Webex's.",
    "Try again. If it happens again, give the operator the reference below.",
    Retry.HOME,
)
