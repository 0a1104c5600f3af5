"""Flights: work that all who ask for it at the same time share, and that outlives them."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Generic, TypeAlias, TypeVar

from webex_oauth.errors import AnswerLost, DeadlineExceeded, RequestNotSent

T = TypeVar("T")
Start: TypeAlias = Callable[[], Coroutine[Any, Any, T]]

MOST_UNWATCHED = 32


class Flights(Generic[T]):
    """Run at most one flight per key.

    A flight belongs to this object and not to those who wait for it: their cancellation leaves it
    in the air. It lands within *deadline_seconds*. At most *most_unwatched* fly that nobody asked
    to wait for.
    """

    def __init__(self, deadline_seconds: float, most_unwatched: int = MOST_UNWATCHED) -> None:
        self._deadline_seconds = deadline_seconds
        self._most_unwatched = most_unwatched
        self._flying: dict[bytes, asyncio.Task[T]] = {}
        self._unwatched: set[bytes] = set()
        self._is_closed = False

    async def join(self, key: bytes, start: Start[T]) -> T:
        """Wait for the flight under way for *key*, or for the one that *start* makes.

        All who wait get the same result or the same error.
        """
        if self._is_closed:
            raise RequestNotSent("the vault is closed")
        flight = self._flying.get(key) or self._take_off(key, start)
        return await asyncio.shield(flight)

    def launch(self, key: bytes, start: Start[T]) -> bool:
        """Start a flight and wait for nothing; False when there is one, or no room for it."""
        if self._is_closed or key in self._flying or len(self._unwatched) >= self._most_unwatched:
            return False
        self._take_off(key, start)
        self._unwatched.add(key)
        return True

    async def drain(self, grace_seconds: float) -> None:
        """Start no more; let those in the air land within *grace_seconds*, then end them."""
        self._is_closed = True
        flights = list(self._flying.values())
        if not flights:
            return
        _, late = await asyncio.wait(flights, timeout=grace_seconds)
        for flight in late:
            flight.cancel()
        await asyncio.gather(*late, return_exceptions=True)

    def _take_off(self, key: bytes, start: Start[T]) -> "asyncio.Task[T]":
        flight = asyncio.create_task(self._fly(key, start))
        flight.add_done_callback(_look_at)
        self._flying[key] = flight
        return flight

    async def _fly(self, key: bytes, start: Start[T]) -> T:
        try:
            async with asyncio.timeout(self._deadline_seconds):
                return await start()
        except TimeoutError as error:
            raise DeadlineExceeded("the work did not end in time") from error
        except asyncio.CancelledError as error:
            raise AnswerLost("the vault closed before the work ended") from error
        finally:
            del self._flying[key]
            self._unwatched.discard(key)


def _look_at(flight: "asyncio.Task[T]") -> None:
    """Take note of an error that nobody waits for; whoever raised it has logged it."""
    if not flight.cancelled():
        flight.exception()
