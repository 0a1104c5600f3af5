"""The APIs of rooms and memberships: developer.webex.com/docs/api/v1/rooms and memberships."""

import base64
from functools import partial
from http import HTTPStatus
from typing import Any, Literal

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from webex_oauth.emulator.endpoints import wire
from webex_oauth.emulator.endpoints.paging import PageQuery, answer_page, bad_request, read_query
from webex_oauth.emulator.identity.integrations import KMS_SCOPE, is_satisfied
from webex_oauth.emulator.identity.tokens import Grant
from webex_oauth.emulator.state import State
from webex_oauth.emulator.world import Person, Room, RoomType, read_webex_id, webex_id

_KMS_FAILURE = {
    "code": "kms_failure",
    "reason": "Key management server failed to respond appropriately.",
}

_permitted = partial(wire.check_permission, api="rooms", scope="spark:rooms_read")
_may_read_members = partial(
    wire.check_permission, api="memberships", scope="spark:memberships_read"
)


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


class MembershipQuery(PageQuery, frozen=True):
    """Whose memberships are requested, in which room, and which page of them."""

    room_id: str = ""
    person_id: str = ""
    person_email: str = ""


async def _list_memberships(state: State, request: Request) -> Response:
    person = _may_read_members(state, request).person
    query = read_query(request, MembershipQuery)
    if query.room_id:
        room = find_room(state, person, query.room_id)
        email = query.person_email.casefold()
        uuid = wire.read_id("PEOPLE", query.person_id) if query.person_id else ""
        found = [
            (one, room)
            for one in state.conversations.members(room)
            if uuid in ("", one.uuid) and email in ("", one.email.casefold())
        ]
    elif query.person_id or query.person_email:
        raise bad_request("roomId cannot be null")
    else:
        found = [(person, room) for room in state.world.rooms(person)]
    return answer_page(state, request, query, found, lambda pair: _described(*pair))


async def _show_membership(state: State, request: Request) -> Response:
    person = _may_read_members(state, request).person
    keys = wire.read_id("MEMBERSHIP", request.path_params["membership_id"]).split(":")
    room, member = state.world.room(person, keys[1]), state.world.person(keys[0])
    if room is None or member not in state.conversations.members(room):
        raise HTTPException(HTTPStatus.NOT_FOUND, "Failed to get membership")
    return wire.json_answer(_described(member, room))


def _described(person: Person, room: Room) -> dict[str, Any]:
    key = f"{person.uuid}:{read_webex_id('ROOM', room.id)}"
    answer = {
        "id": webex_id("MEMBERSHIP", key),
        "roomId": room.id,
        "personId": person.id,
        "personEmail": person.email,
        "personDisplayName": person.display_name,
        "personOrgId": webex_id("ORGANIZATION", person.organization_uuid),
        "isModerator": room.is_locked and room.creator_id == person.id,
        "isMonitor": False,
        "roomType": room.type,
        "created": room.created,
    }
    return {**answer, "isRoomHidden": False} if room.type == "direct" else answer


ROUTES: wire.Routes = (
    ("GET", "/v1/rooms", _list),
    ("GET", "/v1/rooms/{room_id}", _show),
    ("GET", "/v1/memberships", _list_memberships),
    ("GET", "/v1/memberships/{membership_id}", _show_membership),
)
