"""Answers in Webex's two styles: the gateway's and the identity broker's."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Literal

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from webex_oauth.emulator.recording import tracking_id_of

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
