"""Lists that come page by page, and the guard against those that never end."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from webex_oauth.errors import InvalidResponse, ListTooLong
from webex_oauth.webex.links import PageUrl

Item = TypeVar("Item")
MAX_PAGES = 1_000


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
