"""A visitor that walks the sign-in pages from a script, as a person with a browser would."""

import html
import re
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from http.client import HTTPMessage
from http.cookiejar import CookieJar
from typing import IO, Literal
from urllib.parse import parse_qs, urlencode, urljoin, urlsplit

Decision = Literal["accept", "decline"]

_TIMEOUT_SECONDS = 10.0
_LARGEST_PAGE = 4_194_304
_LONGEST_REASON = 300
_BASE = "/idb/oauth2/v1"
_TRANSACTION = re.compile(r'name="transaction" value="([0-9a-f]+)"')
_ALERT = re.compile(r'<p role="alert">(.*?)</p>', re.DOTALL)
_TAG = re.compile(r"<[^>]+>")
# RFC 6749 section 4.1.2: the redirect to the application has one of these, no other one does.
_ANSWERS = {"code", "error"}


class VisitRefused(Exception):
    """A sign-in that ended on a page of the emulator instead of at the application."""

    def __init__(self, status: int, page: str, reason: str) -> None:
        super().__init__(f"the sign-in ended on a page with status {status}: {reason}")
        self.status = status
        self.page = page
        self.reason = reason


class Visitor:
    """A person with a browser of their own: cookies stay from one sign-in to the next."""

    def __init__(self) -> None:
        self._browser = urllib.request.build_opener(
            urllib.request.ProxyHandler({}),
            urllib.request.HTTPCookieProcessor(CookieJar()),
            _StopAtAnswer(),
        )

    def sign_in(self, authorize_url: str, person_email: str, decision: Decision = "accept") -> str:
        """Choose a person, decide, and return the callback URL at the application.

        The URL is not visited. Raise `VisitRefused` when the sign-in ends on a page.
        """
        page = self._decide(self._open(authorize_url), person_email, decision)
        if not page.is_elsewhere:
            raise VisitRefused(page.status, page.text, page.reason)
        return page.url

    def sign_in_device(
        self,
        verification_uri: str,
        person_email: str,
        decision: Decision = "accept",
        *,
        user_code: str = "",
    ) -> None:
        """Enter the code that a device shows, choose a person and decide.

        `verification_uri_complete` brings its code. Raise `VisitRefused` for one that is unknown.
        """
        page = self._open(verification_uri)
        if user_code:
            page = self._send(page, "device/verify", user_code=user_code)
        page = self._decide(page, person_email, decision)
        if page.status != HTTPStatus.OK or "<form" in page.text:
            raise VisitRefused(page.status, page.text, page.reason)

    def _decide(self, page: "_Page", person_email: str, decision: Decision) -> "_Page":
        if page.has_button("person"):
            page = self._send(page, "authorize/person", person=person_email)
        if page.has_button("decision"):
            page = self._send(page, "authorize/decision", decision=decision)
        return page

    def _send(self, page: "_Page", path: str, **fields: str) -> "_Page":
        return self._open(urljoin(page.url, f"{_BASE}/{path}"), page.form(**fields))

    def _open(self, url: str, fields: Mapping[str, str] | None = None) -> "_Page":
        # The caller names the emulator's own address, which is plain HTTP.
        request = urllib.request.Request(url, urlencode(fields).encode() if fields else None)  # noqa: S310
        try:
            answer = self._browser.open(request, timeout=_TIMEOUT_SECONDS)
        except urllib.error.HTTPError as unusual:
            answer = unusual
        with answer:
            text = answer.read(_LARGEST_PAGE).decode(errors="replace")
            is_elsewhere = answer.status in (HTTPStatus.FOUND, HTTPStatus.SEE_OTHER)
            target = urljoin(url, answer.headers["Location"]) if is_elsewhere else answer.url
            return _Page(target, answer.status, text, is_elsewhere)


class _StopAtAnswer(urllib.request.HTTPRedirectHandler):
    """Follow redirects from origin to origin, but not the one that goes to the application."""

    def redirect_request(
        self,
        request: urllib.request.Request,
        file: IO[bytes],
        status: int,
        reason: str,
        headers: HTTPMessage,
        target: str,
    ) -> urllib.request.Request | None:
        if _ANSWERS & parse_qs(urlsplit(target).query).keys():
            return None
        return super().redirect_request(request, file, status, reason, headers, target)


@dataclass(frozen=True, slots=True)
class _Page:
    """A page of the emulator, or the redirect that leads elsewhere."""

    url: str
    status: int
    text: str
    is_elsewhere: bool

    @property
    def reason(self) -> str:
        """The explanation on a page of the emulator; of any other page, the beginning."""
        alert = _ALERT.search(self.text)
        words = html.unescape(_TAG.sub("", alert[1])) if alert else self.text
        return " ".join(words.split())[:_LONGEST_REASON]

    def has_button(self, name: str) -> bool:
        return f' name="{name}" value="' in self.text

    def form(self, **fields: str) -> dict[str, str]:
        """Return *fields* with the transaction that the form carries along."""
        transaction = _TRANSACTION.search(self.text)
        return {**fields, "transaction": transaction[1]} if transaction else fields
