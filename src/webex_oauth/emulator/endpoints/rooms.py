"""The rooms API: developer.webex.com/docs/api/v1/rooms."""

import base64
from datetime import UTC, datetime
from functools import partial
from typing import Literal

import msgspec
from msgspec import field
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from webex_oauth.emulator.endpoints import wire
from webex_oauth.emulator.endpoints.paging import PageQuery, answer_page, bad_request, read_query
from webex_oauth.emulator.identity.integrations import KMS_SCOPE, is_satisfied
from webex_oauth.emulator.identity.tokens import Grant
from webex_oauth.emulator.state import State
from webex_oauth.emulator.world import Person, Room, RoomType, webex_id

_KMS_FAILURE = {
    "code": "kms_failure",
    "reason": "Key management server failed to respond appropriately.",
}
_EXCLUDED_BY_PUBLIC = {"teamId", "type", "sortBy"}

_permitted = partial(wire.check_permission, api="rooms", scope="spark:rooms_read")


class RoomQuery(PageQuery, frozen=True):
    """Which rooms are requested, in which order, and which page of them."""

    type: RoomType | None = None
    team_id: str = ""
    sort_by: Literal["id", "lastactivity", "created"] = "id"
    org_public_spaces: bool = False
    made_public_after: datetime | None = field(default=None, name="from")
    made_public_before: datetime | None = field(default=None, name="to")

    def includes(self, room: Room) -> bool:
        """Return whether a room is one of those requested."""
        is_of_type = self.type in (None, room.type)
        is_of_team = not self.team_id or room.team_id == webex_id(
            "TEAM", wire.read_id("TEAM", self.team_id)
        )
        return is_of_type and is_of_team and self._is_in_range(room.made_public)

    def _is_in_range(self, made_public: str | None) -> bool:
        after, before = _aware(self.made_public_after), _aware(self.made_public_before)
        if made_public is None:
            return after is None and before is None
        instant = datetime.fromisoformat(made_public)
        is_after = after is None or instant > after
        return is_after and (before is None or instant < before)


def _aware(instant: datetime | None) -> datetime | None:
    return instant.replace(tzinfo=UTC) if instant and not instant.tzinfo else instant


async def _list(state: State, request: Request) -> Response:
    grant = _permitted(state, request)
    query, sent = read_query(request, RoomQuery), request.query_params.keys()
    excluded = sorted(_EXCLUDED_BY_PUBLIC & sent)
    if query.org_public_spaces and excluded:
        raise bad_request(f"{excluded[0]} cannot be set in combination with orgPublicSpaces.")
    if "teamId" in sent:
        wire.read_id("TEAM", query.team_id)
    rooms = _matching_rooms(state, grant.person, query)
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


def _matching_rooms(state: State, person: Person, query: RoomQuery) -> tuple[Room, ...]:
    is_public, world = query.org_public_spaces, state.world
    rooms = world.public_rooms(person) if is_public else world.rooms(person, query.sort_by)
    return tuple(room for room in rooms if query.includes(room))


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
