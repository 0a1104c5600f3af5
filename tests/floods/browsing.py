"""Browsing: a browser on one kept connection, quick enough for tens of thousands of pages."""

import asyncio
import re
from urllib.parse import urlencode

from bench.client import Answer, Connection, connect

ANSWER_SECONDS = 30
CSRF_TOKEN = re.compile(rb'name="csrf_token" value="([^"]+)"')


class Browser:
    """A browser with a jar of its own; whoever uses it reads the status of each answer."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._cookies: dict[bytes, bytes] = {}
        self._connection: Connection | None = None
        self._csrf_token = ""

    async def get(self, target: str) -> Answer:
        """Go to a path."""
        return await self._ask(self._head("GET", target) + b"\r\n")

    async def post(self, target: str, **fields: str) -> Answer:
        """Send a form, with the token of the last page that had one."""
        body = urlencode({"csrf_token": self._csrf_token, **fields}).encode()
        kind = b"content-type: application/x-www-form-urlencoded\r\n"
        length = b"content-length: %d\r\n\r\n" % len(body)
        return await self._ask(self._head("POST", target) + kind + length + body)

    async def leave_during(self, target: str, after_seconds: float) -> None:
        """Go to a path, and hang up without waiting for the answer."""
        connection = await self._open_connection()
        asking = asyncio.ensure_future(connection.ask(self._head("GET", target) + b"\r\n"))
        await asyncio.sleep(after_seconds)
        connection.close()
        await asyncio.gather(asking, return_exceptions=True)

    def close(self) -> None:
        """Hang up."""
        if self._connection is not None:
            self._connection.close()

    async def _ask(self, request: bytes) -> Answer:
        connection = await self._open_connection()
        async with asyncio.timeout(ANSWER_SECONDS):
            answer = await connection.ask(request)
        for name, value in answer.headers:
            if name == b"set-cookie":
                self._keep_cookie(value)
        token = CSRF_TOKEN.search(answer.body)
        if token is not None:
            self._csrf_token = token[1].decode()
        return answer

    def _head(self, method: str, target: str) -> bytes:
        cookies = b"; ".join(b"=".join(pair) for pair in self._cookies.items())
        return b"%s %s HTTP/1.1\r\nhost: localhost:%d\r\naccept: text/html\r\ncookie: %s\r\n" % (
            method.encode(),
            target.encode(),
            self._port,
            cookies,
        )

    async def _open_connection(self) -> Connection:
        if self._connection is None or not self._connection.is_open:
            self._connection = await connect(self._port)
        return self._connection

    def _keep_cookie(self, header: bytes) -> None:
        pair, _, attributes = header.partition(b";")
        name, _, value = pair.partition(b"=")
        if b"max-age=0" in attributes.lower():
            self._cookies.pop(name, None)
            return
        self._cookies[name] = value
