"""What a front door in a program of others answers: plain pages, problems, and the way to sign in.

Nothing here knows a framework: each turns an `Answer` into a response of its own.
"""

from base64 import b64encode
from collections.abc import Collection, Iterable, Mapping
from hashlib import sha256
from html import escape
from typing import Final, TypeVar
from urllib.parse import urlencode, urlsplit

from msgspec import Struct
from msgspec.structs import replace

from webex_oauth.errors import (
    GrantNotFound,
    MissingScope,
    ReauthRequired,
    TemporaryError,
    WebexOAuthError,
)
from webex_oauth.flows.cookies import CookieJar
from webex_oauth.flows.failures import (
    FAILURES,
    PROBLEM_JSON,
    Failure,
    Retry,
    api_failure,
    prefers_json,
    problem,
)
from webex_oauth.flows.fetch_metadata import Follower, follower_of, is_foreign
from webex_oauth.flows.sign_in import HOME, read_return_to
from webex_oauth.frameworks.asked import Asked
from webex_oauth.library.grants import Snapshot
from webex_oauth.oauth.authorization import scopes_to_ask
from webex_oauth.settings import Settings
from webex_oauth.settings.urls import split_url
from webex_oauth.webex.people import is_one_of
from webex_oauth.webex.platform import DEFAULT_PORTS, is_loopback_host

RETRY_AFTER_SECONDS: Final = 5
"""When to come back if nobody knows."""

MOST_IN_A_ROW: Final = 4
IN_A_ROW_SECONDS: Final = 60
"""A browser that begins more sign-ins than these within that time may go in circles."""

SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})
STYLE: Final = (
    ":root{color-scheme:light dark;font:1rem/1.5 system-ui,sans-serif}"
    "main{max-width:36rem;margin:12vh auto;padding:0 1rem}button{font:inherit;padding:.5rem 1rem}"
)
_STYLE_HASH = b64encode(sha256(STYLE.encode()).digest()).decode()
CLOSED: Final[dict[str, str]] = {
    "cache-control": "no-store",
    "vary": "cookie",
    "referrer-policy": "no-referrer",
}
"""On every answer, also a redirect: it is this person's, and its address may hold a code."""

# No form-action: Chromium applies it to the redirects behind a form, and these lead to Webex.
PAGE_HEADERS: Final = CLOSED | {
    "content-type": "text/html; charset=utf-8",
    "content-security-policy": (
        f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; base-uri 'none'; "
        "frame-ancestors 'none'"
    ),
    # With no-referrer, browsers would hide that a form is the page's own.
    "referrer-policy": "strict-origin",
    "x-content-type-options": "nosniff",
}
AGAIN: Final = "You were sent to sign in several times in a row. Continue only if you want to."
ELSEWHERE: Final = (
    "A link on another site brought you here to sign in. Continue only if you want to."
)


GrantT = TypeVar("GrantT", bound=Snapshot)


class Answer(Struct, frozen=True):
    """A status, headers and a body to send."""

    status: int
    headers: dict[str, str]
    body: bytes = b""


NOTHING: Final = Answer(204, CLOSED)


def redirect(path: str) -> Answer:
    """Return the redirect that always becomes a GET (RFC 9110 section 15.4.4)."""
    return Answer(303, CLOSED | {"location": path})


class FrontDoor:
    """The answers of an integration whose sign-in begins at *login_path*.

    Paths are those of the application, which may be below a prefix (`Asked.below`). No sign-in
    leads back to one that acts. If there are *allowed_orgs*, nobody else is admitted.
    """

    def __init__(
        self,
        settings: Settings,
        login_path: str,
        logout_path: str,
        allowed_orgs: Iterable[str] = (),
    ) -> None:
        if isinstance(allowed_orgs, str):
            raise TypeError("allowed_orgs are several ids: give a list")
        self.allowed_orgs = tuple(allowed_orgs)
        self.origin = settings.public_origin
        self._scopes = settings.scopes
        self.login_path = login_path
        self._acting = (login_path, logout_path)
        self._callback_path = settings.callback_path
        self._jar = CookieJar(settings.client)

    def return_to(self, asked: Asked, text: str | None) -> str:
        """Return the path that a sign-in leads back to: home rather than one that acts."""
        path = read_return_to(text)
        acting = {self._callback_path, *map(asked.below, self._acting)}
        return asked.home if path == HOME or path.leads_to(acting) else path.path

    def sign_in_path(self, asked: Asked, return_to: str, scopes: Collection[str] = ()) -> str:
        """Return the path that begins a sign-in, also for *scopes*."""
        query = {"return_to": return_to} | ({"scope": " ".join(scopes)} if scopes else {})
        return f"{asked.below(self.login_path)}?{urlencode(query)}"

    def scopes_to_ask(self, scopes: Collection[str], grant: Snapshot | None) -> set[str]:
        """Return *scopes*, and those granted before if an attempt has room for all."""
        return scopes_to_ask(scopes, grant.scopes if grant else (), self._scopes)

    def is_forged(self, asked: Asked) -> bool:
        """Return whether another site sent a request that may change something."""
        return asked.method not in SAFE_METHODS and is_foreign(asked.headers, self.origin)

    def before_sign_in(
        self, asked: Asked, return_to: str, scopes: Collection[str]
    ) -> Answer | None:
        """Return what to answer instead of beginning a sign-in; None to begin it.

        A person whom another site sent, or who is sent here again and again, is asked first.
        """
        if asked.method == "POST":
            return None
        follower = follower_of(asked.method, asked.headers, self.origin)
        if follower is Follower.NOBODY:
            return NOTHING
        if self._has_another_name(asked.headers.get("host", "")):
            return redirect(self.origin + asked.target)
        if follower is Follower.OTHER_SITE:
            return self._confirm_sign_in(ELSEWHERE, asked, return_to, scopes)
        if self._jar.count_attempts(asked.cookies, IN_A_ROW_SECONDS) >= MOST_IN_A_ROW:
            return self._confirm_sign_in(AGAIN, asked, return_to, scopes)
        return None

    def _has_another_name(self, host: str) -> bool:
        """Return whether *host* is this machine by a name that will not get the callback.

        Servers print http://127.0.0.1:8080 where localhost is registered; cookies tell them apart.
        """
        asked, own = split_url(f"//{host}"), urlsplit(self.origin)
        if asked is None or asked.hostname == own.hostname:
            return False
        usual = DEFAULT_PORTS[own.scheme]
        names = (asked.hostname or "", own.hostname or "")
        return (asked.port or usual) == (own.port or usual) and all(map(is_loopback_host, names))

    def admitted(self, grant: GrantT | None) -> GrantT | None:
        """Return the grant if its person may be signed in here."""
        orgs = self.allowed_orgs
        return grant if grant and (not orgs or is_one_of(grant.org_id, orgs)) else None

    def sign_in_url(self, asked: Asked) -> str:
        """Return the whole address that begins a sign-in."""
        return self.origin + asked.below(self.login_path)

    def usable(self, grant: GrantT | None, scopes: Collection[str], sign_in_url: str) -> GrantT:
        """Return the grant of whoever is signed in, if it can be used and has *scopes*.

        Raises what `refusal` answers: GrantNotFound, ReauthRequired, MissingScope.
        """
        if grant is None:
            error = GrantNotFound("nobody is signed in in this browser")
            error.remedy = f"sign in at {sign_in_url}"
            raise error
        if grant.reason is not None:
            reauth = ReauthRequired(grant.reason, sign_in_url)
            reauth.person_id = grant.person_id
            raise reauth
        return grant.require(*scopes)

    def refusal(self, asked: Asked, error: WebexOAuthError, reference: str) -> Answer:
        """Return the answer to a request that ended in *error*.

        If only the person can help, a page visit is sent to the sign-in, and a program is told
        where that is.
        """
        failure = failure_of(error)
        more: dict[str, object] = {}
        if isinstance(error, GrantNotFound | MissingScope | ReauthRequired):
            scopes = error.scopes if isinstance(error, MissingScope) else ()
            path = self.sign_in_path(asked, self._here(asked), scopes)
            if asked.is_page_visit:
                return redirect(path)
            more = {"sign_in_url": self.origin + path}
        if asked.is_page_visit:
            answer = _failure_page(asked, failure, reference)
        else:
            more |= {"error": type(error).__name__, "remedy": error.remedy}
            answer = problem_of(failure, reference, more)
        if isinstance(error, TemporaryError):
            seconds = error.retry_after_seconds or RETRY_AFTER_SECONDS
            answer = replace(answer, status=503, headers=answer.headers | _retry_after(seconds))
        return answer

    def failed_sign_in(
        self,
        asked: Asked,
        failure: Failure,
        reference: str,
        return_to: str,
        scopes: Collection[str] = (),
    ) -> Answer:
        """Return the answer to a sign-in that ended in *failure*.

        A new one leads to *return_to* and asks for *scopes*, which were not granted.
        """
        path = self.sign_in_path(asked, return_to, scopes)
        if prefers_json(asked.headers.get("accept", "")):
            return problem_of(failure, reference, {"sign_in_url": self.origin + path})
        button = _button(path, "Sign in again") if failure.retry is Retry.SIGN_IN else ""
        return _failure_page(asked, failure, reference, scopes, button)

    def _confirm_sign_in(
        self, why: str, asked: Asked, return_to: str, scopes: Collection[str]
    ) -> Answer:
        """Return the page that asks whether to begin a sign-in; *why* says why it asks."""
        button = _button(self.sign_in_path(asked, return_to, scopes), "Sign in with Webex")
        return _page(asked, 200, "Sign in with Webex?", [escape(why)], button)

    def _here(self, asked: Asked) -> str:
        """Return where the person is: a program's page, if its browser says which."""
        if asked.is_page_visit:
            return self.return_to(asked, asked.target)
        referer = asked.headers.get("referer", "")
        return self.return_to(asked, referer.removeprefix(self.origin))


def confirm_sign_out(asked: Asked) -> Answer:
    """Return the page that asks whether to sign out, and keeps where that leads."""
    told = ["This browser will be signed out."]
    return _page(asked, 200, "Sign out?", told, _button(asked.target, "Sign out"))


def failure_of(error: WebexOAuthError) -> Failure:
    """Return the failure in which *error* ends a request."""
    if isinstance(error, GrantNotFound):
        return FAILURES["signed-out"]
    if isinstance(error, MissingScope):
        return FAILURES["scope-missing"]
    return FAILURES[api_failure(error)]


def problem_of(failure: Failure, reference: str, more: Mapping[str, object]) -> Answer:
    """Return what a program is told; *more* are further members."""
    headers = CLOSED | {"content-type": PROBLEM_JSON}
    return Answer(failure.status, headers, problem(failure, reference, **more))


def _retry_after(seconds: int) -> dict[str, str]:
    return {"retry-after": str(seconds)}


def _failure_page(
    asked: Asked, failure: Failure, reference: str, scopes: Collection[str] = (), button: str = ""
) -> Answer:
    told = [escape(failure.what_happened), *(f"<code>{escape(scope)}</code>" for scope in scopes)]
    told += [escape(failure.what_to_do), reference and f"Reference: <code>{reference}</code>"]
    return _page(asked, failure.status, failure.title, told, button)


def _page(asked: Asked, status: int, title: str, told: Iterable[str], button: str) -> Answer:
    paragraphs = "".join(f"<p>{text}</p>" for text in told if text)
    html = (
        '<!doctype html><html lang="en"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width">'
        f"<title>{escape(title)}</title><style>{STYLE}</style>"
        f"<main><h1>{escape(title)}</h1>{paragraphs}{button}"
        f'<p><a href="{escape(asked.home)}">Home page</a></p></main></html>'
    )
    return Answer(status, PAGE_HEADERS, html.encode())


def _button(path: str, label: str) -> str:
    return f'<form method="post" action="{escape(path)}"><button>{label}</button></form>'
