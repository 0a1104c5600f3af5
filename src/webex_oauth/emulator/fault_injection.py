"""Fault injection: carries out what the fault script says, down to the socket of a request."""

import asyncio
import re
import socket
import struct
import zlib
from collections.abc import AsyncIterator, Iterator
from typing import Any, cast
from urllib.parse import urlencode

from starlette.datastructures import MutableHeaders
from starlette.responses import Response, StreamingResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from webex_oauth.emulator import faults
from webex_oauth.emulator.journal import CONTROL_PATH, entry_of, record_of
from webex_oauth.emulator.origins import Origin

_CONNECTION = "webex_oauth.emulator.connection"
_NO_LINGERING = struct.pack("ii", 1, 0)
_PIECE_BYTES = 64 * 1024
_JSON_TYPE = "application/json;charset=UTF-8"
_LINK_ORIGIN = re.compile(r"<https?://[^/>]+")
_TURN = re.compile(rb"(?:^|&)turn=([0-9]{1,9})(?:&|$)")
_EMPTY_PAGE = b'{"items":[]}'


class FaultInjection:
    """An ASGI layer that applies the fault script to all requests but the control API's."""

    def __init__(self, app: ASGIApp, script: faults.Faults, origin: Origin) -> None:
        self._app = app
        self._script = script
        self._origin = origin

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or carry out the fault that is due."""
        action = self._due_action(scope)
        if action is None:
            await self._app(scope, receive, send)
            return
        entry_of(scope).fault = str(action.__struct_config__.tag)
        await self._carry_out(action, scope, receive, send)

    def _due_action(self, scope: Scope) -> faults.Action | None:
        if scope["type"] != "http" or scope["path"].startswith(CONTROL_PATH):
            return None
        return self._script.strike(scope["method"], scope["path"])

    async def _carry_out(
        self, action: faults.Action, scope: Scope, receive: Receive, send: Send
    ) -> None:
        match action:
            case faults.Delay(seconds):
                await asyncio.sleep(seconds)
                await self._app(scope, receive, send)
            case faults.AfterCommit(then):
                await self._app(scope, receive, _nowhere)
                await _without_work(then, scope, receive, send)
            case faults.Slow():
                await self._app(scope, receive, _slowly(action, scope, send))
            case faults.Truncate(kept_bytes):
                await self._app(scope, receive, _truncating(kept_bytes, scope, receive, send))
            case faults.NextLink():
                origin = self._origin.as_asked(scope)
                await self._app(scope, receive, _with_another_link(action, origin, scope, send))
            case _:
                # A server that knows what it refuses has read it; so the journal has the form.
                while (await receive()).get("more_body", False):
                    pass
                await _without_work(action, scope, receive, send)


async def _without_work(action: faults.Instead, scope: Scope, receive: Receive, send: Send) -> None:
    match action:
        case faults.Answer():
            body, media_type = action.body or action.text, action.content_type or None
            answer = Response(body, action.status, action.headers, media_type)
            await answer(scope, receive, send)
        case faults.Drop():
            await _close(scope, receive)
        case faults.Reset():
            connection_of(scope).reset_on_close()
            await _close(scope, receive)
        case faults.Raw(data):
            record_of(scope).complete()
            connection_of(scope).transport.write(data)
            await _close(scope, receive)
        case faults.Hang(limit_seconds):
            await _hang(limit_seconds, scope, receive)
        case faults.Huge(size_bytes):
            huge = StreamingResponse(_paced(_padding(size_bytes)), media_type=_JSON_TYPE)
            await huge(scope, receive, send)
        case faults.GzipBomb(size_bytes):
            headers = {"Content-Encoding": "gzip", "Content-Type": _JSON_TYPE}
            bomb = StreamingResponse(_paced(_deflated(size_bytes)), headers=headers)
            await bomb(scope, receive, send)


async def _hang(limit_seconds: float, scope: Scope, receive: Receive) -> None:
    connection = connection_of(scope)
    connection.is_held = True
    try:
        async with asyncio.timeout(limit_seconds):
            await _gone(receive)
    except TimeoutError:
        await _close(scope, receive)


async def _close(scope: Scope, receive: Receive) -> None:
    record_of(scope).complete()
    connection_of(scope).transport.close()
    await _gone(receive)


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _nowhere(_: Message) -> None:
    """Discard a part of an answer."""


def _slowly(action: faults.Slow, scope: Scope, send: Send) -> Send:
    connection = connection_of(scope)
    connection.is_held = True

    async def send_slowly(message: Message) -> None:
        body = message.get("body", b"")
        while len(body) > action.piece_bytes and not connection.transport.is_closing():
            piece, body = body[: action.piece_bytes], body[action.piece_bytes :]
            await send({"type": "http.response.body", "body": piece, "more_body": True})
            await asyncio.sleep(action.pause_seconds)
        await send({**message, "body": body} if "body" in message else message)

    return send_slowly


def _truncating(kept_bytes: int, scope: Scope, receive: Receive, send: Send) -> Send:
    async def send_part(message: Message) -> None:
        body = message.get("body", b"")
        if len(body) <= kept_bytes:
            await send(message)
        else:
            await send({**message, "body": body[:kept_bytes], "more_body": True})
            await _close(scope, receive)

    return send_part


async def _paced(pieces: Iterator[bytes]) -> AsyncIterator[bytes]:
    for piece in pieces:
        yield piece
        # Let other requests proceed.
        await asyncio.sleep(0)


def _padding(size_bytes: int) -> Iterator[bytes]:
    opening, closing = b'{"padding":"', b'"}'
    left_bytes = max(size_bytes - len(opening) - len(closing), 0)
    yield opening
    while left_bytes:
        piece_bytes = min(left_bytes, _PIECE_BYTES)
        yield b"x" * piece_bytes
        left_bytes -= piece_bytes
    yield closing


def _deflated(size_bytes: int) -> Iterator[bytes]:
    deflate = zlib.compressobj(9, zlib.DEFLATED, wbits=16 + zlib.MAX_WBITS)
    yield from filter(None, map(deflate.compress, _padding(size_bytes)))
    yield deflate.flush()


def _with_another_link(fault: faults.NextLink, origin: str, scope: Scope, send: Send) -> Send:
    async def send_with_another_link(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(raw=message["headers"])
            headers["link"] = _link(fault, f"{origin}{scope['path']}", scope, headers.get("link"))
            if fault.to == "empty":
                headers["content-length"] = str(len(_EMPTY_PAGE))
        elif fault.to == "empty":
            message = {**message, "body": _EMPTY_PAGE}
        await send(message)

    return send_with_another_link


def _link(fault: faults.NextLink, url: str, scope: Scope, true_link: str | None) -> str:
    query: bytes = scope["query_string"]
    same = f'<{url}?{query.decode("latin-1")}>; rel="next"'
    if fault.to == "self":
        return same
    if fault.to == "foreign":
        return _LINK_ORIGIN.sub(f"<{fault.foreign_origin}", true_link or same)
    # A number that grows, so that no two links are the same.
    turn = _TURN.search(query)
    fields = {"max": "1", "turn": str(int(turn[1]) + 1 if turn else 1)}
    return f'<{url}?{urlencode(fields)}>; rel="next"'


class Connection(H11Protocol):
    """One TCP connection to the emulator, which also hands itself to the application."""

    is_held = False
    """Whether a fault keeps this connection open, so that waiting for its end is useless."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.app_state: dict[str, Any] = {_CONNECTION: self}

    def shutdown(self) -> None:
        """Finish what is under way, but do not wait for what a fault keeps open."""
        if self.is_held:
            self.transport.close()
        super().shutdown()

    def reset_on_close(self) -> None:
        """End with a TCP RST, unless the client has gone."""
        if not self.transport.is_closing():
            raw = self.transport.get_extra_info("socket")
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGERING)


def connection_of(scope: Scope) -> Connection:
    """Return the connection of a request, which only the emulator's own server has."""
    return cast("Connection", scope["state"][_CONNECTION])
