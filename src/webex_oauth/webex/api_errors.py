"""Answers of the API that are no success, and the error that each stands for."""

from collections.abc import Mapping
from dataclasses import replace
from http import HTTPStatus

from webex_oauth.errors import (
    AccessForbidden,
    AccessTokenRefused,
    ApiError,
    InvalidResponse,
    ResourceNotFound,
)
from webex_oauth.oauth.availability import check_not_failed, check_not_throttled
from webex_oauth.oauth.foreign_text import read_text
from webex_oauth.oauth.http import HttpResponse
from webex_oauth.oauth.json_object import NO_MEMBERS, check_json, read_json_object
from webex_oauth.webex.refusals import TRACKING_HEADER, ErrorBody, read_error_body

MAX_ERROR_BYTES = 64 * 1024
"""A longer body is no error of Webex's, and is not read."""

_CLIENT_ERRORS = range(400, 500)
_KINDS: Mapping[int, type[ApiError]] = {
    HTTPStatus.UNAUTHORIZED: AccessTokenRefused,
    HTTPStatus.FORBIDDEN: AccessForbidden,
    HTTPStatus.NOT_FOUND: ResourceNotFound,
}


def check_api_response(response: HttpResponse, now: int) -> None:
    """Raise the error that *response* stands for, unless it is a success with JSON in it."""
    if response.status == HTTPStatus.OK:
        check_json(response)
        return
    check_not_throttled(response, now)
    body = _read_error(response)
    check_not_failed(response, now, body.tracking_id)
    if response.status not in _CLIENT_ERRORS:
        raise InvalidResponse(f"the API answered {response.status}")
    kind = _KINDS.get(response.status, ApiError)
    message = body.message or "no reason was given"
    raise kind(response.status, message, tracking_id=body.tracking_id)


def _read_error(response: HttpResponse) -> ErrorBody:
    body = read_error_body(_members(response))
    if body.tracking_id:
        return body
    return replace(body, tracking_id=read_text(response.headers.get(TRACKING_HEADER)))


def _members(response: HttpResponse) -> Mapping[str, object]:
    if len(response.body) > MAX_ERROR_BYTES:
        return NO_MEMBERS
    try:
        return read_json_object(response)
    except InvalidResponse:
        return NO_MEMBERS
