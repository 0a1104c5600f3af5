"""The loopback listener: where a browser brings the callback to a program at a terminal (RFC 8252).

It listens on this machine's own addresses, only while a sign-in waits, and takes one callback.
Whatever else arrives is turned away and changes nothing.
"""

import asyncio
import errno
import logging
import re
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from html import escape
from typing import Final, Self
from urllib.parse import urlsplit

from webex_oauth.errors import ConfigurationError, SignInTimedOut
from webex_oauth.ports import host_and_port
from webex_oauth.webex.platform import DEFAULT_PORTS, is_loopback_host

MAX_CONNECTIONS: Final = 16
MAX_HEAD_BYTES: Final = 16 * 1024
HEAD_SECONDS: Final = 5.0
PAGE_SECONDS: Final = 2.0
"""How long a browser has to fetch the page that says how the sign-in ended."""

REQUEST: Final = re.compile(rb"GET (/[\x21-\x7e]*) HTTP/1\.[01]")
HEADERS: Final = """\
Cache-Control: no-store\r
Connection: close\r
Content-Security-Policy: default-src 'none'; base-uri 'none'; form-action 'none'; \
frame-ancestors 'none'\r
Content-Type: text/html; charset=utf-8\r
Cross-Origin-Opener-Policy: same-origin\r
Cross-Origin-Resource-Policy: same-origin\r
Referrer-Policy: no-referrer\r
X-Content-Type-Options: nosniff\r
"""
PAGE: Final = """\
<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark">
<title>{title}</title>
<main>
<h1>{title}</h1>
<p>{text}</p>
<p>You can close this window and go back to the terminal.</p>
</main>
"""
log = logging.getLogger(__name__)

ELSEWHERE: Final = (
    "the redirect URI {} does not lead to this machine: register http://localhost:8080/oauth too "
    "and name it in WEBEX_REDIRECT_URI, or sign in with the device grant (`login --device`, "
    "`with_device`)"
)
IN_USE: Final = (
    "stop the program that listens there, or sign in with the device grant (`login --device`, "
    "`with_device`)"
)


class Loopback:
    """Listens at *redirect_uri* inside `async with`, for the query that *is_awaited* knows.

    Raises ConfigurationError if that is not on this machine, or cannot be listened on.
    """

    def __init__(self, redirect_uri: str, is_awaited: Callable[[bytes], bool]) -> None:
        parts = urlsplit(redirect_uri)
        self._name = parts.hostname or ""
        if parts.scheme != "http" or not is_loopback_host(self._name):
            raise ConfigurationError([ELSEWHERE.format(redirect_uri)])
        self._port = parts.port or DEFAULT_PORTS["http"]
        self._host, self._path = _host(parts.netloc.encode()), parts.path.encode() or b"/"
        self._is_awaited = is_awaited
        self._servers: list[asyncio.Server] = []
        self._connections: dict[asyncio.Task[object], None] = {}

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        self._callback: asyncio.Future[bytes] = loop.create_future()
        self._outcome: asyncio.Future[str] = loop.create_future()
        self._is_shown = asyncio.Event()
        # Literals alone: what the name leads to is this machine's own business (RFC 8252, 8.3).
        addresses = ("127.0.0.1", "::1") if self._name == "localhost" else (self._name,)
        try:
            for address in addresses:
                await self._listen(address)
        except BaseException:
            await self._stop()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stop()

    async def callback(self, seconds: float) -> bytes:
        """Return the query that is awaited; raise SignInTimedOut."""
        try:
            async with asyncio.timeout(seconds):
                return await self._callback
        except TimeoutError:
            raise SignInTimedOut(f"no browser came back within {seconds:.0f} s") from None

    async def show(self, title: str, text: str) -> None:
        """Tell the person how it ended, if their browser asks within PAGE_SECONDS."""
        self._outcome.set_result(PAGE.format(title=escape(title), text=escape(text)))
        with suppress(TimeoutError):
            async with asyncio.timeout(PAGE_SECONDS):
                await self._is_shown.wait()

    async def _listen(self, address: str) -> None:
        try:
            server = await asyncio.start_server(
                self._serve, address, self._port, limit=MAX_HEAD_BYTES
            )
        except OSError as error:
            if self._servers and error.errno != errno.EADDRINUSE:
                return  # localhost without IPv6
            where = host_and_port(address, self._port)
            raise ConfigurationError(
                [f"cannot listen on {where} ({error.strerror or error}): {IN_USE}"]
            ) from error
        self._servers.append(server)

    async def _stop(self) -> None:
        for server in self._servers:
            server.close()
        for connection in self._connections:
            connection.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is None:
            return
        self._connections[task] = None
        if len(self._connections) > MAX_CONNECTIONS:
            next(iter(self._connections)).cancel()
        try:
            async with asyncio.timeout(HEAD_SECONDS):
                head = await reader.readuntil(b"\r\n\r\n")
            writer.write(await self._answer(head))
            await writer.drain()
        except (TimeoutError, OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass
        except asyncio.CancelledError:
            pass  # Only this class cancels it, and asyncio would write a traceback to the terminal.
        finally:
            del self._connections[task]
            writer.close()

    async def _answer(self, head: bytes) -> bytes:
        """Return the whole answer to a request."""
        first, *lines = head.split(b"\r\n")
        request = REQUEST.fullmatch(first)
        fields = [line.partition(b":") for line in lines]
        hosts = [_host(value) for name, _, value in fields if name.lower() == b"host"]
        path, _, query = request[1].partition(b"?") if request else (b"", b"", b"")
        if hosts != [self._host] or path != self._path:
            return _response("404 Not Found", _NOT_HERE)
        if query and self._is_awaited(query):
            if not self._callback.done():
                self._callback.set_result(query)
            # The code must not stay in the address bar.
            return _response("303 See Other", "", f"Location: {self._path.decode()}\r\n")
        if query or not self._callback.done():
            return _response("404 Not Found", _NOT_HERE)
        page = await asyncio.shield(self._outcome)
        self._is_shown.set()
        return _response("200 OK", page)


def _host(text: bytes) -> bytes:
    """Return a host as browsers name it, which leave out the port of http."""
    return text.strip(b" \t").lower().removesuffix(b":80")


_NOT_HERE = PAGE.format(
    title="Nothing to see here",
    text="A program waits here for one sign-in; this is not part of it.",
)


def open_in_browser(url: str) -> bool:
    """Open *url* in the person's browser; return whether one was found."""
    import webbrowser  # noqa: PLC0415 - most programs never sign in

    return webbrowser.open(url)


def announce(url: str, open_browser: Callable[[str], object]) -> None:
    """Write *url* for the person to standard error, and open it, without waiting for that."""
    sys.stderr.write(f"Open {url}\n")
    sys.stderr.flush()
    # A browser in the terminal returns when it ends; the program may end before it.
    threading.Thread(target=_open, args=(url, open_browser), daemon=True).start()


def _open(url: str, open_browser: Callable[[str], object]) -> None:
    try:
        open_browser(url)
    except Exception as error:  # noqa: BLE001 - whatever it is, the address has been written
        log.warning("no browser was opened: %(error)s", {"error": str(error)})


def _response(status: str, page: str, more: str = "") -> bytes:
    body = page.encode()
    head = f"HTTP/1.1 {status}\r\n{HEADERS}{more}Content-Length: {len(body)}\r\n\r\n"
    return head.encode("ascii") + body
