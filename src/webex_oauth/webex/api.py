"""Calls to Webex's REST API: what to ask, how to ask it, how to read the answer."""

import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from typing import Generic, NewType, TypeVar, final
from urllib.parse import quote, unquote, urlencode

from webex_oauth.errors import (
    AccessForbidden,
    AccessTokenRefused,
    ApiError,
    InvalidResponse,
    ListTooLong,
    ResourceNotFound,
)
from webex_oauth.oauth.http import (
    NO_MEMBERS,
    HttpRequest,
    HttpResponse,
    check_json,
    check_not_failed,
    check_not_throttled,
    read_json_object,
    read_text,
)
from webex_oauth.oauth.token import authorization_header
from webex_oauth.secret import Secret
from webex_oauth.webex.platform import TRACKING_HEADER, ErrorBody, Platform, read_error_body

Result = TypeVar("Result")
Item = TypeVar("Item")
_DOTS = frozenset({".", ".."})
MAX_LINK_CHARACTERS = 8 * 1024
# Possessive quantifiers keep the time linear, whatever the header says.
_NAME = r"[!#$%&'*+.^_`|~0-9A-Za-z-]++"
_VALUE = rf'(?:{_NAME}|"(?:[^"\\]|\\.)*+")'
_PARAMETER = rf"[ \t]*+;[ \t]*+(?:({_NAME})[ \t]*+(?:=[ \t]*+({_VALUE}))?+)?+"
_LINK = re.compile(rf"<([^<>]*+)>((?:{_PARAMETER})*+)[ \t]*+(?:,|\Z)")
_ONE_PARAMETER = re.compile(_PARAMETER)
_BETWEEN_LINKS = re.compile(r"[ \t,]*+")
_URL = re.compile(r"(?:[A-Za-z0-9._~:/?\[\]@!$&'()*+,;=-]|%[0-9A-Fa-f]{2})++", re.ASCII)
_SLASHES = re.compile(r"[/\\]")
MAX_PAGES = 1_000


@final
@dataclass(frozen=True, slots=True)
class PageUrl:
    """The URL of a further page, on the API's own origin; only `read_next_link` makes one."""

    text: str


def read_next_link(header: str | None, platform: Platform) -> PageUrl | None:
    """Find the next page in a `link` header; None when this was the last.

    Raises InvalidResponse for a header that cannot be read, for two different next pages, and
    for one that is not below the API's base URL: the access token would follow it.
    """
    targets = {target for target, relations in _read_links(header or "") if "next" in relations}
    if not targets:
        return None
    if len(targets) > 1:
        raise InvalidResponse("the answer names more than one next page")
    return _page_url(targets.pop(), platform)


def _read_links(header: str) -> Iterator[tuple[str, frozenset[str]]]:
    if len(header) > MAX_LINK_CHARACTERS:
        raise InvalidResponse("the link header is too long")
    position = _skip(header, 0)
    while position < len(header):
        link = _LINK.match(header, position)
        if link is None:
            raise InvalidResponse("the link header cannot be read")
        yield link[1], _relations(link[2])
        position = _skip(header, link.end())


def _skip(header: str, position: int) -> int:
    between = _BETWEEN_LINKS.match(header, position)
    return between.end() if between else position


def _relations(parameters: str) -> frozenset[str]:
    """Return the relation types in lower case; none for a link that is about another resource."""
    named: dict[str, str] = {}
    for name, value in _ONE_PARAMETER.findall(parameters):
        # The first of several counts (RFC 8288 section 3.3).
        named.setdefault(name.lower(), value)
    if "anchor" in named:
        return frozenset()
    return frozenset(_unquoted(named.get("rel", "")).lower().split(" "))


def _unquoted(value: str) -> str:
    if not value.startswith('"'):
        return value
    return re.sub(r"\\(.)", r"\1", value[1:-1])


def _page_url(target: str, platform: Platform) -> PageUrl:
    # The prefix ends in a slash, so scheme, host and port are exactly the API's.
    if not target.startswith(platform.api_base_url) or not _URL.fullmatch(target):
        raise InvalidResponse("the next page is not one of the API's")
    path, question_mark, query = target.partition("?")
    if not _DOTS.isdisjoint(_SLASHES.split(unquote(path))):
        raise InvalidResponse("the next page climbs out of the API's path")
    return PageUrl(f"{path}{question_mark}{_repaired(query)}")


def _repaired(query: str) -> str:
    """Drop the `max=null` that Webex has been seen to send, and leave the rest as it is."""
    return "&".join(piece for piece in query.split("&") if piece != "max=null")


@dataclass(frozen=True, slots=True)
class Items(Generic[Item]):
    """The items of one body, and how many more stood there that could not be read."""

    readable: Sequence[Item]
    unreadable_count: int = 0


@dataclass(frozen=True, slots=True)
class Page(Generic[Item]):
    """One page of a list, which may be empty; `next_url` is None on the last one."""

    items: Sequence[Item]
    next_url: PageUrl | None
    unreadable_count: int = 0


class PageTrail:
    """Remember the pages of one list that were asked for, the first one included.

    Hashes are kept instead of the URLs, which may be long.
    """

    __slots__ = ("_followed", "_max_pages")

    def __init__(self, max_pages: int = MAX_PAGES) -> None:
        self._followed: set[int] = set()
        self._max_pages = max_pages

    def check(self, next_url: PageUrl) -> None:
        """Note that *next_url* is followed.

        Raises InvalidResponse when it was followed before, ListTooLong when there are too many.
        """
        name = hash(next_url)
        if name in self._followed:
            raise InvalidResponse("the list's pages go round in a circle")
        if len(self._followed) + 1 >= self._max_pages:
            raise ListTooLong(f"the list has more than {self._max_pages} pages")
        self._followed.add(name)


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
