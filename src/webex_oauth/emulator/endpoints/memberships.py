"""The memberships API: developer.webex.com/docs/api/v1/memberships."""

from functools import partial
from http import HTTPStatus
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from webex_oauth.emulator.endpoints import wire
from webex_oauth.emulator.endpoints.paging import PageQuery, answer_page, bad_request, read_query
from webex_oauth.emulator.endpoints.rooms import find_room
from webex_oauth.emulator.state import State
from webex_oauth.emulator.world import Person, Room, read_webex_id, webex_id

_permitted = partial(wire.check_permission, api="memberships", scope="spark:memberships_read")


class MembershipQuery(PageQuery, frozen=True):
    """Whose memberships are requested, in which room, and which page of them."""

    room_id: str = ""
    person_id: str = ""
    person_email: str = ""


async def _list(state: State, request: Request) -> Response:
    person = _permitted(state, request).person
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


async def _show(state: State, request: Request) -> Response:
    person = _permitted(state, request).person
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
    ("GET", "/v1/memberships", _list),
    ("GET", "/v1/memberships/{membership_id}", _show),
)
