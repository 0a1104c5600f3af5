"""The way out: standing headers on an answer, and an end to waiting for the one who reads it."""

import asyncio
from collections.abc import Sequence

from starlette.types import Message, Send

HeaderList = Sequence[tuple[bytes, bytes]]

STREAM_SECONDS = 300
"""How long an answer that is sent piece by piece may take, whatever its reader does."""


class NotTaken(Exception):
    """An answer was not read to its end in time."""


class Places:
    """How many requests are worked on."""

    taken = 0


class Outlet:
    """Send an answer with the standing headers; its place is free while its peer is waited for."""

    def __init__(
        self, send: Send, headers: HeaderList, places: Places, stream_seconds: float
    ) -> None:
        self._send = send
        self.headers = headers
        self.has_started = False
        self._places = places
        self._stream_seconds = stream_seconds
        self._has_place = False
        self._stream_ends_at: float | None = None

    def take_place(self) -> None:
        self._has_place = True
        self._places.taken += 1

    def give_place_back(self) -> None:
        self._places.taken -= self._has_place

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.has_started = True
            present = [name for name, _ in message["headers"]]
            added = [header for header in self.headers if header[0] not in present]
            message["headers"] = message["headers"] + added
        self._places.taken -= self._has_place
        try:
            if self._stream_ends_at is None and not message.get("more_body", False):
                await self._send(message)
            else:
                await self._send_piece(message)
        finally:
            self._places.taken += self._has_place

    async def _send_piece(self, message: Message) -> None:
        now = asyncio.get_running_loop().time()
        if self._stream_ends_at is None:
            self._stream_ends_at = now + self._stream_seconds
        try:
            async with asyncio.timeout_at(self._stream_ends_at):
                await self._send(message)
        except TimeoutError:
            now = self._stream_ends_at
        # A piece that need not wait meets no timeout.
        if now >= self._stream_ends_at:
            raise NotTaken(f"not read to its end in {self._stream_seconds} seconds")
