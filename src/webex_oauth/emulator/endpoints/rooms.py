"""The rooms API, with its paging: developer.webex.com/docs/api/v1/rooms."""

import base64
import re
from datetime import UTC, datetime
from functools import partial
from http import HTTPStatus
from typing import Annotated, Literal
from urllib.parse import urlencode

import msgspec
from msgspec import Meta, Struct, field
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from webex_oauth.emulator.endpoints import wire
from webex_oauth.emulator.identity.integrations import KMS_SCOPE, is_satisfied
from webex_oauth.emulator.identity.tokens import Grant
from webex_oauth.emulator.state import State
from webex_oauth.emulator.world import Person, Room, RoomType, webex_id

_KMS_FAILURE = {
    "code": "kms_failure",
    "reason": "Key management server failed to respond appropriately.",
}
_CURSOR = re.compile(r"emulator:after:(?P<position>[0-9]{1,9})")
_EXCLUDED_BY_PUBLIC = {"teamId", "type", "sortBy"}

_permitted = partial(wire.check_permission, api="rooms", scope="spark:rooms_read")


class RoomQuery(Struct, frozen=True, rename="camel"):
    """Which rooms are requested, in which order, and which page of them."""

    type: RoomType | None = None
    team_id: str = ""
    sort_by: Literal["id", "lastactivity", "created"] = "id"
    org_public_spaces: bool = False
    made_public_after: datetime | None = field(default=None, name="from")
    made_public_before: datetime | None = field(default=None, name="to")
    max: Annotated[int, Meta(ge=1, le=1_000_000_000)] = 100
    cursor: str = ""

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


def read_query(pairs: list[tuple[str, str]]) -> RoomQuery:
    """Return the query of a list; refuse (400) a meaningless one."""
    sent = dict(pairs)
    try:
        query = msgspec.convert(sent, RoomQuery, strict=False)
    except msgspec.ValidationError as cause:
        raise _bad_request(str(cause)) from cause
    excluded = sorted(_EXCLUDED_BY_PUBLIC & sent.keys())
    if query.org_public_spaces and excluded:
        raise _bad_request(f"{excluded[0]} cannot be set in combination with orgPublicSpaces.")
    if "teamId" in sent:
        wire.read_id("TEAM", query.team_id)
    return query


def read_cursor(cursor: str) -> int:
    """Return where the page begins to which a cursor leads; refuse (400) an invented one."""
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
    except ValueError:
        text = ""
    form = _CURSOR.fullmatch(text)
    if form is None:
        raise _bad_request("cursor is invalid.")
    return int(form["position"])


def next_link(url: str, pairs: list[tuple[str, str]], position: int) -> str:
    """Return the Link header that leads to the page at *position*, keeping the query."""
    kept = [(name, value) for name, value in pairs if name != "cursor"]
    cursor = base64.urlsafe_b64encode(f"emulator:after:{position}".encode()).decode().rstrip("=")
    return f'<{url}?{urlencode([*kept, ("cursor", cursor)])}>; rel="next"'


async def _list(state: State, request: Request) -> Response:
    grant, options = _permitted(state, request), state.options
    try:
        pairs = wire.query_pairs(request)
    except ValueError as cause:
        raise _bad_request("The query is malformed.") from cause
    query = read_query(pairs)
    if query.max > options.rooms_page_cap and options.over_cap == "refuse":
        raise _bad_request(f"max must be between 1 and {options.rooms_page_cap}.")
    start = read_cursor(query.cursor) if query.cursor else 0
    end = start + min(query.max, options.rooms_page_cap)
    rooms = _matching_rooms(state, grant.person, query)
    url = f"{state.origins.front_door.as_asked(request.scope)}/v1/rooms"
    headers = {"Link": next_link(url, pairs, end)} if end < len(rooms) else {}
    return wire.json_answer({"items": _seen(state, grant, rooms[start:end])}, headers=headers)


async def _show(state: State, request: Request) -> Response:
    grant = _permitted(state, request)
    room = state.world.room(grant.person, wire.read_id("ROOM", request.path_params["room_id"]))
    if room is None:
        status = state.options.stranger_room_status
        raise HTTPException(status, "Could not find a room with provided ID.")
    return wire.json_answer(_seen(state, grant, (room,))[0])


def _matching_rooms(state: State, person: Person, query: RoomQuery) -> tuple[Room, ...]:
    is_public, world = query.org_public_spaces, state.world
    rooms = world.public_rooms(person) if is_public else world.rooms(person, query.sort_by)
    return tuple(room for room in rooms if query.includes(room))


def _seen(state: State, grant: Grant, rooms: tuple[Room, ...]) -> tuple[Room, ...]:
    decryption = state.options.title_decryption
    is_allowed = decryption == "with_kms_scope" and is_satisfied(KMS_SCOPE, grant.scopes)
    if decryption == "always" or is_allowed:
        return rooms
    return tuple(_encrypted(room) for room in rooms)


def _encrypted(room: Room) -> Room:
    scrambled = bytes(byte ^ 0x5A for byte in room.title.encode()[:96])
    text = base64.urlsafe_b64encode(scrambled).decode().rstrip("=")
    title = f"eyJhbGciOiJkaXIiLCJlbmMiOiJBMjU2R0NNIn0..{text}"
    return msgspec.structs.replace(room, title=title, errors={"title": _KMS_FAILURE})


def _bad_request(message: str) -> HTTPException:
    return HTTPException(HTTPStatus.BAD_REQUEST, message)


ROUTES: wire.Routes = (
    ("GET", "/v1/rooms", _list),
    ("GET", "/v1/rooms/{room_id}", _show),
)
