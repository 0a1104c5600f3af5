"""HTTP as Webex speaks it: forms, bearer tokens (RFC 6750), and answers in its two styles."""

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Literal
from urllib.parse import parse_qsl

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from webex_oauth.emulator.identity.authorization import OAuthRefusal
from webex_oauth.emulator.identity.integrations import is_satisfied
from webex_oauth.emulator.identity.tokens import AccessToken
from webex_oauth.emulator.journal import annotations_of, tracking_id_of
from webex_oauth.emulator.state import State
from webex_oauth.emulator.world import Person

JSON_TYPE = "application/json;charset=UTF-8"
NOT_FOUND = "The requested resource could not be found."
INVALID_TOKEN = "The request requires a valid access token set in the Authorization request header."  # noqa: S105 - Webex's words
FORBIDDEN = (
    "The server understood the request, but refused to fulfill it because the access token is "
    "missing required scopes or the user is missing required roles or licenses."
)
NO_STORE = {"Cache-Control": "no-store"}

Shape = Literal["gateway", "broker"]

_ENCODER = msgspec.json.Encoder()


class ApiRefusal(Exception):
    """A request to the API that is answered with an error."""

    def __init__(self, status: int, message: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.headers = dict(headers or {})


def json_answer(
    value: Any, status: int = HTTPStatus.OK, headers: Mapping[str, str] | None = None
) -> Response:
    """Answer with a value as JSON."""
    return Response(
        _ENCODER.encode(value),
        status,
        headers={**NO_STORE, **(headers or {})},
        media_type=JSON_TYPE,
    )


def gateway_error(
    request: Request, status: int, message: str, headers: Mapping[str, str] | None = None
) -> Response:
    """Answer an error as webexapis.com does."""
    body = {
        "message": message,
        "errors": [{"description": message}],
        "trackingId": tracking_id_of(request.scope),
    }
    return json_answer(body, status, headers)


def broker_error(request: Request, status: int, error: str, description: str) -> Response:
    """Answer an error as the identity broker does."""
    body = {
        "error": error,
        "error_description": description,
        "trackingID": tracking_id_of(request.scope),
    }
    return json_answer(body, status)


async def answer_api_refusal(request: Request, error: Exception) -> Response:
    """Answer an `ApiRefusal`."""
    if not isinstance(error, ApiRefusal):
        raise error
    return gateway_error(request, error.status, error.message, error.headers)


async def answer_http_error(request: Request, error: Exception) -> Response:
    """Answer what the router refuses: an unknown path, a method that is not allowed."""
    if not isinstance(error, HTTPException):
        raise error
    message = NOT_FOUND if error.status_code == HTTPStatus.NOT_FOUND else str(error.detail)
    return gateway_error(request, error.status_code, message, error.headers)


async def answer_bug(request: Request, _: Exception) -> Response:
    """Answer a fault of the emulator itself; the server logs it."""
    message = "The emulator failed: this is a bug in it, not an answer that Webex would give."
    return gateway_error(request, HTTPStatus.INTERNAL_SERVER_ERROR, message)


FORM_TYPE = "application/x-www-form-urlencoded"

_MOST_FIELDS = 100


def query_pairs(request: Request) -> list[tuple[str, str]]:
    """Read the query of a request, with its repetitions; raise `ValueError` if it is malformed."""
    return _pairs(request.scope["query_string"])


async def read_form(request: Request) -> dict[str, str]:
    """Read a form; raise `OAuthRefusal` when it is none, or repeats a name."""
    content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if content_type != FORM_TYPE:
        raise OAuthRefusal(
            "invalid_request",
            f"Content type '{content_type}' not supported",
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
        )
    try:
        pairs = _pairs(await request.body())
    except ValueError as cause:
        raise OAuthRefusal("invalid_request", "The form is malformed.") from cause
    form = dict(pairs)
    if len(form) != len(pairs):
        raise OAuthRefusal("invalid_request", "A form field is sent more than once.")
    return form


def required_field(form: Mapping[str, str], name: str) -> str:
    """Return a field of a form; raise `OAuthRefusal` when it is missing or empty."""
    value = form.get(name)
    if not value:
        raise OAuthRefusal("invalid_request", f"{name} cannot be null or empty")
    return value


def _pairs(text: bytes) -> list[tuple[str, str]]:
    return parse_qsl(
        text.decode("ascii"),
        keep_blank_values=True,
        errors="strict",
        max_num_fields=_MOST_FIELDS,
    )


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
