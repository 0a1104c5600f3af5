"""Lists that come page by page: links to the next page (RFC 8288), which never leave the API."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar, final
from urllib.parse import unquote

from webex_oauth.errors import InvalidResponse, ListTooLong
from webex_oauth.webex.platform import Platform

MAX_CHARACTERS = 8 * 1024
# Possessive quantifiers keep the time linear, whatever the header says.
_NAME = r"[!#$%&'*+.^_`|~0-9A-Za-z-]++"
_VALUE = rf'(?:{_NAME}|"(?:[^"\\]|\\.)*+")'
_PARAMETER = rf"[ \t]*+;[ \t]*+(?:({_NAME})[ \t]*+(?:=[ \t]*+({_VALUE}))?+)?+"
_LINK = re.compile(rf"<([^<>]*+)>((?:{_PARAMETER})*+)[ \t]*+(?:,|\Z)")
_ONE_PARAMETER = re.compile(_PARAMETER)
_BETWEEN_LINKS = re.compile(r"[ \t,]*+")
_URL = re.compile(r"(?:[A-Za-z0-9._~:/?\[\]@!$&'()*+,;=-]|%[0-9A-Fa-f]{2})++", re.ASCII)
_SLASHES = re.compile(r"[/\\]")
_DOTS = frozenset({".", ".."})
Item = TypeVar("Item")
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
    if len(header) > MAX_CHARACTERS:
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
