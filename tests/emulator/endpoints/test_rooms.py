"""The rooms API: pages, filters, orders, ids, and the rate limit."""

import pytest
from emulator.conftest import token_of
from emulator.wire import Wire

from webex_oauth.emulator import Emulator, Person
from webex_oauth.emulator.world import read_webex_id, webex_id

UNKNOWN_ROOM = webex_id("ROOM", "00000000-0000-1000-8000-000000000000")


def pages_of(wire: Wire, token: str, target: str) -> list[list[dict[str, object]]]:
    pages = []
    url: str | None = target
    while url:
        answer = wire.get(url, token)
        assert answer.status == 200
        pages.append(answer.json["items"])
        url = answer.next_url
    return pages


def rooms_of(wire: Wire, token: str, query: str) -> list[dict[str, object]]:
    return [room for page in pages_of(wire, token, f"/v1/rooms?{query}") for room in page]


def first_room(wire: Wire, token: str) -> dict[str, object]:
    (room,) = wire.get("/v1/rooms?max=1", token).json["items"]
    assert isinstance(room, dict)
    return room


@pytest.mark.parametrize(("query", "sizes"), [("", [100, 100, 50]), ("?max=125", [125, 125])])
def test_all_rooms_come_in_pages_each_once(
    wire: Wire, token: str, query: str, sizes: list[int]
) -> None:
    pages = pages_of(wire, token, f"/v1/rooms{query}")

    assert [len(page) for page in pages] == sizes
    assert len({room["id"] for page in pages for room in page}) == 250


def test_the_next_link_is_absolute_and_keeps_the_query(
    emulator: Emulator, wire: Wire, token: str
) -> None:
    url = str(wire.get("/v1/rooms?type=group&max=10&sortBy=created", token).next_url)

    prefix = f"{emulator.origin}/v1/rooms?type=group&max=10&sortBy=created&cursor="
    assert url.startswith(prefix)


def test_more_than_the_cap_is_clamped_or_refused(emulator: Emulator, wire: Wire) -> None:
    token = token_of(emulator, "jonas@acme.example")

    assert [len(page) for page in pages_of(wire, token, "/v1/rooms?max=5000")] == [1_000] * 5
    emulator.change_options(over_cap="refuse")
    assert wire.get("/v1/rooms?max=1000", token).status == 200
    assert wire.get("/v1/rooms?max=1001", token).status == 400


@pytest.mark.parametrize(
    "query",
    [
        *(f"max={text}" for text in ("0", "-1", "", "many", "1.5", "9" * 5_000)),
        *(f"cursor={text}" for text in ("a", "-1", "", "9" * 5_000)),
        "type=secret",
        "sortBy=title",
        "teamId=x",
        "type=%FF",
    ],
)
def test_a_meaningless_query_is_400(wire: Wire, token: str, query: str) -> None:
    assert wire.get(f"/v1/rooms?{query}", token).status == 400


@pytest.mark.parametrize(("kind", "count"), [("direct", 50), ("group", 200)])
def test_rooms_are_filtered_by_type(wire: Wire, token: str, kind: str, count: int) -> None:
    rooms = rooms_of(wire, token, f"type={kind}")

    assert len(rooms) == count
    assert {room["type"] for room in rooms} == {kind}


def test_rooms_are_filtered_by_team(wire: Wire, token: str) -> None:
    rooms = rooms_of(wire, token, "max=1000")
    team_id = str(next(room["teamId"] for room in rooms if "teamId" in room))
    expected = [room for room in rooms if room.get("teamId") == team_id]

    for form in (team_id, read_webex_id("TEAM", team_id)):
        assert rooms_of(wire, token, f"teamId={form}") == expected


@pytest.mark.parametrize(
    ("order", "field"), [("lastactivity", "lastActivity"), ("created", "created")]
)
def test_rooms_are_sorted_newest_first(wire: Wire, token: str, order: str, field: str) -> None:
    instants = [str(room[field]) for room in rooms_of(wire, token, f"sortBy={order}")]

    assert instants == sorted(instants, reverse=True)


def test_public_spaces_of_the_organization_are_lacking(wire: Wire, token: str) -> None:
    answer = wire.get("/v1/rooms?orgPublicSpaces=true", token)

    assert (answer.status, answer.headers["Emulator-Lacks"]) == (501, "orgPublicSpaces")


def test_a_room_is_found_by_id_and_uuid(wire: Wire, token: str) -> None:
    room = first_room(wire, token)

    for room_id in (str(room["id"]), read_webex_id("ROOM", str(room["id"]))):
        assert wire.get(f"/v1/rooms/{room_id}", token).json == room


@pytest.mark.parametrize("status", [403, 404])
def test_another_persons_room_is_not_found(
    emulator: Emulator, wire: Wire, token: str, jonas: Person, status: int
) -> None:
    emulator.change_options(stranger_room_status=status)
    theirs = emulator.world.rooms(jonas)[0]

    for room_id in (theirs.id, UNKNOWN_ROOM):
        answer = wire.get(f"/v1/rooms/{room_id}", token)
        assert answer.status == status
        assert answer.json["message"] == "Could not find a room with provided ID."


def test_without_the_kms_scope_titles_are_not_readable(
    emulator: Emulator, wire: Wire, mira: Person
) -> None:
    scopes = ("spark:people_read", "spark:rooms_read")
    token = emulator.grant_without_consent(mira, scopes=scopes).access_token.value
    titles = {room.title for room in emulator.world.rooms(mira)}

    room = wire.get("/v1/rooms?max=1", token).json["items"][0]

    assert room["title"] not in titles
    assert room["errors"]["title"]["code"] == "kms_failure"


@pytest.mark.parametrize(("decryption", "is_readable"), [("always", True), ("never", False)])
def test_decryption_can_be_arranged(
    emulator: Emulator, wire: Wire, token: str, decryption: str, *, is_readable: bool
) -> None:
    emulator.change_options(decryption=decryption)

    assert ("errors" not in first_room(wire, token)) == is_readable


def test_too_many_requests_to_an_api_are_429_with_html_and_a_wait(
    emulator: Emulator, wire: Wire, token: str
) -> None:
    emulator.change_options(requests_per_minute=2)

    *welcome, throttled = (wire.get("/v1/rooms?max=1", token) for _ in range(3))

    wait_seconds = int(throttled.headers["Retry-After"])
    assert [one.status for one in welcome] == [200, 200]
    assert throttled.status == 429
    assert 1 <= wait_seconds <= 60
    assert throttled.headers["Content-Type"].startswith("text/html")
    assert wire.get("/v1/people/me", token).status == 200
    emulator.clock.advance(wait_seconds)
    assert wire.get("/v1/rooms?max=1", token).status == 200
