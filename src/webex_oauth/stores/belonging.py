"""A store belongs to the process and the event loop that opened it, until it is closed.

Any other use is a mistake in the calling program. It is refused at once, in the same words by every
store, instead of failing later inside a driver.
"""

import asyncio
import functools
import inspect
import os
from collections.abc import Callable
from typing import Any

ELSEWHERE = (
    "this store was opened in another event loop: open the integration in the loop and thread that "
    "use it, or pass the call to its loop with asyncio.run_coroutine_threadsafe"
)
FORKED = (
    "this store was opened before the process forked: open an integration in each process, after "
    "the fork"
)
CLOSED = "this store is closed: use an integration inside its `async with` block, or open another"


class BelongingStore:
    """Base class of the stores: checks the caller before each public method begins."""

    _process_id: int | None = None
    _loop: asyncio.AbstractEventLoop | None = None
    _is_closed = False

    def __init_subclass__(cls) -> None:
        for name, method in list(vars(cls).items()):
            if inspect.iscoroutinefunction(method) and not name.startswith("_"):
                setattr(cls, name, WRAPPERS.get(name, _checked)(method))

    def _check_use(self) -> None:
        """Raise RuntimeError if the store may not be used here."""
        if self._is_closed:
            raise RuntimeError(CLOSED)
        if self._process_id is None:
            return
        if self._process_id != os.getpid():
            raise RuntimeError(FORKED)
        if self._loop is not asyncio.get_running_loop():
            raise RuntimeError(ELSEWHERE)


Method = Callable[..., Any]


def _checked(method: Method) -> Method:
    @functools.wraps(method)
    def checked(self: BelongingStore, *arguments: object, **options: object) -> object:
        self._check_use()
        return method(self, *arguments, **options)

    return checked


def _opening(method: Method) -> Method:
    @functools.wraps(method)
    async def opening(self: BelongingStore) -> None:
        await method(self)
        self._process_id, self._loop = os.getpid(), asyncio.get_running_loop()
        self._is_closed = False

    return opening


def _closing(method: Method) -> Method:
    @functools.wraps(method)
    async def closing(self: BelongingStore) -> None:
        self._is_closed = True
        await method(self)

    return closing


WRAPPERS = {"open": _opening, "close": _closing}
