"""The rooms API: pages, filters, orders, ids."""

import time

import pytest
from emulator.conftest import find_person
from emulator.wire import Wire

from webex_oauth.emulator import Emulator, Person
from webex_oauth.emulator.seed import HOSTILE_EMAIL, HOSTILE_TITLES
from webex_oauth.emulator.world import read_webex_id, webex_id

PUBLIC = "orgPublicSpaces=true"
UNKNOWN_ROOM = webex_id("ROOM", "00000000-0000-1000-8000-000000000000")


def walk(wire: Wire, token: str, target: str) -> list[list[dict[str, object]]]:
    pages = []
    url: str | None = target
    while url:
        answer = wire.get(url, token)
        assert answer.status == 200
        pages.append(answer.json["items"])
        url = answer.next_url
    return pages


def test_all_rooms_come_in_pages_each_once(wire: Wire, token: str) -> None:
    pages = walk(wire, token, "/v1/rooms")

    assert [len(page) for page in pages] == [100, 100, 50]
    assert len({room["id"] for page in pages for room in page}) == 250


def test_the_next_link_is_absolute_and_keeps_the_query(
    emulator: Emulator, wire: Wire, token: str
) -> None:
    url = wire.get("/v1/rooms?type=group&max=10&sortBy=created", token).next_url

    assert url
    prefix = f"{emulator.origin}/v1/rooms?type=group&max=10&sortBy=created&cursor="
    assert url.startswith(prefix)


def test_a_full_last_page_has_no_next_link(wire: Wire, token: str) -> None:
    assert [len(page) for page in walk(wire, token, "/v1/rooms?max=125")] == [125, 125]


def test_more_than_the_cap_is_clamped(emulator: Emulator, wire: Wire, jonas: Person) -> None:
    token = emulator.grant_without_consent(jonas).access_token.value

    pages = walk(wire, token, "/v1/rooms?max=5000")

    assert [len(page) for page in pages] == [1_000] * 5


@pytest.mark.parametrize("maximum", ["0", "-1", "", "many", "1.5", "9" * 5_000])
def test_a_page_size_that_means_nothing_is_400(wire: Wire, token: str, maximum: str) -> None:
    assert wire.get(f"/v1/rooms?max={maximum}", token).status == 400


def test_more_than_the_cap_can_be_refused(emulator: Emulator, wire: Wire, token: str) -> None:
    emulator.change_options(over_cap="refuse")

    assert wire.get("/v1/rooms?max=1000", token).status == 200
    assert wire.get("/v1/rooms?max=1001", token).status == 400


@pytest.mark.parametrize("cursor", ["a", "*", "ZW11", "%FF", "ZW11bGF0b3I6YWZ0ZXI6LTE"])
def test_an_invented_cursor_is_400(wire: Wire, token: str, cursor: str) -> None:
    assert wire.get(f"/v1/rooms?cursor={cursor}", token).status == 400


@pytest.mark.parametrize(("kind", "count"), [("direct", 50), ("group", 200)])
def test_rooms_are_filtered_by_type(wire: Wire, token: str, kind: str, count: int) -> None:
    (rooms,) = walk(wire, token, f"/v1/rooms?type={kind}&max=1000")

    assert len(rooms) == count
    assert {room["type"] for room in rooms} == {kind}


def test_rooms_are_filtered_by_team(wire: Wire, token: str) -> None:
    (rooms,) = walk(wire, token, "/v1/rooms?max=1000")
    team_id = str(next(room["teamId"] for room in rooms if "teamId" in room))
    expected = [room for room in rooms if room.get("teamId") == team_id]

    for form in (team_id, read_webex_id("TEAM", team_id)):
        assert walk(wire, token, f"/v1/rooms?teamId={form}&max=1000") == [expected]


@pytest.mark.parametrize(
    ("order", "field"), [("lastactivity", "lastActivity"), ("created", "created")]
)
def test_rooms_are_sorted_newest_first(wire: Wire, token: str, order: str, field: str) -> None:
    pages = walk(wire, token, f"/v1/rooms?sortBy={order}")

    instants = [str(room[field]) for page in pages for room in page]
    assert instants == sorted(instants, reverse=True)


@pytest.mark.parametrize(
    "query", ["type=secret", "sortBy=title", "teamId=x", "type=%FF", "a=%zz%FF"]
)
def test_a_query_that_means_nothing_is_400(wire: Wire, token: str, query: str) -> None:
    assert wire.get(f"/v1/rooms?{query}", token).status == 400


def test_the_public_rooms_of_the_organization_are_listed_joined_or_not(
    emulator: Emulator, wire: Wire, token: str, mira: Person
) -> None:
    rooms = [room for page in walk(wire, token, f"/v1/rooms?{PUBLIC}") for room in page]

    instants = [str(room["madePublic"]) for room in rooms]
    joined = {room.id for room in emulator.world.rooms(mira)}
    ids = {room["id"] for room in rooms}
    assert instants == sorted(instants, reverse=True)
    assert len(ids) == len(rooms)
    assert all(room["isPublic"] for room in rooms)
    assert ids & joined
    assert ids - joined


def test_rooms_are_filtered_by_when_they_were_made_public(wire: Wire, token: str) -> None:
    (rooms,) = walk(wire, token, f"/v1/rooms?{PUBLIC}&max=1000")
    first, last = str(rooms[10]["madePublic"]), str(rooms[20]["madePublic"])

    between = walk(wire, token, f"/v1/rooms?{PUBLIC}&max=1000&from={last}&to={first}")
    joined = walk(wire, token, f"/v1/rooms?from={last}&max=1000")

    assert between == [rooms[11:20]]
    assert {str(room["madePublic"]) > last for room in joined[0]} == {True}


@pytest.mark.parametrize(
    ("query", "words"),
    [
        (f"{PUBLIC}&teamId={webex_id('TEAM', '0' * 32)}", "teamId cannot be set"),
        (f"{PUBLIC}&type=group", "type cannot be set"),
        (f"{PUBLIC}&sortBy=id", "sortBy cannot be set"),
        ("orgPublicSpaces=yes", "orgPublicSpaces must be"),
        ("from=yesterday", "from must be"),
        ("to=", "to must be"),
    ],
)
def test_what_cannot_be_asked_of_public_rooms_is_400(
    wire: Wire, token: str, query: str, words: str
) -> None:
    answer = wire.get(f"/v1/rooms?{query}", token)

    assert answer.status == 400
    assert answer.json["message"].startswith(words)


def test_a_room_is_found_by_id_and_uuid(wire: Wire, token: str) -> None:
    (room,) = wire.get("/v1/rooms?max=1", token).json["items"]

    assert wire.get(f"/v1/rooms/{room['id']}", token).json == room
    assert wire.get(f"/v1/rooms/{read_webex_id('ROOM', room['id'])}", token).json == room


def test_another_persons_room_is_not_found(
    emulator: Emulator, wire: Wire, token: str, jonas: Person
) -> None:
    theirs = emulator.world.rooms(jonas)[0]

    for room_id in (theirs.id, UNKNOWN_ROOM):
        answer = wire.get(f"/v1/rooms/{room_id}", token)
        assert answer.status == 404
        assert answer.json["message"] == "Could not find a room with provided ID."


def test_a_malformed_room_id_is_400(wire: Wire, token: str) -> None:
    answer = wire.get("/v1/rooms/x", token)

    assert (answer.status, answer.json["message"]) == (400, "Expect base64 ID or UUID.")


def test_without_the_kms_scope_titles_are_not_readable(
    emulator: Emulator, wire: Wire, mira: Person
) -> None:
    scopes = ("spark:people_read", "spark:rooms_read")
    token = emulator.grant_without_consent(mira, scopes=scopes).access_token.value
    titles = {room.title for room in emulator.world.rooms(mira)}

    (room,) = wire.get("/v1/rooms?max=1", token).json["items"]

    assert room["title"] not in titles
    assert room["errors"]["title"]["code"] == "kms_failure"


@pytest.mark.parametrize(("decryption", "is_readable"), [("always", True), ("never", False)])
def test_decryption_can_be_arranged(
    emulator: Emulator, wire: Wire, token: str, decryption: str, *, is_readable: bool
) -> None:
    emulator.change_options(title_decryption=decryption)

    (room,) = wire.get("/v1/rooms?max=1", token).json["items"]

    assert ("errors" not in room) == is_readable


def test_hostile_titles_arrive_unchanged(emulator: Emulator, wire: Wire) -> None:
    person = find_person(emulator, HOSTILE_EMAIL)
    token = emulator.grant_without_consent(person).access_token.value

    (rooms,) = walk(wire, token, "/v1/rooms")

    assert {room["title"] for room in rooms} == set(HOSTILE_TITLES)


def test_too_many_requests_are_429_with_html_and_a_wait(
    emulator: Emulator, wire: Wire, token: str
) -> None:
    emulator.change_options(requests_per_minute=2)

    statuses = [wire.get("/v1/rooms?max=1", token).status for _ in range(2)]
    throttled = wire.get("/v1/rooms?max=1", token)

    assert statuses == [200, 200]
    assert throttled.status == 429
    assert 1 <= int(throttled.headers["Retry-After"]) <= 60
    assert throttled.headers["Content-Type"].startswith("text/html")
    assert wire.get("/v1/people/me", token).status == 200


def test_after_the_wait_requests_are_welcome(emulator: Emulator, wire: Wire, token: str) -> None:
    emulator.change_options(requests_per_minute=1)
    wire.get("/v1/rooms?max=1", token)
    wait_seconds = int(wire.get("/v1/rooms?max=1", token).headers["Retry-After"])

    emulator.clock.advance(wait_seconds)

    assert wire.get("/v1/rooms?max=1", token).status == 200


def test_a_large_page_costs_little(emulator: Emulator, wire: Wire, jonas: Person) -> None:
    token = emulator.grant_without_consent(jonas).access_token.value
    wire.get("/v1/rooms?max=1", token)

    def seconds() -> float:
        began = time.process_time()
        assert wire.get("/v1/rooms?max=1000", token).status == 200
        return time.process_time() - began

    # Processor time, and the best of a few, because the machine has other things to do.
    assert min(seconds() for _ in range(5)) < 0.02
