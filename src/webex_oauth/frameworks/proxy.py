"""The proxy: a front end calls Webex through its own origin, and never sees a token."""

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from http import HTTPStatus
from typing import Final, TypeAlias
from urllib.parse import quote

from msgspec import Struct
from msgspec.structs import replace
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from webex_oauth.errors import DeadlineExceeded, InvalidResponse, WebexOAuthError
from webex_oauth.flows.context import Bulkhead
from webex_oauth.flows.fetch_metadata import is_foreign
from webex_oauth.frameworks.asked import public_path
from webex_oauth.frameworks.door import Door
from webex_oauth.frameworks.responses import asked_of, response_of
from webex_oauth.library.grants import AsyncGrant, api_of
from webex_oauth.oauth.http import HttpRequest
from webex_oauth.oauth.token import authorization_header
from webex_oauth.ports import Limits
from webex_oauth.secret import Secret
from webex_oauth.webex.api import page_url, read_links
from webex_oauth.webex.own_requests import own_request
from webex_oauth.webex.platform import Platform

METHODS: Final = ("GET", "POST", "PUT", "PATCH", "DELETE")
SEGMENT: Final = re.compile(r"(?!\.{1,2}$)[A-Za-z0-9._~=@:+,-]+", re.ASCII)
QUERY: Final = "%:/?@!$&'()*+,;=[]~"
PASSED_ON: Final = frozenset(
    {"accept", "accept-language", "content-type", "range"}
    | {"if-match", "if-modified-since", "if-none-match"}
)
PASSED_BACK: Final = frozenset(
    {"accept-ranges", "etag", "last-modified", "retry-after", "trackingid", "content-disposition"}
    | {"content-encoding", "content-language", "content-length", "content-range", "content-type"}
)
ADDED: Final = {
    "cache-control": "no-store",
    "vary": "cookie",
    "x-content-type-options": "nosniff",
    # What somebody uploaded must not run as a page of this origin.
    "content-security-policy": "sandbox; default-src 'none'",
    "cross-origin-resource-policy": "same-origin",
}
RELAY_LIMITS: Final = Limits(deadline_seconds=120.0, max_body_bytes=100 * 1024 * 1024)
MAX_UPLOAD_BYTES: Final = 100 * 1024 * 1024
REPLAYED_BYTES: Final = 64 * 1024
"""How much of a request is kept, to be sent again with a fresh token."""

RELATIONS: Final = frozenset({"first", "last", "next", "prev"})
START: Final = "http.response.start"
BODY: Final = "http.response.body"
RELAYED: Final = 96
"""Half of the places for calls of Webex: slow readers hold up no other call."""
RELAYED_OF_ONE: Final = 24


PersonOf: TypeAlias = Callable[[Request], Awaitable[AsyncGrant]]
"""Returns the grant of the person of a request."""


class Upload(Struct, frozen=True):
    """The body of a request: its `content`, or if it is too long for that its pieces."""

    content: bytes
    length: int
    pieces: AsyncIterator[bytes] | None = None


class Refused(Exception):
    """A request that ends in the failure *name*, before Webex is asked."""

    def __init__(self, name: str, remedy: str) -> None:
        super().__init__(remedy)
        self.name = name
        self.remedy = remedy


class Proxy:
    """Calls of a front end to what *allow* lists: "METHOD path", as in Webex's API.

    A `*` stands for one segment of the path. Raises ValueError for what is no such line.
    """

    def __init__(self, door: Door, person_of: PersonOf, allow: Iterable[str]) -> None:
        if isinstance(allow, str):
            raise TypeError('allow is a list of lines, such as ["GET people/me"]')
        self._door = door
        self._person_of = person_of
        self._allowed = [_read_line(line) for line in allow]
        self._places = Bulkhead(RELAYED, RELAYED_OF_ONE)

    async def endpoint(self, request: Request) -> Response:
        """Return the response to one call, which asks Webex while it is sent."""
        return Relay(self, request)

    async def relay(self, request: Request, send: Send) -> None:
        """Ask Webex as the person, and send on what it answers."""
        path = self._checked_path(request)
        grant = await self._person_of(request)
        upload = await _read_upload(request)
        build = _builder(request, grant, path, upload)
        async with (
            self._places.place(grant.person_id.encode()),
            api_of(grant).stream(build, RELAY_LIMITS, upload.pieces) as answer,
        ):
            if answer.status // 100 == 3 and answer.status != HTTPStatus.NOT_MODIFIED:  # noqa: PLR2004 - the class of redirects
                raise InvalidResponse(f"the API answered {answer.status}")
            here = self._door.origin + public_path(request.scope)
            base = here.removesuffix(path.partition("?")[0])
            headers = _headers_back(answer.headers, grant.platform, base)
            await send({"type": START, "status": answer.status, "headers": headers})
            async for piece in answer.pieces:
                await send({"type": BODY, "body": piece, "more_body": True})
                if upload.pieces is None and await request.is_disconnected():
                    return
        await send({"type": BODY, "body": b""})

    def refusal(
        self, request: Request, error: Refused | TimeoutError | WebexOAuthError
    ) -> Response:
        """Return the answer to a call that ended in *error*."""
        asked = asked_of(request)
        if isinstance(error, Refused):
            return response_of(self._door.problem(asked, error.name, error.remedy))
        if isinstance(error, TimeoutError):
            error = DeadlineExceeded("the call took too long")
        return response_of(self._door.answer_error(asked, error))

    def _checked_path(self, request: Request) -> str:
        headers, path = request.headers, request.path_params["path"]
        is_other = is_foreign(headers, self._door.origin)
        if is_other or headers.get("x-webex-csrf") != "1":
            remedy = "call from a page of this origin, with the header X-Webex-CSRF: 1"
            raise Refused("forgery-suspected", remedy)
        raw = request.scope.get("raw_path") or request.scope["path"].encode()
        # An encoded slash would be one segment to some, and two to others.
        is_plain = raw.count(b"/") == request.scope["path"].count("/")
        # Who may read an answer may read its head.
        method = "GET" if request.method == "HEAD" else request.method
        asked = [method, *path.split("/")]
        if not is_plain or not any(_matches(line, asked) for line in self._allowed):
            raise Refused("page-not-found", "only what the application lists can be called")
        query = quote(request.scope["query_string"].decode("latin-1"), safe=QUERY)
        return f"{path}?{query}" if query else path


class Relay(Response):
    """The response to a call: it asks Webex while it is sent, for a limited time."""

    def __init__(self, proxy: Proxy, request: Request) -> None:
        super().__init__()
        self._proxy = proxy
        self._request = request

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send what Webex answers, or why it was not asked."""
        is_begun = False

        async def noted(message: Message) -> None:
            nonlocal is_begun
            is_begun = True
            await send(message)

        try:
            async with asyncio.timeout(RELAY_LIMITS.deadline_seconds):
                await self._proxy.relay(self._request, noted)
        except (Refused, TimeoutError, WebexOAuthError) as error:
            if is_begun:  # all that is left is to cut the answer short, visibly
                raise ConnectionAbortedError(str(error)) from error
            response = self._proxy.refusal(self._request, error)
            await response(scope, receive, send)


def _read_line(line: str) -> Sequence[str]:
    method, _, path = line.partition(" ")
    segments = path.split("/")
    if method not in METHODS or not all(one == "*" or SEGMENT.fullmatch(one) for one in segments):
        raise ValueError(f"{line!r} is not a method and a path, such as 'GET rooms/*'")
    return [method, *segments]


def _matches(line: Sequence[str], asked: Sequence[str]) -> bool:
    return len(line) == len(asked) and all(
        (one == "*" and SEGMENT.fullmatch(other)) or one == other
        for one, other in zip(line, asked, strict=True)
    )


async def _read_upload(request: Request) -> Upload:
    """Read the body as far as it is kept; raise Refused for one that is too long."""
    stated = request.headers.get("content-length")
    pieces, begun = request.stream(), bytearray()
    async for piece in pieces:
        begun += piece
        if len(begun) > REPLAYED_BYTES:
            break
    else:
        return Upload(bytes(begun), len(begun))
    if stated is None or not len(begun) <= int(stated) <= MAX_UPLOAD_BYTES:
        raise Refused("body-too-large", f"say how long it is; at most {MAX_UPLOAD_BYTES} bytes")
    return Upload(b"", int(stated), _whole(bytes(begun), pieces, int(stated)))


async def _whole(begun: bytes, pieces: AsyncIterator[bytes], length: int) -> AsyncIterator[bytes]:
    """Yield exactly *length* bytes: more or fewer would become another request to Webex."""
    length -= len(begun)
    yield begun
    async for piece in pieces:
        length -= len(piece)
        if length < 0:
            break
        yield piece
    if length:
        raise ClientDisconnect


def _builder(
    request: Request, grant: AsyncGrant, path: str, upload: Upload
) -> Callable[[Secret], HttpRequest]:
    """Return what makes the request to Webex with a token; raise Refused."""
    headers = {name: text for name, text in request.headers.items() if name in PASSED_ON}
    try:
        built = own_request(
            grant.platform,
            request.method,
            path,
            params=None,
            content=upload.content,
            headers=headers,
            access_token=Secret("none-yet"),
        )
    except ValueError as error:
        raise Refused("bad-request", str(error)) from error
    length = {"content-length": str(upload.length)} if upload.pieces else {}

    def build(access_token: Secret) -> HttpRequest:
        authorization = {"authorization": authorization_header(access_token)}
        return replace(built, headers={**built.headers, **length, **authorization})

    return build


def _headers_back(
    headers: Mapping[str, str], platform: Platform, base: str
) -> list[tuple[bytes, bytes]]:
    """Return the headers of an answer for the front end, whose links lead to *base*."""
    kept = {name: text for name, text in headers.items() if name in PASSED_BACK} | ADDED
    with suppress(InvalidResponse):
        links = []
        for target, relations in read_links(headers.get("link", "")):
            below = page_url(target, platform).text.removeprefix(platform.api_base_url)
            links += [f'<{base}{below}>; rel="{one}"' for one in sorted(relations & RELATIONS)]
        kept |= {"link": ", ".join(links)} if links else {}
    return [(name.encode(), text.encode("latin-1")) for name, text in kept.items()]
