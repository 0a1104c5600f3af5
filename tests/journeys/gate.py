"""A gate on the way to Webex: requests wait in it until the test opens it."""

import asyncio
import threading

from waiting import LIMIT_SECONDS

from webex_oauth.oauth.http import HttpRequest, HttpResponse
from webex_oauth.ports import Limits, Transport


class Gate:
    """Hold every POST while it is shut; say when one has arrived."""

    def __init__(self) -> None:
        self._is_open = threading.Event()
        self._has_arrived = threading.Event()

    def around(self, inner: Transport) -> "GatedTransport":
        """Put the gate before *inner*."""
        return GatedTransport(inner, self)

    def wait_for_arrival(self) -> None:
        """Block until a request waits in the gate."""
        assert self._has_arrived.wait(LIMIT_SECONDS)

    def shut(self) -> None:
        """Hold what comes from now on."""
        self._is_open.clear()
        self._has_arrived.clear()

    def open(self) -> None:
        """Make everything through from now on."""
        self._is_open.set()

    async def pass_through(self) -> None:
        """Wait in the gate, if it is shut."""
        self._has_arrived.set()
        assert await asyncio.to_thread(self._is_open.wait, LIMIT_SECONDS)


class GatedTransport:
    """Send through a gate."""

    def __init__(self, inner: Transport, gate: Gate) -> None:
        self._inner = inner
        self._gate = gate

    async def send(self, request: HttpRequest, limits: Limits) -> HttpResponse:
        if request.method == "POST":
            await self._gate.pass_through()
        return await self._inner.send(request, limits)
