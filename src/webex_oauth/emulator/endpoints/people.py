"""The people API (developer.webex.com/docs/api/v1/people), and the pictures that it names."""

import hashlib
import struct
import zlib
from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from webex_oauth.emulator.endpoints.wire import (
    NOT_FOUND,
    ApiRefusal,
    Permission,
    check_permission,
    json_answer,
)
from webex_oauth.emulator.state import State
from webex_oauth.emulator.world import MalformedId, Person, person_answer, read_webex_id

_CELLS = 5
_CELL_PIXELS = 16
_PALETTE_IMAGE = 3
_DEPTH_BITS = 8
_PAPER = bytes.fromhex("eef1f5")
_INKS = tuple(
    bytes.fromhex(ink) for ink in ("0b57a4", "1f7a4d", "8a4b08", "7b2d8b", "a1203f", "0f6f7c")
)


class PeopleApi:
    """Answer about people, to those who may read them."""

    def __init__(self, state: State) -> None:
        self._state = state

    def routes(self) -> list[Route]:
        """List the paths of this API."""
        return [
            Route("/v1/people/me", self.me),
            Route("/v1/people/{person_id}", self.person),
        ]

    async def me(self, request: Request) -> Response:
        """Show the person whose token it is."""
        return self._answer(request, self._permitted(request).person)

    async def person(self, request: Request) -> Response:
        """Show a person by id."""
        self._permitted(request)
        try:
            uuid = read_webex_id("PEOPLE", request.path_params["person_id"])
        except MalformedId as malformed:
            raise ApiRefusal(HTTPStatus.BAD_REQUEST, str(malformed)) from malformed
        person = self._state.world.person(uuid)
        if person is None:
            raise ApiRefusal(HTTPStatus.NOT_FOUND, "Person not found")
        return self._answer(request, person)

    def _permitted(self, request: Request) -> Permission:
        return check_permission(self._state, request, api="people", scope="spark:people_read")

    def _answer(self, request: Request, person: Person) -> Response:
        origin = self._state.origins.front_door.as_asked(request.scope)
        return json_answer(person_answer(person, origin))


class Avatars:
    """Serve pictures. Webex keeps them on a host of their own, open to who knows the address."""

    def __init__(self, state: State) -> None:
        self._state = state

    def routes(self) -> list[Route]:
        """List the paths of the pictures."""
        return [Route("/avatars/{person_uuid}.png", self.show)]

    async def show(self, request: Request) -> Response:
        """Show a picture."""
        person = self._state.world.person(request.path_params["person_uuid"])
        if person is None or not person.has_avatar:
            raise ApiRefusal(HTTPStatus.NOT_FOUND, NOT_FOUND)
        headers = {
            "Cache-Control": "public, max-age=3600",
            "Cross-Origin-Resource-Policy": "cross-origin",
            "X-Content-Type-Options": "nosniff",
        }
        return Response(draw_avatar(person.uuid), headers=headers, media_type="image/png")


def draw_avatar(key: str) -> bytes:
    """Draw a symmetrical pattern of squares, the same for the same key, as a PNG file."""
    digest = hashlib.sha256(key.encode()).digest()
    palette = _PAPER + _INKS[digest[0] % len(_INKS)]
    rows = b"".join(_row(digest, row) * _CELL_PIXELS for row in range(_CELLS))
    side = _CELLS * _CELL_PIXELS
    header = struct.pack(">IIBBBBB", side, side, _DEPTH_BITS, _PALETTE_IMAGE, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"PLTE", palette), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(name, data) for name, data in chunks)


def _row(digest: bytes, row: int) -> bytes:
    half = [digest[3 + row * 3 + column] & 1 for column in range(3)]
    cells = [*half, half[1], half[0]]
    no_filter = b"\x00"
    return no_filter + b"".join(bytes([cell]) * _CELL_PIXELS for cell in cells)


def _chunk(name: bytes, data: bytes) -> bytes:
    checksum = struct.pack(">I", zlib.crc32(name + data))
    return struct.pack(">I", len(data)) + name + data + checksum
