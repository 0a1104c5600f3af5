"""The rooms API: developer.webex.com/docs/api/v1/rooms."""

import base64
from functools import partial
from typing import Literal

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from webex_oauth.emulator.endpoints import wire
from webex_oauth.emulator.endpoints.paging import PageQuery, answer_page, read_query
from webex_oauth.emulator.identity.integrations import KMS_SCOPE, is_satisfied
from webex_oauth.emulator.identity.tokens import Grant
from webex_oauth.emulator.state import State
from webex_oauth.emulator.world import Person, Room, RoomType, webex_id

_KMS_FAILURE = {
    "code": "kms_failure",
    "reason": "Key management server failed to respond appropriately.",
}

_permitted = partial(wire.check_permission, api="rooms", scope="spark:rooms_read")


class RoomQuery(PageQuery, frozen=True):
    """Which rooms are requested, in which order, and which page of them."""

    type: RoomType | None = None
    team_id: str = ""
    sort_by: Literal["id", "lastactivity", "created"] = "id"
    org_public_spaces: bool = False


async def _list(state: State, request: Request) -> Response:
    grant, query = _permitted(state, request), read_query(request, RoomQuery)
    if query.org_public_spaces:
        raise wire.lacking("orgPublicSpaces")
    team = wire.read_id("TEAM", query.team_id) if "teamId" in request.query_params else ""
    rooms = [
        room
        for room in state.world.rooms(grant.person, query.sort_by)
        if query.type in (None, room.type) and (not team or room.team_id == webex_id("TEAM", team))
    ]
    return answer_page(state, request, query, rooms, partial(_seen, state, grant))


async def _show(state: State, request: Request) -> Response:
    grant = _permitted(state, request)
    room = find_room(state, grant.person, request.path_params["room_id"])
    return wire.json_answer(_seen(state, grant, room))


def find_room(state: State, person: Person, room_id: str) -> Room:
    """Return a room that a person is in; refuse every other one as Webex does."""
    room = state.world.room(person, wire.read_id("ROOM", room_id))
    if room is None:
        status = state.options.stranger_room_status
        raise HTTPException(status, "Could not find a room with provided ID.")
    return room


def is_decrypted(state: State, grant: Grant) -> bool:
    """Return whether Webex's key server opens content for this grant."""
    decryption = state.options.decryption
    is_allowed = decryption == "with_kms_scope" and is_satisfied(KMS_SCOPE, grant.scopes)
    return decryption == "always" or is_allowed


def _seen(state: State, grant: Grant, room: Room) -> Room:
    if is_decrypted(state, grant):
        return room
    scrambled = bytes(byte ^ 0x5A for byte in room.title.encode()[:96])
    text = base64.urlsafe_b64encode(scrambled).decode().rstrip("=")
    title = f"eyJhbGciOiJkaXIiLCJlbmMiOiJBMjU2R0NNIn0..{text}"
    return msgspec.structs.replace(room, title=title, errors={"title": _KMS_FAILURE})


ROUTES: wire.Routes = (
    ("GET", "/v1/rooms", _list),
    ("GET", "/v1/rooms/{room_id}", _show),
)
