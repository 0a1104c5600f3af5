"""Calls to Webex's REST API: what to ask, how to ask it, how to read the answer."""

import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from typing import Generic, NewType, TypeVar
from urllib.parse import quote, urlencode

from webex_oauth.errors import (
    AccessForbidden,
    AccessTokenRefused,
    ApiError,
    InvalidResponse,
    ResourceNotFound,
)
from webex_oauth.oauth.bearer import authorization_header
from webex_oauth.oauth.foreign_text import read_text
from webex_oauth.oauth.http import HttpRequest, HttpResponse
from webex_oauth.oauth.json_object import NO_MEMBERS, check_json, read_json_object
from webex_oauth.oauth.retry_after import check_not_failed, check_not_throttled
from webex_oauth.secret import Secret
from webex_oauth.webex.paging import Items, Page, PageUrl, read_next_link
from webex_oauth.webex.platform import Platform
from webex_oauth.webex.refusals import TRACKING_HEADER, ErrorBody, read_error_body

MAX_ERROR_BYTES = 64 * 1024
"""A longer body is no error of Webex's, and is not read."""

_CLIENT_ERRORS = range(400, 500)
_KINDS: Mapping[int, type[ApiError]] = {
    HTTPStatus.UNAUTHORIZED: AccessTokenRefused,
    HTTPStatus.FORBIDDEN: AccessForbidden,
    HTTPStatus.NOT_FOUND: ResourceNotFound,
}
ApiPath = NewType("ApiPath", str)
"""A relative path; only `api_path` makes one."""

MAX_SEGMENT_CHARACTERS = 512
_STRUCTURAL = frozenset("/\\?#%;")
_DOTS = frozenset({".", ".."})
Result = TypeVar("Result")
Item = TypeVar("Item")


def api_path(*segments: str) -> ApiPath:
    """Join *segments*, each percent-encoded.

    Raises ValueError for a segment that could be read as anything but one segment.
    """
    for segment in segments:
        _check_segment(segment)
    return ApiPath("/".join(quote(segment, safe="") for segment in segments))


def _check_segment(segment: str) -> None:
    if not segment or segment in _DOTS or len(segment) > MAX_SEGMENT_CHARACTERS:
        raise ValueError("a path segment is empty, dots only or too long")
    if any(character in _STRUCTURAL or _is_hidden(character) for character in segment):
        raise ValueError("a path segment has characters that structure a URL")


def _is_hidden(character: str) -> bool:
    return unicodedata.category(character)[0] in "CZ"


@dataclass(frozen=True, slots=True)
class Call(Generic[Result]):
    """A question with one answer; `read` takes the body and raises InvalidResponse."""

    path: ApiPath
    read: Callable[[bytes], Result]
    query: Mapping[str, str] = field(default_factory=dict)
    target: str = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "target", _target(self.path, self.query))


@dataclass(frozen=True, slots=True)
class Listing(Generic[Item]):
    """A question whose answer comes page by page; `read_items` takes one page's body."""

    path: ApiPath
    read_items: Callable[[bytes], Items[Item]]
    query: Mapping[str, str] = field(default_factory=dict)
    target: str = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "target", _target(self.path, self.query))


def _target(path: ApiPath, query: Mapping[str, str]) -> str:
    return f"{path}?{urlencode(query, quote_via=quote, safe='')}" if query else path


def api_request(
    platform: Platform, asked: Call[Result] | Listing[Item], access_token: Secret
) -> HttpRequest:
    """Build the request of a call, or of the first page of a listing."""
    return _get(f"{platform.api_base_url}{asked.target}", access_token)


def page_request(platform: Platform, next_url: PageUrl, access_token: Secret) -> HttpRequest:
    """Build the request of a further page.

    Raises ValueError for a page of another Webex, to which the access token must not go.
    """
    if not next_url.text.startswith(platform.api_base_url):
        raise ValueError("the page belongs to another Webex")
    return _get(next_url.text, access_token)


def read_api_response(call: Call[Result], response: HttpResponse, now: int) -> Result:
    """Read the answer to *call*.

    Raises AccessTokenRefused, AccessForbidden, ResourceNotFound or another ApiError when Webex
    refused, RateLimited or ServerFailed when it could not answer, InvalidResponse for the rest.
    """
    check_api_response(response, now)
    return call.read(response.body)


def read_page(
    listing: Listing[Item], platform: Platform, response: HttpResponse, now: int
) -> Page[Item]:
    """Read one page of *listing*; raises what `read_api_response` raises."""
    check_api_response(response, now)
    next_url = read_next_link(response.headers.get("link"), platform)
    items = listing.read_items(response.body)
    return Page(items.readable, next_url, items.unreadable_count)


def _get(url: str, access_token: Secret) -> HttpRequest:
    headers = {"accept": "application/json", "authorization": authorization_header(access_token)}
    return HttpRequest("GET", url, headers)


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
