"""HTTP as Webex speaks it: forms, bearer tokens (RFC 6750), and answers in its two styles."""

from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from typing import Any, TypeVar
from urllib.parse import parse_qsl

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from webex_oauth.emulator.identity import OAuthRefusal
from webex_oauth.emulator.identity.integrations import is_satisfied
from webex_oauth.emulator.identity.tokens import Grant, Token
from webex_oauth.emulator.journal import entry_of
from webex_oauth.emulator.state import State
from webex_oauth.emulator.world import read_webex_id

_Body = TypeVar("_Body")
Handler = Callable[[State, Request], Awaitable[Response]]
Routes = tuple[tuple[str, str, Handler], ...]
"""What an endpoint consists of: methods (such as `GET PUT`), path, and handler."""

FORM_TYPE = "application/x-www-form-urlencoded"
JSON_TYPE = "application/json;charset=UTF-8"
INVALID_TOKEN = "The request requires a valid access token set in the Authorization request header."  # noqa: S105 - Webex's words
FORBIDDEN = (
    "The server understood the request, but refused to fulfill it because the access token is "
    "missing required scopes or the user is missing required roles or licenses."
)

_NOT_FOUND = "The requested resource could not be found."
_BUG = "The emulator failed: this is a bug in it, not an answer that Webex would give."
_MOST_FIELDS = 100
_RATE_WINDOW_SECONDS = 60


def json_answer(
    value: Any, status: int = HTTPStatus.OK, headers: Mapping[str, str] | None = None
) -> Response:
    """Return a value as a JSON answer."""
    headers = {"Cache-Control": "no-store", **(headers or {})}
    return Response(msgspec.json.encode(value), status, headers, JSON_TYPE)


def gateway_error(
    request: Request,
    status: int,
    message: str,
    headers: Mapping[str, str] | None = None,
    description: str = "",
) -> Response:
    """Return an error in the style of webexapis.com."""
    body = {
        "message": message,
        "errors": [{"description": description or message}],
        "trackingId": entry_of(request.scope).tracking_id,
    }
    return json_answer(body, status, headers)


async def answer_bug(request: Request, _: Exception) -> Response:
    """Return the answer (500) to a defect of the emulator."""
    return gateway_error(request, HTTPStatus.INTERNAL_SERVER_ERROR, _BUG)


async def answer_http_error(request: Request, error: HTTPException) -> Response:
    """Return the answer to what an endpoint or the router refuses."""
    if error.status_code == HTTPStatus.TOO_MANY_REQUESTS:
        # Webex documents a body that is not JSON.
        html = "<html><body><h1>429 Too Many Requests</h1></body></html>"
        return Response(html, error.status_code, error.headers, "text/html")
    is_plain = error.detail == HTTPStatus.NOT_FOUND.phrase
    message = _NOT_FOUND if is_plain else error.detail
    return gateway_error(request, error.status_code, message, error.headers)


async def answer_oauth_error(state: State, request: Request, refusal: OAuthRefusal) -> Response:
    """Return a refusal in the style of the origin, or in the one that an option chooses."""
    is_unauthorized = refusal.status == HTTPStatus.UNAUTHORIZED
    status = state.options.wrong_secret_status if is_unauthorized else refusal.status
    shape = state.options.error_shape
    is_at_broker = request.url.path.startswith("/idb/")
    if shape == "gateway" or (shape == "by_path" and not is_at_broker):
        return gateway_error(request, status, refusal.message, description=refusal.description)
    body = {
        "error": refusal.error,
        "error_description": refusal.description,
        "trackingID": entry_of(request.scope).tracking_id,
    }
    return json_answer(body, status)


async def read_form(request: Request) -> dict[str, str]:
    """Return the form of a request; raise `OAuthRefusal` if there is none or it repeats a name."""
    content_type = content_type_of(request)
    if content_type != FORM_TYPE:
        raise OAuthRefusal(
            "invalid_request",
            f"Content type '{content_type}' not supported",
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
        )
    try:
        pairs = parse_qsl(
            (await request.body()).decode("ascii"),
            keep_blank_values=True,
            errors="strict",
            max_num_fields=_MOST_FIELDS,
        )
    except ValueError as cause:
        raise OAuthRefusal("invalid_request", "The form is malformed.") from cause
    form = dict(pairs)
    if len(form) != len(pairs):
        raise OAuthRefusal("invalid_request", "A form field is sent more than once.")
    return form


async def read_json(request: Request, kind: type[_Body]) -> _Body:
    """Return the body of a request; refuse another type (415) and what it cannot be (400)."""
    content_type = content_type_of(request)
    if content_type != "application/json":
        message = f"Content type '{content_type}' not supported"
        raise HTTPException(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, message)
    try:
        return msgspec.json.decode(await request.body(), type=kind)
    except msgspec.MsgspecError as cause:
        raise HTTPException(HTTPStatus.BAD_REQUEST, str(cause)) from cause


def content_type_of(request: Request) -> str:
    """Return the media type of a request's body, without its parameters."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def required_field(form: Mapping[str, str], name: str) -> str:
    """Return a field of a form; raise `OAuthRefusal` if it is missing or empty."""
    value = form.get(name)
    if not value:
        raise OAuthRefusal("invalid_request", f"{name} cannot be null or empty")
    return value


def lacking(what: str) -> HTTPException:
    """Return the refusal (501) of what Webex has and the emulator has not."""
    message = f"This emulator does not have {what} yet; Webex does."
    return HTTPException(HTTPStatus.NOT_IMPLEMENTED, message, {"Emulator-Lacks": what})


def read_id(kind: str, text: str) -> str:
    """Return the UUID in an id of a *kind*; refuse (400) anything else."""
    try:
        return read_webex_id(kind, text)
    except ValueError as cause:
        raise HTTPException(HTTPStatus.BAD_REQUEST, str(cause)) from cause


def check_bearer(state: State, request: Request) -> Token:
    """Return the access token of a request; refuse (401) one that is not valid."""
    scheme, _, value = request.headers.get("authorization", "").partition(" ")
    token = state.tokens.access_token(value.strip()) if scheme.lower() == "bearer" else None
    if token is None:
        headers = {"WWW-Authenticate": "Bearer"} if state.options.is_www_authenticate_sent else {}
        raise HTTPException(HTTPStatus.UNAUTHORIZED, INVALID_TOKEN, headers)
    entry_of(request.scope).client_id = token.grant.client_id
    return token


def check_permission(state: State, request: Request, *, api: str, scope: str) -> Grant:
    """Return the grant under which a request comes.

    Refuse one without a valid token (401), without the scope (403), and one too many of this token
    at this API (429).
    """
    token = check_bearer(state, request)
    _check_rate(state, token, api)
    if not is_satisfied(scope, token.grant.scopes):
        raise HTTPException(HTTPStatus.FORBIDDEN, FORBIDDEN)
    return token.grant


def _check_rate(state: State, token: Token, api: str) -> None:
    """Count a request in windows of one minute, which begin with their first request."""
    limit, now = state.options.requests_per_minute, state.clock.now()
    begun_at, count = state.rate_windows.get((token.value, api), (now, 0))
    if not begun_at <= now < begun_at + _RATE_WINDOW_SECONDS:
        begun_at, count = now, 0
    state.rate_windows[token.value, api] = (begun_at, count + 1)
    if limit and count >= limit:
        headers = {"Retry-After": str(begun_at + _RATE_WINDOW_SECONDS - now)}
        raise HTTPException(HTTPStatus.TOO_MANY_REQUESTS, headers=headers)
