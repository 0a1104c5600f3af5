"""Flights: work that all who ask for it at the same time share, and that outlives them."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Generic, TypeVar

from webex_oauth.errors import AnswerLost, DeadlineExceeded, RequestNotSent

T = TypeVar("T")


class Flights(Generic[T]):
    """Run at most one flight per key.

    A flight belongs to this object and not to those who wait for it: their cancellation leaves it
    in the air. It lands within *deadline_seconds*.
    """

    def __init__(self, deadline_seconds: float) -> None:
        self._deadline_seconds = deadline_seconds
        self._flying: dict[bytes, asyncio.Task[T]] = {}
        self._is_closed = False

    async def join(self, key: bytes, start: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """Wait for the flight under way for *key*, or for the one that *start* makes.

        All who wait get the same result or the same error.
        """
        if self._is_closed:
            raise RequestNotSent("the vault is closed")
        flight = self._flying.get(key)
        if flight is None:
            flight = asyncio.create_task(self._fly(key, start))
            self._flying[key] = flight
        return await asyncio.shield(flight)

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

    async def _fly(self, key: bytes, start: Callable[[], Coroutine[Any, Any, T]]) -> T:
        try:
            async with asyncio.timeout(self._deadline_seconds):
                return await start()
        except TimeoutError as error:
            raise DeadlineExceeded("the work did not end in time") from error
        except asyncio.CancelledError as error:
            raise AnswerLost("the vault closed before the work ended") from error
        finally:
            del self._flying[key]
