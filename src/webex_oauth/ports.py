"""What the core needs from the world: a clock, randomness, a transport."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Protocol, TypeAlias, runtime_checkable

from msgspec import Struct

from webex_oauth.oauth.http import HttpRequest, HttpResponse

Clock: TypeAlias = Callable[[], int]
"""Returns the time in whole seconds since 1970 (UTC)."""

Randomness: TypeAlias = Callable[[int], bytes]
"""Returns that many unpredictable bytes."""

Sleep: TypeAlias = Callable[[float], Awaitable[None]]
"""Wait for that many seconds."""


def random_share(randomness: Randomness) -> float:
    """Draw a number from 0 to 1, both included, to spread what would otherwise come together."""
    return int.from_bytes(randomness(2), "big") / 0xFFFF


def host_and_port(host: str, port: object) -> str:
    """Return an address as URLs have it, with an IPv6 address in brackets (RFC 3986, 3.2.2)."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


class Limits(Struct, frozen=True):
    """Bound one exchange: seconds for the whole of it, bytes of the decoded answer."""

    deadline_seconds: float
    max_body_bytes: int


TOKEN_LIMITS = Limits(deadline_seconds=10.0, max_body_bytes=64 * 1024)
API_LIMITS = Limits(deadline_seconds=20.0, max_body_bytes=256 * 1024)
PAGE_LIMITS = Limits(deadline_seconds=20.0, max_body_bytes=5 * 1024 * 1024)


class StreamedResponse(Struct, frozen=True):
    """The head of an answer; its body comes in `pieces`, which raise as `send` does."""

    status: int
    headers: Mapping[str, str]
    pieces: AsyncIterator[bytes]

    def __repr__(self) -> str:
        return f"StreamedResponse(status={self.status})"


class Transport(Protocol):
    """Send requests and bring back whole answers."""

    async def send(self, request: HttpRequest, limits: Limits) -> HttpResponse:
        """Send *request* once; follow no redirect.

        Raises RequestNotSent, AnswerLost, DeadlineExceeded, ResponseTooLarge or InvalidResponse.
        """
        ...


@runtime_checkable
class StreamingTransport(Transport, Protocol):
    """Send requests, and bring back answers piece by piece."""

    def stream(
        self, request: HttpRequest, limits: Limits, body: AsyncIterator[bytes] | None = None
    ) -> AbstractAsyncContextManager[StreamedResponse]:
        """Send *request* once, with *body* if it is given, whose length the headers say.

        The exchange ends with the context, and by *limits*. Content codings stay. Raises as `send`.
        """
        ...
