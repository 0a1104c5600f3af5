"""An event loop in a thread of its own, for programs that have none; one for each process."""

import asyncio
import atexit
import os
import threading
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Final, TypeAlias, TypeVar
from weakref import WeakSet

from webex_oauth.errors import TemporaryError

INSIDE: Final = (
    "this is called from the event loop that the integration itself runs in, which would wait for "
    "itself: in an asynchronous handler use AsyncIntegration"
)
CLOSED: Final = "the integration is closed: make another one"
CLOSING_SECONDS: Final = 20.0
HANDLER_THREADS: Final = 32

T = TypeVar("T")
Work: TypeAlias = Coroutine[Any, Any, T]


class _Threads(ThreadPoolExecutor):
    """A thread for each piece of work.

    Those of a pool take no work once the main thread has ended, when others may still be at work,
    and handlers that block would keep all of them from looking up names and writing the spool.
    """

    def __init__(self, *, is_daemon: bool) -> None:
        super().__init__()  # asyncio takes no other executor
        self._is_daemon = is_daemon

    def submit(self, work: Callable[..., T], /, *args: Any, **kwargs: Any) -> Future[T]:
        future: Future[T] = Future()

        def run() -> None:
            if not future.set_running_or_notify_cancel():
                return
            try:
                future.set_result(work(*args, **kwargs))
            except BaseException as error:  # noqa: BLE001 - whoever waits for the work gets it
                future.set_exception(error)

        threading.Thread(target=run, name="webex-oauth-work", daemon=self._is_daemon).start()
        return future


class LoopThread:
    """A running event loop."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._loop.set_default_executor(_Threads(is_daemon=True))
        self.handlers = _Threads(is_daemon=False)
        self.handler_places = asyncio.Semaphore(HANDLER_THREADS)
        self._thread = threading.Thread(target=self._loop.run_forever, name="webex-oauth")
        self._thread.daemon = True
        self._thread.start()

    def submit(self, work: Work[T]) -> Future[T]:
        """Begin *work*."""
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    def run(self, work: Work[T], seconds: float | None = None) -> T:
        """Run *work* to its end and return what it returns; Ctrl-C cancels it."""
        if threading.current_thread() is self._thread:
            work.close()
            raise RuntimeError(INSIDE)
        future = self.submit(work)
        try:
            return future.result(seconds)
        except TimeoutError:
            if future.done():
                raise
            future.cancel()
            raise TemporaryError("the work did not end in time") from None
        except BaseException:
            future.cancel()
            raise


class Runner:
    """Runs verbs of something that is opened at first use, in each process anew.

    Threads do not live on in a forked process, so it gets a loop of its own. What was open before
    the fork is left alone there: it belongs to the parent.
    """

    def __init__(
        self,
        enter: Callable[[], Work[object]],
        leave: Callable[[], Work[None]],
        before_closing: Callable[[], Work[None]],
    ) -> None:
        self._enter = enter
        self._leave = leave
        self._before_closing = before_closing
        self._is_closed = False
        self.forget()
        _RUNNERS.add(self)

    def forget(self) -> None:
        """Be unopened, as in a process that has just been forked."""
        self._opening: asyncio.Task[None] | None = None
        self._is_open = False

    def run(self, work: Work[T]) -> T:
        """Run *work* to its end, opening first if needed; Ctrl-C cancels it."""
        return self._loop_for(work).run(work)

    def iterate(self, source: AsyncIterator[T]) -> Iterator[T]:
        """Yield what *source* yields."""
        try:
            while (item := self.run(_next(source))) is not None:
                yield item[0]
        finally:
            # Nobody waits: the garbage collector may do this, in any thread.
            if not self._is_closed:
                _LOOPS.current().submit(_close(source))

    async def awaited(self, work: Work[T]) -> T:
        """Do *work* here for a caller in another event loop."""
        return await asyncio.wrap_future(self._loop_for(work).submit(work))

    async def iterate_awaited(self, source: AsyncIterator[T]) -> AsyncIterator[T]:
        """Yield what *source* yields here to a caller in another event loop."""
        try:
            while (item := await self.awaited(_next(source))) is not None:
                yield item[0]
        finally:
            if not self._is_closed:
                await self.awaited(_close(source))

    def open(self) -> None:
        """Open now instead of at first use."""
        self._loop()

    def close(self) -> None:
        """Close for good; do nothing if it is closed."""
        try:
            if self._is_open and not self._is_closed:
                _LOOPS.current().run(self._before_closing(), CLOSING_SECONDS)
        finally:
            self._is_closed = True
        if self._opening is not None:
            atexit.unregister(self.close)
            _LOOPS.current().run(self._end(), CLOSING_SECONDS)

    def _loop_for(self, work: Work[object]) -> LoopThread:
        """Return the loop that can do *work*, which does not wait for what never comes."""
        try:
            return self._loop()
        except BaseException:
            work.close()
            raise

    def _loop(self) -> LoopThread:
        if self._is_closed:
            raise RuntimeError(CLOSED)
        loop = _LOOPS.current()
        if not self._is_open:
            loop.run(self._begin())
        return loop

    async def _begin(self) -> None:
        """Wait until it is open: all threads for one try, and an interrupted one leaves it alone.

        No thread holds a lock meanwhile, which the handler of a signal might need.
        """
        if self._opening is None or (self._opening.done() and self._opening.exception()):
            self._opening = asyncio.create_task(self._open_once())
        await asyncio.shield(self._opening)

    async def _open_once(self) -> None:
        await self._enter()
        self._is_open = True
        atexit.register(self.close)

    async def _end(self) -> None:
        opening, self._opening = self._opening, None
        if opening is None:
            return
        await asyncio.wait([opening])
        if opening.exception() is None:
            await self._leave()


class _Loops:
    """The loop of this process, started when it is first asked for."""

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        self._lock = threading.Lock()
        self._loop: LoopThread | None = None

    def current(self) -> LoopThread:
        with self._lock:
            if self._loop is None:
                self._loop = LoopThread()
            return self._loop


_LOOPS: Final = _Loops()
_RUNNERS: Final[WeakSet[Runner]] = WeakSet()


def _after_fork() -> None:
    """Take new locks: a thread that is not here may have held the old ones."""
    _LOOPS.forget()
    for runner in _RUNNERS:
        runner.forget()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


async def in_thread(handler: Callable[[T], object], heard: T) -> None:
    """Call *handler* in a thread of its own, for which the program waits when it ends."""
    here = _LOOPS.current()
    async with here.handler_places:
        await asyncio.get_running_loop().run_in_executor(here.handlers, handler, heard)


async def _next(source: AsyncIterator[T]) -> tuple[T] | None:
    try:
        return (await anext(source),)
    except StopAsyncIteration:
        return None


async def _close(source: AsyncIterator[T]) -> None:
    closing = getattr(source, "aclose", None)
    if closing is not None:
        await closing()
