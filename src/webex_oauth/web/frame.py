"""What stands around every page: bounds on a request, headers on an answer, the last resort."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence
from typing import Final, NamedTuple

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from webex_oauth.oauth.http import read_text
from webex_oauth.settings.pages import PagePath
from webex_oauth.web.browser_security import HeaderList
from webex_oauth.web.refusals import Refused, reference_id, refused_with_status

log = logging.getLogger(__name__)

MAX_TARGET_BYTES: Final = 8 * 1024
MAX_HEADER_BYTES: Final = 16 * 1024
MAX_BODY_BYTES: Final = 64 * 1024
MAX_UNDER_WAY: Final = 1000
BODY_SECONDS: Final = 20
"""How long a form, which fits into one packet, may take to arrive."""

STREAM_SECONDS: Final = 300
"""How long an answer that is sent piece by piece may take, whatever its reader does."""

LAST_ANSWER: Final = [(b"connection", b"close")]

ShowFailure = Callable[[Scope, Refused], Awaitable[ASGIApp]]
"""Log that the request in the scope was refused, and build the answer."""


class Places:
    """How many requests are being worked on."""

    taken = 0


class Outlet:
    """The way out of one request: it sends the answer, with the headers that every answer carries.

    The request's place is free while its peer is waited for. An answer in pieces has
    *stream_seconds*, beyond which `limit` ends it.
    """

    def __init__(
        self, send: Send, headers: HeaderList, places: Places, stream_seconds: float
    ) -> None:
        self._send = send
        self.headers = headers
        self.has_started = False
        self.limit = asyncio.timeout(None)
        self._places = places
        self._stream_seconds = stream_seconds
        self._has_place = False

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
        elif message.get("more_body", False) and self.limit.when() is None:
            self.limit.reschedule(asyncio.get_running_loop().time() + self._stream_seconds)
        self._places.taken -= self._has_place
        try:
            await self._send(message)
        finally:
            self._places.taken += self._has_place


class Frame:
    """An ASGI application around *app*.

    Its paths are below *base*, which a proxy or an application around this one may have taken away.
    Only requests for *public_hosts* are answered; *open_paths* are answered for any host and at any
    time. Each is read whole, within *body_seconds*, before it counts as one of the
    MAX_UNDER_WAY, and it does not count while its peer is waited for: so peers that send or read
    nothing take no place. A failure, even an unforeseen one, becomes the answer that *show_failure*
    builds.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        base: str = "/",
        public_hosts: Iterable[str],
        open_paths: Collection[str] = (),
        headers: HeaderList,
        show_failure: ShowFailure,
        body_seconds: float = BODY_SECONDS,
        stream_seconds: float = STREAM_SECONDS,
    ) -> None:
        self.app = app
        self._public_hosts = frozenset(host.encode("ascii") for host in public_hosts)
        self._base = base
        self._open_paths = frozenset(open_paths)
        self._headers = headers
        self._show_failure = show_failure
        self._body_seconds = body_seconds
        self._stream_seconds = stream_seconds
        self._places = Places()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await send({"type": "websocket.close"})  # before it is accepted: servers answer 403
        if scope["type"] != "http":
            return
        if not scope["path"].startswith(self._base):
            scope = {**scope, "path": _whole_path(scope, self._base)}
        outlet = Outlet(send, self._headers, self._places, self._stream_seconds)
        try:
            claims = _claims(scope["headers"])
            self._check(scope, claims)
            if claims.has_body:
                receive = await self._whole(receive)
            self._check_room(scope)
        except Refused as refused:
            is_late = refused.failure.name == "body-too-slow"
            await self._fail(scope, receive, outlet, refused, LAST_ANSWER if is_late else ())
            return
        except ClientDisconnect:
            log.debug("the browser left before its form was whole")
            return
        outlet.take_place()
        try:
            await self._run(scope, receive, outlet)
        finally:
            outlet.give_place_back()

    async def _run(self, scope: Scope, receive: Receive, outlet: Outlet) -> None:
        try:
            async with outlet.limit:
                await self.app(scope, receive, outlet.send)
        except ClientDisconnect:
            log.debug("the browser left before it had sent or read everything")
        except HTTPException as error:
            headers = [(k.encode(), v.encode()) for k, v in (error.headers or {}).items()]
            await self._fail(scope, receive, outlet, refused_with_status(error), headers)
        except Exception as error:  # noqa: BLE001 - the last resort; it is logged with its traceback
            if outlet.limit.expired():
                log.warning(
                    "an answer was cut off: the browser did not read it (reference %(reference)s)",
                    {"reference": reference_id(scope)},
                )
                raise ConnectionAbortedError("not read to its end in time") from None
            refused = Refused("unexpected", "unforeseen failure", error)
            await self._fail(scope, receive, outlet, refused)

    def _check(self, scope: Scope, claims: "_Claims") -> None:
        is_ours = len(claims.hosts) == 1 and claims.hosts[0] in self._public_hosts
        if not is_ours and scope["path"] not in self._open_paths:
            raise Refused("wrong-host", _wrong_host(claims.hosts))
        target_bytes = len(scope["raw_path"]) + len(scope["query_string"])
        if target_bytes > MAX_TARGET_BYTES:
            raise Refused("url-too-long", f"the address has {target_bytes} bytes")
        if claims.header_bytes > MAX_HEADER_BYTES:
            raise Refused("headers-too-large", f"the headers have {claims.header_bytes} bytes")
        if claims.body_bytes > MAX_BODY_BYTES:
            raise _too_large(f"a body of {claims.body_bytes} bytes")

    def _check_room(self, scope: Scope) -> None:
        if self._places.taken >= MAX_UNDER_WAY and scope["path"] not in self._open_paths:
            raise Refused("overloaded", f"{MAX_UNDER_WAY} requests are under way already")

    async def _whole(self, receive: Receive) -> Receive:
        """Read the body; return a receiver that delivers it in one piece."""
        try:
            async with asyncio.timeout(self._body_seconds):
                body = await _read_body(receive)
        except TimeoutError:
            reason = f"the body was not whole after {self._body_seconds} seconds"
            raise Refused("body-too-slow", reason) from None
        messages: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

        async def receive_whole() -> Message:
            return messages.pop() if messages else await receive()

        return receive_whole

    async def _fail(
        self,
        scope: Scope,
        receive: Receive,
        outlet: Outlet,
        refused: Refused,
        headers: HeaderList = (),
    ) -> None:
        outlet.headers = [*headers, *outlet.headers]
        response = await self._page(scope, refused)
        if outlet.has_started:
            # The status is sent; all that is left is to cut the answer short, visibly.
            raise ConnectionAbortedError(refused.failure.name)
        await response(scope, receive, outlet.send)

    async def _page(self, scope: Scope, refused: Refused) -> ASGIApp:
        failure = refused.failure
        try:
            return await self._show_failure(scope, refused)
        except Exception:
            log.exception(
                "the page of the failure %(failure)s failed (reference %(reference)s)",
                {"failure": failure.name, "reference": reference_id(scope)},
            )
        text = f"{failure.title}. Reference: {reference_id(scope)}\n"
        return PlainTextResponse(text, failure.status)


def _whole_path(scope: Scope, base: str) -> str:
    """Return the path as browsers know it, from one that does not begin with *base*.

    An ASGI path contains `root_path`, where the applications around this one are mounted, but not
    always the part of it that a proxy took away.
    """
    path: str = scope["path"]
    root_path: str = scope.get("root_path", "")
    if f"{path}/" == base and path not in set(PagePath):
        return path
    for mount in (root_path, root_path.removeprefix(scope.get("app_root_path", ""))):
        if mount and path.startswith(f"{mount}/"):
            return base + path[len(mount) + 1 :]
    return base + path.removeprefix("/")


def _wrong_host(hosts: Sequence[bytes]) -> str:
    named = ", ".join(host.decode("latin-1") for host in hosts)
    return f"the request is for the host {read_text(named) or 'of no name'}"


def _too_large(what: str) -> Refused:
    return Refused("body-too-large", f"{what} is larger than {MAX_BODY_BYTES} bytes")


class _Claims(NamedTuple):
    """What the headers say about a request."""

    hosts: list[bytes]
    header_bytes: int
    body_bytes: int
    has_body: bool


def _claims(headers: HeaderList) -> _Claims:
    """Read the headers once for everything that is asked of them."""
    hosts: list[bytes] = []
    header_bytes = body_bytes = 0
    is_coded = False
    for name, value in headers:
        header_bytes += len(name) + len(value)
        if name == b"host":
            hosts.append(value.lower())
        elif name == b"content-length":
            body_bytes = max(body_bytes, int(value))
        elif name == b"transfer-encoding":
            is_coded = True
    return _Claims(hosts, header_bytes, body_bytes, is_coded or body_bytes > 0)


async def _read_body(receive: Receive) -> bytes:
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        body += message.get("body", b"")
        if len(body) > MAX_BODY_BYTES:
            raise _too_large("the body of the request")
        if not message.get("more_body", False):
            return bytes(body)
