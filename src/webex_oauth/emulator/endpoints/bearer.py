"""Bearer tokens (RFC 6750): who asks, and whether they may."""

from dataclasses import dataclass
from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import Response

from webex_oauth.emulator.endpoints.answers import (
    FORBIDDEN,
    INVALID_TOKEN,
    ApiRefusal,
)
from webex_oauth.emulator.identity.scopes import is_satisfied
from webex_oauth.emulator.identity.tokens import AccessToken
from webex_oauth.emulator.recording import annotations_of
from webex_oauth.emulator.state import State
from webex_oauth.emulator.world.people import Person


@dataclass(frozen=True, slots=True)
class Permission:
    """On whose behalf a request comes, as that person is now, and what they granted."""

    person: Person
    scopes: tuple[str, ...]


class Throttled(Exception):
    """A request too many; the answer says when to come again."""

    def __init__(self, retry_after_seconds: int) -> None:
        super().__init__("too many requests")
        self.retry_after_seconds = retry_after_seconds


def check_bearer(state: State, request: Request) -> AccessToken:
    """Find the access token of a request; raise `ApiRefusal` (401) unless it is good."""
    scheme, _, value = request.headers.get("authorization", "").partition(" ")
    token = state.tokens.access_token(value.strip()) if scheme.lower() == "bearer" else None
    if token is None:
        raise _unauthorized(state)
    annotations_of(request.scope).client_id = state.tokens.grant_of(token).client_id
    return token


def check_permission(state: State, request: Request, *, api: str, scope: str) -> Permission:
    """Find out on whose behalf a request comes.

    Raise `ApiRefusal` without a good token or a living person (401) or the scope (403), and
    `Throttled` (429) when this token has asked this API too often.
    """
    token = check_bearer(state, request)
    wait_seconds = state.rate_limits.seconds_to_wait(token.value, api)
    if wait_seconds:
        raise Throttled(wait_seconds)
    grant = state.tokens.grant_of(token)
    if not is_satisfied(scope, grant.scopes):
        raise ApiRefusal(HTTPStatus.FORBIDDEN, FORBIDDEN)
    person = state.world.person(grant.person.uuid)
    if person is None:
        raise _unauthorized(state)
    return Permission(person, grant.scopes)


async def answer_throttled(_: Request, error: Exception) -> Response:
    """Answer 429 as Webex documents it: with seconds to wait, and a body that is not JSON."""
    if not isinstance(error, Throttled):
        raise error
    return Response(
        "<html><body><h1>429 Too Many Requests</h1></body></html>",
        HTTPStatus.TOO_MANY_REQUESTS,
        headers={"Retry-After": str(error.retry_after_seconds)},
        media_type="text/html",
    )


def _unauthorized(state: State) -> ApiRefusal:
    is_challenge_sent = state.switchboard.options.is_www_authenticate_sent
    headers = {"WWW-Authenticate": "Bearer"} if is_challenge_sent else {}
    return ApiRefusal(HTTPStatus.UNAUTHORIZED, INVALID_TOKEN, headers)
