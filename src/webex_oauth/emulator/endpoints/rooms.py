"""The rooms API, with its paging: developer.webex.com/docs/api/v1/rooms."""

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Literal, get_args
from urllib.parse import urlencode

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from webex_oauth.emulator.endpoints import wire
from webex_oauth.emulator.identity.integrations import KMS_SCOPE, is_satisfied
from webex_oauth.emulator.identity.tokens import Grant
from webex_oauth.emulator.state import State
from webex_oauth.emulator.world import Person, Room, RoomOrder, RoomType, webex_id

_DEFAULT_MAX = 100
_ORDERS: tuple[RoomOrder, ...] = ("id", "lastactivity", "created")
_KMS_FAILURE = {
    "code": "kms_failure",
    "reason": "Key management server failed to respond appropriately.",
}
_EXCLUDED_BY_PUBLIC = ("teamId", "type", "sortBy")
_CURSOR = re.compile(r"emulator:after:(?P<position>[0-9]{1,9})")
_NUMBER = re.compile(r"-?[0-9]{1,9}")


@dataclass(frozen=True, slots=True)
class _Filter:
    room_type: str | None
    team_id: str | None
    order: RoomOrder
    is_public_wanted: bool
    made_public_after: datetime | None
    made_public_before: datetime | None

    def takes(self, room: Room) -> bool:
        """Return whether a room is one of those requested."""
        return (
            self.room_type in (None, room.type)
            and self.team_id in (None, room.team_id)
            and self._is_in_range(room.made_public)
        )

    def _is_in_range(self, made_public: str | None) -> bool:
        if self.made_public_after is None and self.made_public_before is None:
            return True
        if made_public is None:
            return False
        instant = datetime.fromisoformat(made_public)
        is_after = self.made_public_after is None or instant > self.made_public_after
        return is_after and (self.made_public_before is None or instant < self.made_public_before)


async def _list(state: State, request: Request) -> Response:
    grant = _permitted(state, request)
    try:
        query = wire.query_pairs(request)
    except ValueError as cause:
        raise _bad_request("The query is malformed.") from cause
    options = state.options
    page = read_page_request(query, cap=options.rooms_page_cap, over_cap=options.over_cap)
    rooms = _matching_rooms(state, grant.person, _read_filter(dict(query)))
    is_readable = _are_titles_readable(state, grant)
    items = [room if is_readable else _encrypted(room) for room in rooms[page.start : page.end]]
    url = f"{state.origins.front_door.as_asked(request.scope)}/v1/rooms"
    headers = {"Link": next_link(url, query, page)} if page.end < len(rooms) else {}
    return wire.json_answer({"items": items}, headers=headers)


async def _show(state: State, request: Request) -> Response:
    grant = _permitted(state, request)
    room = state.world.room(grant.person, wire.read_id("ROOM", request.path_params["room_id"]))
    if room is None:
        status = state.options.stranger_room_status
        raise HTTPException(status, "Could not find a room with provided ID.")
    return wire.json_answer(room if _are_titles_readable(state, grant) else _encrypted(room))


def _permitted(state: State, request: Request) -> Grant:
    return wire.check_permission(state, request, api="rooms", scope="spark:rooms_read")


def _matching_rooms(state: State, person: Person, wanted: _Filter) -> tuple[Room, ...]:
    is_public = wanted.is_public_wanted
    world = state.world
    rooms = world.public_rooms(person) if is_public else world.rooms(person, wanted.order)
    return tuple(room for room in rooms if wanted.takes(room))


def _are_titles_readable(state: State, grant: Grant) -> bool:
    decryption = state.options.title_decryption
    is_allowed = decryption == "with_kms_scope" and is_satisfied(KMS_SCOPE, grant.scopes)
    return decryption == "always" or is_allowed


def _encrypted(room: Room) -> Room:
    scrambled = bytes(byte ^ 0x5A for byte in room.title.encode()[:96])
    text = base64.urlsafe_b64encode(scrambled).decode().rstrip("=")
    title = f"eyJhbGciOiJkaXIiLCJlbmMiOiJBMjU2R0NNIn0..{text}"
    return msgspec.structs.replace(room, title=title, errors={"title": _KMS_FAILURE})


def _read_filter(value_by_name: Mapping[str, str]) -> _Filter:
    room_type = value_by_name.get("type")
    if room_type is not None and room_type not in get_args(RoomType):
        raise _bad_request("type must be direct or group.")
    team_id = value_by_name.get("teamId")
    is_public_wanted = _read_flag("orgPublicSpaces", value_by_name)
    excluded = [name for name in _EXCLUDED_BY_PUBLIC if name in value_by_name]
    if is_public_wanted and excluded:
        message = f"{excluded[0]} cannot be set in combination with orgPublicSpaces."
        raise _bad_request(message)
    return _Filter(
        room_type=room_type,
        team_id=None if team_id is None else webex_id("TEAM", wire.read_id("TEAM", team_id)),
        order=_read_order(value_by_name.get("sortBy", "id")),
        is_public_wanted=is_public_wanted,
        made_public_after=_read_instant("from", value_by_name),
        made_public_before=_read_instant("to", value_by_name),
    )


def _read_flag(name: str, value_by_name: Mapping[str, str]) -> bool:
    text = value_by_name.get(name, "false").lower()
    if text not in ("true", "false"):
        raise _bad_request(f"{name} must be true or false.")
    return text == "true"


def _read_instant(name: str, value_by_name: Mapping[str, str]) -> datetime | None:
    text = value_by_name.get(name)
    if text is None:
        return None
    try:
        instant = datetime.fromisoformat(text)
    except ValueError as cause:
        message = f"{name} must be a date and time as 2026-03-02T10:05:01.337Z."
        raise _bad_request(message) from cause
    return instant if instant.tzinfo else instant.replace(tzinfo=UTC)


def _read_order(text: str) -> RoomOrder:
    for order in _ORDERS:
        if text == order:
            return order
    raise _bad_request("sortBy must be id, lastactivity or created.")


@dataclass(frozen=True, slots=True)
class PageRequest:
    """The part of a listing that is requested."""

    start: int
    size: int

    @property
    def end(self) -> int:
        """Where the next page begins."""
        return self.start + self.size


def read_page_request(
    query: list[tuple[str, str]], *, cap: int, over_cap: Literal["clamp", "refuse"]
) -> PageRequest:
    """Read `max` and `cursor`; refuse (400) meaningless values."""
    value_by_name = dict(query)
    maximum = value_by_name.get("max", str(_DEFAULT_MAX))
    if not _NUMBER.fullmatch(maximum):
        raise _bad_request("max must be a number.")
    size = int(maximum)
    is_refused = size > cap and over_cap == "refuse"
    if size < 1 or is_refused:
        raise _bad_request(f"max must be between 1 and {cap}.")
    cursor = value_by_name.get("cursor")
    return PageRequest(_read_cursor(cursor) if cursor else 0, min(size, cap))


def next_link(url: str, query: list[tuple[str, str]], page: PageRequest) -> str:
    """Return the Link header that leads to the page after *page*, keeping the query."""
    kept = [(name, value) for name, value in query if name != "cursor"]
    cursor = base64.urlsafe_b64encode(f"emulator:after:{page.end}".encode()).decode().rstrip("=")
    return f'<{url}?{urlencode([*kept, ("cursor", cursor)])}>; rel="next"'


def _read_cursor(cursor: str) -> int:
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
    except (binascii.Error, UnicodeError, ValueError):
        text = ""
    form = _CURSOR.fullmatch(text)
    if form is None:
        raise _bad_request("cursor is invalid.")
    return int(form["position"])


def _bad_request(message: str) -> HTTPException:
    return HTTPException(HTTPStatus.BAD_REQUEST, message)


ROUTES: wire.Routes = (
    ("GET", "/v1/rooms", _list),
    ("GET", "/v1/rooms/{room_id}", _show),
)
