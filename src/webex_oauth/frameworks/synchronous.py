"""The sign-in for frameworks without an event loop: requests in, answers and cookies out."""

import logging
import secrets
from collections.abc import Callable, Collection, Iterable, Mapping
from http import HTTPStatus
from typing import Final
from urllib.parse import parse_qsl

from msgspec import Struct

from webex_oauth.errors import SignInError, WebexOAuthError
from webex_oauth.flows.cookies import read_cookies
from webex_oauth.flows.failures import FAILURES, Failure, is_used_up, sign_in_failure
from webex_oauth.flows.fetch_metadata import is_prefetch
from webex_oauth.frameworks.answers import (
    NOTHING,
    Answer,
    Asked,
    FrontDoor,
    confirm_sign_out,
    failure_of,
    redirect,
)
from webex_oauth.library.synchronous import Grant, Integration

log = logging.getLogger(__name__)

REFERENCE_BYTES: Final = 5
ORDINARY: Final = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN})


class Reply(Struct, frozen=True):
    """What to send, with `set_cookies`; `grant` is of a person who has just signed in."""

    answer: Answer
    set_cookies: tuple[str, ...] = ()
    grant: Grant | None = None

    @property
    def is_done(self) -> bool:
        """Whether it was done what was asked for, rather than refused or asked about."""
        return self.answer.status == HTTPStatus.SEE_OTHER


class SyncDoor:
    """Sign-in, callback and sign-out of *integration*, as a synchronous framework asks for them.

    With *has_session* the session is the library's own. If there are *allowed_orgs*, nobody else is
    admitted.
    """

    def __init__(
        self,
        integration: Integration,
        *,
        login_path: str,
        logout_path: str,
        allowed_orgs: Iterable[str],
        has_session: bool,
    ) -> None:
        self.front = FrontDoor(integration.settings, login_path, [logout_path], allowed_orgs)
        self.integration = integration
        self.login_path = login_path
        self._sign_in = integration.sign_in
        self._logout_path = logout_path
        self._has_session = has_session

    def current(self, asked: Asked) -> Grant | None:
        """Return the grant of whoever has a session of the library's own in this browser."""
        return self.front.admitted(self._sign_in.current(_cookies(asked)))

    def begin(
        self, asked: Asked, known: Callable[[], Grant | None], *, return_to: str | None = None
    ) -> Reply:
        """Begin a sign-in; *known* finds who is signed in, whose scopes are asked for again."""
        fields, cookies = _fields(asked), _cookies(asked)
        if self.front.is_forged(asked):
            return self.refused(asked, "forgery-suspected")
        target = self.front.return_to(fields.get("return_to", return_to))
        scopes = fields.get("scope", "").split()
        instead = self.front.before_sign_in(asked, cookies, target, scopes)
        if instead is not None:
            return Reply(instead)
        wanted = self.front.scopes_to_ask(scopes, known())
        try:
            start = self._sign_in.begin(return_to=target, scopes=wanted, cookies=cookies)
        except ValueError:
            return self.refused(asked, "bad-request")
        return Reply(redirect(start.url), start.set_cookies)

    def complete(self, asked: Asked, known: Callable[[], Grant | None]) -> Reply:
        """Complete a sign-in; a prefetch or HEAD spends nothing."""
        if asked.method == "HEAD" or is_prefetch(asked.headers):
            return Reply(NOTHING)
        try:
            end = self._sign_in.complete(
                asked.target.partition("?")[2],
                _cookies(asked),
                session=self._has_session,
                allowed_orgs=self.front.allowed_orgs,
            )
        except SignInError as error:
            is_old = is_used_up(error) and known() is not None
            name = "already-signed-in" if is_old else sign_in_failure(error)
            return self.refused(asked, name, error, return_to=error.return_to)
        answer = redirect(self.front.return_to(end.return_to))
        if end.missing:
            answer = self.refused(
                asked, "scope-missing", return_to=end.return_to, scopes=end.missing
            ).answer
        return Reply(answer, end.set_cookies, end.grant)

    def sign_out(self, asked: Asked, *, home: str = "/") -> Reply:
        """Sign this browser out of the library's own session; GET asks first."""
        if asked.method != "POST":
            return Reply(confirm_sign_out(self._logout_path, asked))
        if self.front.is_forged(asked):
            return self.refused(asked, "forgery-suspected")
        target = self.front.return_to(_fields(asked).get("return_to", home))
        return Reply(redirect(target), self._sign_in.sign_out(_cookies(asked)))

    def refused(
        self,
        asked: Asked,
        name: str,
        error: WebexOAuthError | None = None,
        *,
        return_to: str = "/",
        scopes: Collection[str] = (),
    ) -> Reply:
        """Return the page of the failure *name*, and log it."""
        failure, reference = FAILURES[name], secrets.token_hex(REFERENCE_BYTES)
        _note(failure, reference, error)
        return Reply(
            self.front.failed_sign_in(asked, failure, reference, return_to=return_to, scopes=scopes)
        )

    def answer_error(self, asked: Asked, error: WebexOAuthError) -> Answer:
        """Return the answer to a request that ended in *error*, and log what is not ordinary."""
        failure, reference = failure_of(error), secrets.token_hex(REFERENCE_BYTES)
        if failure.status not in ORDINARY:
            _note(failure, reference, error)
        return self.front.refusal(asked, error, reference)


def _note(failure: Failure, reference: str, error: WebexOAuthError | None) -> None:
    log.warning(
        "request refused (%(failure)s): %(reason)s; reference %(reference)s",
        {"failure": failure.name, "reason": str(error or failure.title), "reference": reference},
        exc_info=error if failure.name == "unexpected" else None,
    )


def _cookies(asked: Asked) -> Mapping[str, str]:
    header = asked.headers.get("cookie", "").encode("latin-1", "replace")
    return read_cookies([(b"cookie", header)])


def _fields(asked: Asked) -> Mapping[str, str]:
    return dict(parse_qsl(asked.target.partition("?")[2]))
