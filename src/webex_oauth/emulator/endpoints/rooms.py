"""The rooms API, with its paging: developer.webex.com/docs/api/v1/rooms."""

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from types import MappingProxyType
from typing import Literal, get_args
from urllib.parse import urlencode

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from webex_oauth.emulator.endpoints.wire import (
    ApiRefusal,
    Permission,
    check_permission,
    json_answer,
    query_pairs,
)
from webex_oauth.emulator.identity.integrations import KMS_SCOPE, is_satisfied
from webex_oauth.emulator.state import State
from webex_oauth.emulator.world import (
    FieldFailure,
    MalformedId,
    Room,
    RoomOrder,
    RoomPage,
    RoomType,
    read_webex_id,
    webex_id,
)

_DEFAULT_MAX = 100
_ORDER_BY_NAME: Mapping[str, RoomOrder] = MappingProxyType(
    {"id": "id", "lastactivity": "lastactivity", "created": "created"}
)
_UNKNOWN_ROOM = "Could not find a room with provided ID."
_KMS_FAILURE = FieldFailure(
    code="kms_failure", reason="Key management server failed to respond appropriately."
)


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
        """Check whether a room is one of those asked for."""
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


class RoomsApi:
    """Answer about the rooms that a person is in."""

    def __init__(self, state: State) -> None:
        self._state = state

    def routes(self) -> list[Route]:
        """List the paths of this API."""
        return [
            Route("/v1/rooms", self.listing),
            Route("/v1/rooms/{room_id}", self.room),
        ]

    async def listing(self, request: Request) -> Response:
        """List a page of the person's rooms, with a link to the next one."""
        permission = self._permitted(request)
        query = _read_query(request)
        options = self._state.switchboard.options
        page = read_page_request(
            query, default=_DEFAULT_MAX, cap=options.rooms_page_cap, over_cap=options.over_cap
        )
        rooms = self._matching_rooms(permission, _read_filter(dict(query)))
        items = [self._as_seen_by(permission, room) for room in rooms[page.start : page.end]]
        url = f"{self._state.origins.front_door.as_asked(request.scope)}/v1/rooms"
        headers = {"Link": next_link(url, query, page)} if page.end < len(rooms) else {}
        return json_answer(RoomPage(items), headers=headers)

    async def room(self, request: Request) -> Response:
        """Show a room that the person is in."""
        permission = self._permitted(request)
        uuid = _read_id("ROOM", request.path_params["room_id"])
        room = self._state.world.room(permission.person, uuid)
        if room is None:
            status = self._state.switchboard.options.stranger_room_status
            raise ApiRefusal(status, _UNKNOWN_ROOM)
        return json_answer(self._as_seen_by(permission, room))

    def _permitted(self, request: Request) -> Permission:
        return check_permission(self._state, request, api="rooms", scope="spark:rooms_read")

    def _matching_rooms(self, permission: Permission, wanted: _Filter) -> tuple[Room, ...]:
        world, person = self._state.world, permission.person
        is_public = wanted.is_public_wanted
        rooms = world.public_rooms(person) if is_public else world.rooms(person, wanted.order)
        return tuple(room for room in rooms if wanted.takes(room))

    def _as_seen_by(self, permission: Permission, room: Room) -> Room:
        decryption = self._state.switchboard.options.title_decryption
        is_allowed = decryption == "with_kms_scope" and is_satisfied(KMS_SCOPE, permission.scopes)
        if decryption == "always" or is_allowed:
            return room
        return msgspec.structs.replace(
            room, title=_ciphertext(room.title), errors={"title": _KMS_FAILURE}
        )


def _read_query(request: Request) -> list[tuple[str, str]]:
    try:
        return query_pairs(request)
    except ValueError as cause:
        raise ApiRefusal(HTTPStatus.BAD_REQUEST, "The query is malformed.") from cause


def _read_filter(value_by_name: Mapping[str, str]) -> _Filter:
    room_type = value_by_name.get("type")
    if room_type is not None and room_type not in get_args(RoomType):
        raise ApiRefusal(HTTPStatus.BAD_REQUEST, "type must be direct or group.")
    team_id = value_by_name.get("teamId")
    is_public_wanted = _read_flag("orgPublicSpaces", value_by_name)
    excluded = [name for name in _EXCLUDED_BY_PUBLIC if name in value_by_name]
    if is_public_wanted and excluded:
        message = f"{excluded[0]} cannot be set in combination with orgPublicSpaces."
        raise ApiRefusal(HTTPStatus.BAD_REQUEST, message)
    return _Filter(
        room_type=room_type,
        team_id=None if team_id is None else webex_id("TEAM", _read_id("TEAM", team_id)),
        order=_read_order(value_by_name.get("sortBy", "id")),
        is_public_wanted=is_public_wanted,
        made_public_after=_read_instant("from", value_by_name),
        made_public_before=_read_instant("to", value_by_name),
    )


def _read_flag(name: str, value_by_name: Mapping[str, str]) -> bool:
    text = value_by_name.get(name, "false").lower()
    if text not in ("true", "false"):
        raise ApiRefusal(HTTPStatus.BAD_REQUEST, f"{name} must be true or false.")
    return text == "true"


def _read_instant(name: str, value_by_name: Mapping[str, str]) -> datetime | None:
    text = value_by_name.get(name)
    if text is None:
        return None
    try:
        instant = datetime.fromisoformat(text)
    except ValueError as cause:
        message = f"{name} must be a date and time as 2026-03-02T10:05:01.337Z."
        raise ApiRefusal(HTTPStatus.BAD_REQUEST, message) from cause
    return instant if instant.tzinfo else instant.replace(tzinfo=UTC)


def _read_order(text: str) -> RoomOrder:
    order = _ORDER_BY_NAME.get(text)
    if order is None:
        raise ApiRefusal(HTTPStatus.BAD_REQUEST, "sortBy must be id, lastactivity or created.")
    return order


def _read_id(kind: str, text: str) -> str:
    try:
        return read_webex_id(kind, text)
    except MalformedId as malformed:
        raise ApiRefusal(HTTPStatus.BAD_REQUEST, str(malformed)) from malformed


def _ciphertext(title: str) -> str:
    scrambled = bytes(byte ^ 0x5A for byte in title.encode()[:96])
    text = base64.urlsafe_b64encode(scrambled).decode().rstrip("=")
    return f"eyJhbGciOiJkaXIiLCJlbmMiOiJBMjU2R0NNIn0..{text}"


@dataclass(frozen=True, slots=True)
class PageRequest:
    """Which part of a listing is asked for."""

    start: int
    size: int

    @property
    def end(self) -> int:
        """Where the next page begins."""
        return self.start + self.size


def read_page_request(
    query: list[tuple[str, str]], *, default: int, cap: int, over_cap: Literal["clamp", "refuse"]
) -> PageRequest:
    """Read `max` and `cursor`; raise `ApiRefusal` (400) for values that mean nothing."""
    value_by_name = dict(query)
    size = _read_number(value_by_name.get("max", str(default)))
    is_refused = size > cap and over_cap == "refuse"
    if size < 1 or is_refused:
        raise ApiRefusal(HTTPStatus.BAD_REQUEST, f"max must be between 1 and {cap}.")
    cursor = value_by_name.get("cursor")
    return PageRequest(_read_cursor(cursor) if cursor else 0, min(size, cap))


def next_link(url: str, query: list[tuple[str, str]], page: PageRequest) -> str:
    """Write the Link header that leads to the page after *page*, keeping the query."""
    kept = [(name, value) for name, value in query if name != "cursor"]
    cursor = base64.urlsafe_b64encode(f"emulator:after:{page.end}".encode()).decode().rstrip("=")
    return f'<{url}?{urlencode([*kept, ("cursor", cursor)])}>; rel="next"'


def _read_number(text: str) -> int:
    if not _NUMBER.fullmatch(text):
        raise ApiRefusal(HTTPStatus.BAD_REQUEST, "max must be a number.")
    return int(text)


def _read_cursor(cursor: str) -> int:
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
    except (binascii.Error, UnicodeError, ValueError) as cause:
        raise _bad_cursor() from cause
    form = _CURSOR.fullmatch(text)
    if form is None:
        raise _bad_cursor()
    return int(form["position"])


def _bad_cursor() -> ApiRefusal:
    return ApiRefusal(HTTPStatus.BAD_REQUEST, "cursor is invalid.")
