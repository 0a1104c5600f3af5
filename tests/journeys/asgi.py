"""A request straight to the ASGI application: bytes that no HTTP client would send."""

from collections.abc import Sequence
from dataclasses import dataclass

from starlette.types import ASGIApp, Message

HeaderList = Sequence[tuple[bytes, bytes]]


@dataclass(frozen=True, slots=True)
class AsgiAnswer:
    """What came back."""

    status: int
    headers: dict[bytes, bytes]
    body: bytes


async def ask(
    application: ASGIApp, host: str, query: bytes, *, method: str = "GET", headers: HeaderList = ()
) -> AsgiAnswer:
    """Send one request to the callback's path with exactly this query."""
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "scheme": "http",
        "method": method,
        "path": "/oauth",
        "raw_path": b"/oauth",
        "query_string": query,
        "root_path": "",
        "headers": [(b"host", host.encode()), *headers],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 2),
    }
    await application(scope, receive, send)
    body = b"".join(message.get("body", b"") for message in sent[1:])
    return AsgiAnswer(sent[0]["status"], dict(sent[0]["headers"]), body)
