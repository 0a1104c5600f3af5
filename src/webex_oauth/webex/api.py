"""Calls to Webex's REST API: requests, answers as JSON, and lists page by page (RFC 8288)."""

import json
import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from http import HTTPStatus
from typing import Annotated, Final, Generic, NewType, NoReturn, TypeAlias, TypeVar, final
from urllib.parse import quote, unquote, urlencode

import msgspec
from msgspec import Meta, Raw, Struct
from msgspec.structs import replace

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
    check_available,
    check_json,
    read_json_object,
    read_text,
)
from webex_oauth.oauth.token import authorization_header
from webex_oauth.secret import Secret
from webex_oauth.webex.platform import TRACKING_HEADER, Platform, read_error_body

MAX_ERROR_BYTES = 64 * 1024
"""A longer body is no error of Webex's, and is not read."""

MAX_SEGMENT_CHARACTERS = 512
MAX_LINK_CHARACTERS = 8 * 1024
MAX_PAGES = 1_000
_ERROR_BY_STATUS: Mapping[int, type[ApiError]] = {
    HTTPStatus.UNAUTHORIZED: AccessTokenRefused,
    HTTPStatus.FORBIDDEN: AccessForbidden,
    HTTPStatus.NOT_FOUND: ResourceNotFound,
}
_STRUCTURAL = frozenset("/\\?#%;")
_DOTS = frozenset({".", ".."})
# Possessive quantifiers keep the time linear, whatever the header says.
_NAME = r"[!#$%&'*+.^_`|~0-9A-Za-z-]++"
_VALUE = rf'(?:{_NAME}|"(?:[^"\\]|\\.)*+")'
_PARAMETER = rf"[ \t]*+;[ \t]*+(?:({_NAME})[ \t]*+(?:=[ \t]*+({_VALUE}))?+)?+"
_LINK = re.compile(rf"<([^<>]*+)>((?:{_PARAMETER})*+)[ \t]*+(?:,|\Z)")
_ONE_PARAMETER = re.compile(_PARAMETER)
_BETWEEN_LINKS = re.compile(r"[ \t,]*+")
_URL = re.compile(r"(?:[A-Za-z0-9._~:/?\[\]@!$&'()*+,;=-]|%[0-9A-Fa-f]{2})++", re.ASCII)
_SLASHES = re.compile(r"[/\\]")
MAX_ID_CHARACTERS: Final = 512
MAX_CHARACTERS: Final = 500
"""How much is kept of a text: names and titles are shorter."""

Id: TypeAlias = Annotated[str, Meta(min_length=1, max_length=MAX_ID_CHARACTERS)]
_HALF_PAIR = re.compile(
    rb"\\u[dD](?:[89abAB]..(?!\\u[dD][c-fC-F])|(?<!\\u[dD][89abAB]..\\u[dD])[c-fC-F]..)"
)
Shape = TypeVar("Shape")
Result = TypeVar("Result")
Item = TypeVar("Item")
ApiPath = NewType("ApiPath", str)
"""A path below the API's base URL, with its query; only `api_path` makes one."""


def api_path(*segments: str, query: Mapping[str, str] | None = None) -> ApiPath:
    """Return *segments* and *query*, percent-encoded.

    Raises ValueError for a segment that could be read as anything but one segment.
    """
    for segment in segments:
        _check_segment(segment)
    path = "/".join(quote(segment, safe="") for segment in segments)
    return ApiPath(f"{path}?{urlencode(query, quote_via=quote, safe='')}" if query else path)


def _check_segment(segment: str) -> None:
    if not segment or segment in _DOTS or len(segment) > MAX_SEGMENT_CHARACTERS:
        raise ValueError("a path segment is empty, dots only or too long")
    if any(one in _STRUCTURAL or unicodedata.category(one)[0] in "CZ" for one in segment):
        raise ValueError("a path segment has characters that structure a URL, or do not show")


@final
class PageUrl(Struct, frozen=True):
    """The URL of a further page, on the API's own origin; only `read_next_link` makes one."""

    text: str


class Page(Struct, Generic[Item], frozen=True):
    """One page of a list, which may be empty.

    `unreadable_count` is the number of items left out; `next_url` is None on the last page.
    """

    items: Sequence[Item]
    unreadable_count: int = 0
    next_url: PageUrl | None = None


class Call(Struct, Generic[Result], frozen=True):
    """A question with one answer; `read` takes the body and raises InvalidResponse."""

    path: ApiPath
    read: Callable[[bytes], Result]


class Listing(Struct, Generic[Item], frozen=True):
    """A question whose answer comes page by page; `read_items` takes the body of one page."""

    path: ApiPath
    read_items: Callable[[bytes], Page[Item]]


def api_request(
    platform: Platform, asked: Call[Result] | Listing[Item], access_token: Secret
) -> HttpRequest:
    """Return the request of a call, or of the first page of a listing."""
    return _get(f"{platform.api_base_url}{asked.path}", access_token)


def page_request(platform: Platform, next_url: PageUrl, access_token: Secret) -> HttpRequest:
    """Return the request of a further page.

    Raises ValueError for a page of another Webex, to which the access token must not go.
    """
    if not next_url.text.startswith(platform.api_base_url):
        raise ValueError("the page belongs to another Webex")
    return _get(next_url.text, access_token)


def _get(url: str, access_token: Secret) -> HttpRequest:
    headers = {"accept": "application/json", "authorization": authorization_header(access_token)}
    return HttpRequest("GET", url, headers)


def read_api_response(call: Call[Result], response: HttpResponse, now: int) -> Result:
    """Return the answer to *call*; raise what `check_api_response` and its reader raise."""
    check_api_response(response, now)
    return call.read(response.body)


def read_page(
    listing: Listing[Item], platform: Platform, response: HttpResponse, now: int
) -> Page[Item]:
    """Return one page of *listing*; raise what `check_api_response` and its reader raise."""
    check_api_response(response, now)
    page, links = listing.read_items(response.body), response.headers.get("link")
    return page if links is None else replace(page, next_url=read_next_link(links, platform))


def check_api_response(response: HttpResponse, now: int) -> None:
    """Raise the error that *response* stands for, unless it is a success with JSON in it.

    AccessTokenRefused, AccessForbidden, ResourceNotFound or another ApiError if Webex refused,
    RateLimited or ServerFailed if it could not answer, InvalidResponse for everything else.
    """
    if response.status != HTTPStatus.OK:
        raise_refusal(response, now)
    check_json(response)


def raise_refusal(response: HttpResponse, now: int) -> NoReturn:
    """Raise the error that *response*, which is no success, stands for."""
    body = read_error_body(_members(response))
    tracking_id = body.tracking_id or read_text(response.headers.get(TRACKING_HEADER))
    check_available(response, now, tracking_id)
    if response.status < HTTPStatus.BAD_REQUEST:
        raise InvalidResponse(f"the API answered {response.status}")
    kind = _ERROR_BY_STATUS.get(response.status, ApiError)
    message = body.message or "no reason was given"
    raise kind(response.status, message, tracking_id=tracking_id)


def _members(response: HttpResponse) -> Mapping[str, object]:
    if len(response.body) > MAX_ERROR_BYTES:
        return NO_MEMBERS
    try:
        return read_json_object(response)
    except InvalidResponse:
        return NO_MEMBERS


def read_next_link(header: str, platform: Platform) -> PageUrl | None:
    """Return the next page that a `link` header names; None if this was the last.

    Raises InvalidResponse for a header that cannot be read, for two different next pages, and
    for one that is not below the API's base URL: the access token would follow it.
    """
    targets = {target for target, relations in read_links(header) if "next" in relations}
    if not targets:
        return None
    if len(targets) > 1:
        raise InvalidResponse("the answer names more than one next page")
    return page_url(targets.pop(), platform)


def read_links(header: str) -> Iterator[tuple[str, frozenset[str]]]:
    """Yield the targets of a `link` header and their relations; raise InvalidResponse."""
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
    relation = named.get("rel", "")
    if relation.startswith('"'):
        relation = re.sub(r"\\(.)", r"\1", relation[1:-1])
    return frozenset(relation.lower().split(" "))


def page_url(target: str, platform: Platform) -> PageUrl:
    """Return *target* as a page of the API; raise InvalidResponse if it is elsewhere."""
    # The prefix ends in a slash, so scheme, host and port are exactly the API's.
    if not target.startswith(platform.api_base_url) or not is_plain_url(target):
        raise InvalidResponse("the next page is not one of the API's")
    path, question_mark, query = target.partition("?")
    # Webex has been seen to send `max=null`, which it does not accept.
    fields = (field for field in query.split("&") if field != "max=null")
    return PageUrl(f"{path}{question_mark}{'&'.join(fields)}")


def is_plain_url(url: str) -> bool:
    """Return whether *url* has only characters of a URL, and no segment that climbs out of it."""
    path = url.partition("?")[0]
    return bool(_URL.fullmatch(url)) and _DOTS.isdisjoint(_SLASHES.split(unquote(path)))


class PageTrail:
    """The pages of one list that were asked for, the first one included.

    Hashes are kept instead of the URLs, which may be long.
    """

    __slots__ = ("_followed",)

    def __init__(self) -> None:
        self._followed: set[int] = set()

    def check(self, next_url: PageUrl) -> None:
        """Raise InvalidResponse if *next_url* was followed before, ListTooLong after too many."""
        name = hash(next_url)
        if name in self._followed:
            raise InvalidResponse("the list's pages go round in a circle")
        if len(self._followed) + 1 >= MAX_PAGES:
            raise ListTooLong(f"the list has more than {MAX_PAGES} pages")
        self._followed.add(name)


# JSON, read so that one odd member spoils nothing but itself


def json_reader(shape: type[Shape]) -> Callable[[bytes], Shape]:
    """Return the function that reads a body as *shape*; unknown members are ignored.

    The function raises InvalidResponse for a body of another shape.
    """
    decoder = msgspec.json.Decoder(shape)

    def read(body: bytes | Raw) -> Shape:
        try:
            return decoder.decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as cause:
            why = read_text(str(cause))
            raise InvalidResponse(f"the API's answer is not a {shape.__name__}: {why}") from cause

    return read


def read_members(body: bytes) -> Mapping[str, object]:
    """Return the members of the object in *body*, of whatever types they are.

    Raises InvalidResponse for what is not a JSON object.
    """
    try:
        # An integer of any length is JSON; int refuses those of thousands of digits.
        members = json.loads(body.decode("utf-8"), parse_int=float)
    except (ValueError, RecursionError) as cause:
        raise InvalidResponse("the API's answer is not JSON") from cause
    if not isinstance(members, dict):
        raise InvalidResponse("the API's answer is not a JSON object")
    return members


def text(value: object, at_most: int = MAX_CHARACTERS) -> str | None:
    """Return *value*, cut to *at_most* characters; None if it is not text."""
    if not isinstance(value, str):
        return None
    # JSON can write half of a surrogate pair, which no encoding of text can.
    return value[:at_most].encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def raw_text(raw: Raw, at_most: int = MAX_CHARACTERS) -> str | None:
    """Return the text that *raw* is, cut to *at_most* characters; None if it is not text."""
    octets = bytes(raw)
    if not octets.startswith(b'"'):
        return None
    try:
        return text(json.loads(octets.decode("utf-8", "replace"), strict=False), at_most)
    except ValueError:
        return None


def usable_id(value: object) -> str | None:
    """Return *value* if it could be an id, which is opaque."""
    return value if isinstance(value, str) and 0 < len(value) <= MAX_ID_CHARACTERS else None


def without_half_pairs(body: bytes) -> bytes:
    """Return *body* without halves of surrogate pairs, which JSON can write and msgspec refuses."""
    # An escaped backslash is written in another way, so that each that is left begins an escape.
    return _HALF_PAIR.sub(rb"\\ufffd", body.replace(rb"\\", rb"\u005c"))
