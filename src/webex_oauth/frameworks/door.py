"""The sign-in of every door: requests in, answers and cookies out, whatever the framework."""

from collections.abc import Collection, Iterable
from contextlib import suppress
from http import HTTPStatus
from typing import Any, Final, Literal, TypeAlias, TypeVar

from msgspec import Struct

from webex_oauth.errors import GrantNotFound, SignInError, WebexOAuthError
from webex_oauth.flows.failures import FAILURES, Failure, is_used_up, sign_in_failure
from webex_oauth.flows.fetch_metadata import is_prefetch
from webex_oauth.flows.refusal_log import RefusalLog, new_reference
from webex_oauth.frameworks.answers import (
    NOTHING,
    Answer,
    FrontDoor,
    confirm_sign_out,
    failure_of,
    problem_of,
    redirect,
)
from webex_oauth.frameworks.asked import Asked
from webex_oauth.library.grants import AsyncGrant
from webex_oauth.library.integration import AsyncIntegration
from webex_oauth.library.loop import Work
from webex_oauth.library.synchronous import Grant, Integration, twin_of

SESSION_KEY: Final = "webex_person_id"
"""Where the host's own session keeps who is signed in."""

KNOWS_NOBODY: Final = "session=None knows nobody: look up the person in a way of yours"
ANOTHER_SITE: Final = "another site sent this request"
ORDINARY: Final = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN})

Session: TypeAlias = Literal["cookie", "host"] | None
T = TypeVar("T")


class Reply(Struct, frozen=True):
    """What to send, with `set_cookies`; `grant` is of a person who has just signed in."""

    answer: Answer
    set_cookies: tuple[str, ...] = ()
    grant: AsyncGrant | None = None

    @property
    def is_done(self) -> bool:
        """Whether what was asked for was done, rather than refused or asked about."""
        return self.answer.status == HTTPStatus.SEE_OTHER


class Door(FrontDoor):
    """Sign-in, callback and sign-out of *integration*.

    *session* is "cookie" for a session of the library's own; else the host says which person is
    signed in, or is None and hears of each sign-in by *on_sign_in*. If there are *allowed_orgs*,
    nobody else is admitted.
    """

    def __init__(
        self,
        integration: AsyncIntegration,
        *,
        session: Session,
        login_path: str,
        logout_path: str,
        allowed_orgs: Iterable[str],
        on_sign_in: object = None,
    ) -> None:
        if session not in {"cookie", "host", None}:
            raise ValueError('session is "cookie", "host" or None')
        if session is None and on_sign_in is None:
            raise ValueError("session=None keeps nobody signed in: give on_sign_in what to do")
        super().__init__(integration.settings, login_path, logout_path, allowed_orgs)
        self._grants, self._sign_in = integration.grants, integration.sign_in
        self.session = session
        self._log = RefusalLog()

    async def current(self, asked: Asked, person_id: str | None) -> AsyncGrant | None:
        """Return the grant of who is signed in; without a session of ours it is *person_id*."""
        grant = None
        if self.session == "cookie":
            grant = await self._sign_in.current(asked.cookies)
        elif person_id:
            with suppress(GrantNotFound):
                grant = await self._grants.get(person_id)
        return self.admitted(grant)

    async def begin(
        self, asked: Asked, person_id: str | None, *, return_to: str | None = None
    ) -> Reply:
        """Begin a sign-in; scopes that were granted before are asked for again."""
        if self.is_forged(asked):
            return self.refused(asked, "forgery-suspected")
        target = self.return_to(asked, asked.fields.get("return_to", return_to))
        scopes = asked.fields.get("scope", "").split()
        instead = self.before_sign_in(asked, target, scopes)
        if instead is not None:
            return Reply(instead)
        wanted = self.scopes_to_ask(scopes, await self.current(asked, person_id))
        try:
            start = await self._sign_in.begin(
                return_to=target, scopes=wanted, cookies=asked.cookies
            )
        except ValueError:
            return self.refused(asked, "bad-request")
        return Reply(redirect(start.url), start.set_cookies)

    async def complete(self, asked: Asked, person_id: str | None) -> Reply:
        """Complete a sign-in; a prefetch or HEAD spends nothing."""
        if asked.method == "HEAD" or is_prefetch(asked.headers):
            return Reply(NOTHING)
        try:
            end = await self._sign_in.complete(
                asked.query,
                asked.cookies,
                session=self.session == "cookie",
                allowed_orgs=self.allowed_orgs,
            )
        except SignInError as error:
            is_old = is_used_up(error) and await self.current(asked, person_id)
            name = "already-signed-in" if is_old else sign_in_failure(error)
            return self.refused(asked, name, error, return_to=error.return_to)
        answer = redirect(self.return_to(asked, end.return_to))
        if end.missing:
            answer = self.refused(
                asked, "scope-missing", return_to=end.return_to, scopes=end.missing
            ).answer
        return Reply(answer, end.set_cookies, end.grant)

    async def sign_out(self, asked: Asked, *, home: str | None = None) -> Reply:
        """Sign this browser out of a session of the library's own; GET asks first."""
        if asked.method != "POST":
            return Reply(confirm_sign_out(asked))
        if self.is_forged(asked):
            return self.refused(asked, "forgery-suspected")
        target = self.return_to(asked, asked.fields.get("return_to", home))
        return Reply(redirect(target), await self._sign_in.sign_out(asked.cookies))

    def refused(
        self,
        asked: Asked,
        name: str,
        error: WebexOAuthError | None = None,
        *,
        return_to: str | None = None,
        scopes: Collection[str] = (),
    ) -> Reply:
        """Return the answer to a sign-in that ended in the failure *name*, and log it."""
        failure = FAILURES[name]
        reference, target = self._noted(asked, failure, error), self.return_to(asked, return_to)
        return Reply(self.failed_sign_in(asked, failure, reference, target, scopes))

    def problem(self, asked: Asked, name: str, remedy: str) -> Answer:
        """Return the answer to a program whose request ended in the failure *name*, and log it."""
        failure = FAILURES[name]
        return problem_of(failure, self._noted(asked, failure, None), {"remedy": remedy})

    def answer_error(self, asked: Asked, error: WebexOAuthError) -> Answer:
        """Return the answer to a request that ended in *error*, and log what is not ordinary."""
        failure = failure_of(error)
        is_logged = failure.status not in ORDINARY
        reference = self._noted(asked, failure, error) if is_logged else ""
        return self.refusal(asked, error, reference)

    def _noted(self, asked: Asked, failure: Failure, error: WebexOAuthError | None) -> str:
        """Log a refusal; return the reference that its answer shows."""
        reference = new_reference()
        self._log.note(
            failure.name,
            str(error or failure.title),
            peer=asked.peer,
            reference=reference,
            exc_info=error if failure.name == "unexpected" else None,
        )
        return reference


class SyncDoor(Door):
    """The door of an integration without an event loop: `run` does what is awaited elsewhere."""

    def __init__(self, integration: Integration, **choices: Any) -> None:
        super().__init__(integration._twin, **choices)  # noqa: SLF001 - the two halves of one library
        self._runner = integration._runner  # noqa: SLF001

    def run(self, work: Work[T]) -> T:
        """Run *work* of this door to its end."""
        return self._runner.run(work)

    def grant(self, grant: AsyncGrant) -> Grant:
        """Return *grant* with verbs that return when they are done."""
        return twin_of(grant, self._runner)
