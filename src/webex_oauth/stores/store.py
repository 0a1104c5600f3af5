"""What every store does alike: who may use it, who waits how long, what a column may hold.

A store belongs to the process and the event loop that opened it, until it is closed. Any other use
is a mistake in the calling program. It is refused at once, in the same words by every store,
instead of failing later inside a driver.
"""

import asyncio
import functools
import inspect
import logging
import os
import re
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

from webex_oauth.errors import ConfigurationError, SealBroken, StoreUnavailable
from webex_oauth.vault.rows import LAST_INSTANT, MAX_NAME_BYTES, Kind, Row

ANSWER_SECONDS = 1.9
MAX_WAITING = 1_000

ELSEWHERE = (
    "this store was opened in another event loop: open the integration in the loop and thread that "
    "use it, or pass the call to its loop with asyncio.run_coroutine_threadsafe"
)
FORKED = (
    "this store was opened before the process forked: open an integration in each process, after "
    "the fork"
)
CLOSED = "this store is closed: use an integration inside its `async with` block, or open another"

_log = logging.getLogger(__name__)


class Store:
    """Base class of the stores: checks the caller before each public method begins."""

    _process_id: int | None = None
    _loop: asyncio.AbstractEventLoop | None = None
    _is_closed = False

    def __init_subclass__(cls) -> None:
        for name, method in list(vars(cls).items()):
            if inspect.iscoroutinefunction(method) and not name.startswith("_"):
                setattr(cls, name, _checked(method))

    async def open(self) -> None:
        await self._open()
        self._process_id, self._loop = os.getpid(), asyncio.get_running_loop()
        self._is_closed = False

    async def close(self) -> None:
        self._is_closed = True
        await self._close()

    async def _open(self) -> None:
        """Connect and prepare the database, where there is one."""

    async def _close(self) -> None:
        """Disconnect."""


def _checked(method: Callable[..., Any]) -> Callable[..., Any]:
    """Return *method*, which raises RuntimeError where the store may not be used."""

    @functools.wraps(method)
    def checked(self: Store, *arguments: object, **options: object) -> object:
        if self._is_closed:
            raise RuntimeError(CLOSED)
        if self._process_id is not None:
            if self._process_id != os.getpid():
                raise RuntimeError(FORKED)
            if self._loop is not asyncio.get_running_loop():
                raise RuntimeError(ELSEWHERE)
        return method(self, *arguments, **options)

    return checked


class Option(NamedTuple):
    """What an operator may write as one option of a store's URL, and how that is told."""

    default: str
    pattern: str
    expected: str


DURABILITY = Option("", "(unchecked)?", "can only be unchecked, or be left out")


class Places:
    """A bounded number of places, and a bounded queue for them."""

    def __init__(self, count: int) -> None:
        self._places = asyncio.Semaphore(count)
        self._waiting_count = 0

    async def enter(self) -> None:
        """Wait for a place; raise StoreUnavailable if too many do already."""
        if self._waiting_count >= MAX_WAITING:
            raise StoreUnavailable("too many calls are waiting for the database")
        self._waiting_count += 1
        try:
            await self._places.acquire()
        finally:
            self._waiting_count -= 1

    def leave(self) -> None:
        """Pass the place on."""
        self._places.release()


@asynccontextmanager
async def in_time(seconds: float = ANSWER_SECONDS) -> AsyncIterator[None]:
    """Raise StoreUnavailable if the body takes longer than *seconds*."""
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError as error:
        raise StoreUnavailable("the database did not answer in time") from error


def read_options(given: Mapping[str, str], allowed: Mapping[str, Option]) -> Mapping[str, str]:
    """Return every option of a store's URL, or its default; raise ConfigurationError."""
    values = {name: given.get(name, option.default) for name, option in allowed.items()}
    for name, option in allowed.items():
        if not re.fullmatch(option.pattern, values[name]):
            raise ConfigurationError([f"{name} in WEBEX_STORE_URL {option.expected}"])
    return values


def row_of(kind: Kind, columns: Sequence[object]) -> Row:
    """Return the row of *columns*: name, rev, body, group, at, over_at.

    Anyone who can write to a database can put anything into a column. Raises SealBroken if the name
    or the revision cannot be. Any number but 0 is a revision, so that a broken row can be written
    over and deleted. Anything else that cannot be counts as absent: a body without a byte does not
    open, and nothing is decided by a group or an instant.
    """
    name, rev, body, group, at, over_at = columns
    if not (isinstance(name, bytes) and 0 < len(name) <= MAX_NAME_BYTES):
        raise _unreadable(kind, name)
    if type(rev) is not int or not rev:
        raise _unreadable(kind, name)
    body = body if isinstance(body, bytes) else b""
    group = group if isinstance(group, bytes) else b""
    return Row(kind, name, rev, body, group, _instant(at), _instant(over_at))


def rows_of(kind: Kind, found: Iterable[Sequence[object]]) -> list[Row]:
    """Return the rows that can be read; log the others."""
    rows = []
    for columns in found:
        try:
            rows.append(row_of(kind, columns))
        except SealBroken as error:
            _log.error("a stored row cannot be read: %(error)s", {"error": str(error)})
    return rows


def _instant(value: object) -> int | None:
    return value if type(value) is int and 0 <= value <= LAST_INSTANT else None


def _unreadable(kind: Kind, name: object) -> SealBroken:
    shown = name.hex()[:12] if isinstance(name, bytes) else "without a name"
    return SealBroken(f"the {kind} {shown} has values in the store that are not this program's")
