"""The people API (developer.webex.com/docs/api/v1/people), and the pictures that it names."""

import hashlib
import struct
import zlib
from functools import partial
from http import HTTPStatus
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from webex_oauth.emulator.endpoints.paging import PageQuery, answer_page, bad_request, read_query
from webex_oauth.emulator.endpoints.wire import Routes, check_permission, json_answer, read_id
from webex_oauth.emulator.state import State
from webex_oauth.emulator.world import Person, webex_id, webex_instant

_MOST_IDS = 85
_CELLS = 5
_CELL_PIXELS = 16
_PALETTE_IMAGE = 3
_DEPTH_BITS = 8
_PAPER = bytes.fromhex("eef1f5")
_INKS = ("0b57a4", "1f7a4d", "8a4b08", "7b2d8b", "a1203f", "0f6f7c")


_permitted = partial(check_permission, api="people", scope="spark:people_read")


class PeopleQuery(PageQuery, frozen=True):
    """Who is searched: by e-mail address, by the beginning of a name, or by ids."""

    email: str = ""
    display_name: str = ""
    id: str = ""


async def _show_me(state: State, request: Request) -> Response:
    return _answer(state, request, _permitted(state, request).person)


async def _list(state: State, request: Request) -> Response:
    own = _permitted(state, request).person
    query = read_query(request, PeopleQuery)
    ids = [read_id("PEOPLE", one) for one in query.id.split(",") if one]
    if not (query.email or query.display_name or ids):
        raise bad_request("Email, displayName, or id list should be specified.")
    if len(ids) > _MOST_IDS:
        raise bad_request(f"id takes at most {_MOST_IDS} ids.")
    email, prefix = query.email.casefold(), query.display_name.casefold()
    found = [
        one
        for one in state.world.people
        if one.organization_uuid == own.organization_uuid
        and email in ("", one.email.casefold())
        and one.display_name.casefold().startswith(prefix)
        and (not ids or one.uuid in ids)
    ]
    missing = [one for one in ids if one not in {person.uuid for person in found}]
    return answer_page(
        state,
        request,
        query,
        found,
        partial(_described, origin=state.origins.front_door.as_asked(request.scope)),
        notFoundIds=[webex_id("PEOPLE", one) for one in missing] or None,
    )


async def _show_person(state: State, request: Request) -> Response:
    _permitted(state, request)
    person = state.world.person(read_id("PEOPLE", request.path_params["person_id"]))
    if person is None:
        raise HTTPException(HTTPStatus.NOT_FOUND, "Person not found")
    return _answer(state, request, person)


def _answer(state: State, request: Request, person: Person) -> Response:
    return json_answer(_described(person, state.origins.front_door.as_asked(request.scope)))


def _described(person: Person, origin: str) -> dict[str, Any]:
    local_part = person.email.partition("@")[0]
    activity = person.last_activity_ms
    answer = {
        "id": person.id,
        "emails": [person.email],
        "phoneNumbers": [_contact("work", person.work_phone)] if person.work_phone else [],
        "sipAddresses": [_contact("personal-room", f"{local_part}@acme.webex.example")],
        "displayName": person.display_name,
        "nickName": person.first_name,
        "firstName": person.first_name,
        "lastName": person.last_name,
        "userName": person.email,
        "orgId": webex_id("ORGANIZATION", person.organization_uuid),
        "created": webex_instant(person.created_ms),
        "lastModified": webex_instant(person.last_modified_ms),
        "timezone": "Europe/Berlin",
        "type": person.type,
        "avatar": f"{origin}/avatars/{person.uuid}.png" if person.has_avatar else None,
        "title": person.job_title or None,
        "department": person.department or None,
        "lastActivity": None if activity is None else webex_instant(activity),
        "status": "active",
    }
    return {name: value for name, value in answer.items() if value is not None}


def _contact(kind: str, value: str) -> dict[str, Any]:
    return {"type": kind, "value": value, "primary": kind == "work"}


async def _show_avatar(state: State, request: Request) -> Response:
    # Webex keeps pictures on a host of their own, open to anyone who knows the address.
    person = state.world.person(request.path_params["person_uuid"])
    if person is None or not person.has_avatar:
        raise HTTPException(HTTPStatus.NOT_FOUND)
    headers = {
        "Cache-Control": "public, max-age=3600",
        "Cross-Origin-Resource-Policy": "cross-origin",
        "X-Content-Type-Options": "nosniff",
    }
    return Response(_drawn_avatar(person.uuid), headers=headers, media_type="image/png")


def _drawn_avatar(key: str) -> bytes:
    """Return a symmetrical pattern of squares, the same for the same key, as a PNG file."""
    digest = hashlib.sha256(key.encode()).digest()
    palette = _PAPER + bytes.fromhex(_INKS[digest[0] % len(_INKS)])
    rows = b"".join(_row(digest, row) * _CELL_PIXELS for row in range(_CELLS))
    side = _CELLS * _CELL_PIXELS
    header = struct.pack(">IIBBBBB", side, side, _DEPTH_BITS, _PALETTE_IMAGE, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"PLTE", palette), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(name, data) for name, data in chunks)


def _row(digest: bytes, row: int) -> bytes:
    first, second, third = (digest[3 + row * 3 + column] & 1 for column in range(3))
    cells = (first, second, third, second, first)
    no_filter = b"\x00"
    return no_filter + b"".join(bytes([cell]) * _CELL_PIXELS for cell in cells)


def _chunk(name: bytes, data: bytes) -> bytes:
    checksum = struct.pack(">I", zlib.crc32(name + data))
    return struct.pack(">I", len(data)) + name + data + checksum


AVATAR_ROUTES: Routes = (("GET", "/avatars/{person_uuid}.png", _show_avatar),)
ROUTES: Routes = (
    ("GET", "/v1/people", _list),
    ("GET", "/v1/people/me", _show_me),
    ("GET", "/v1/people/{person_id}", _show_person),
    *AVATAR_ROUTES,
)
