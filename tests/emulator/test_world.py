"""The world: its people, the rooms they are in, and ids as Webex writes them."""

import base64
import uuid
from dataclasses import replace

import pytest
from hypothesis import given, settings, strategies as st

from webex_oauth.emulator import Person, Room, World, seeded_world, titled_rooms
from webex_oauth.emulator.world import HOSTILE_EMAIL, read_webex_id, webex_id

KEY = "3b1f6a52-9c4d-4f0e-8a77-51d2e6c0b914"
SOMEONE = seeded_world().people[0]


def person_of(world: World, email: str) -> Person:
    person = world.person_by_email(email)
    assert person is not None
    return person


def test_an_id_is_unpadded_base64_of_a_uri() -> None:
    assert webex_id("PEOPLE", KEY) == (
        "Y2lzY29zcGFyazovL3VzL1BFT1BMRS8zYjFmNmE1Mi05YzRkLTRmMGUtOGE3Ny01MWQyZTZjMGI5MTQ"
    )


@settings(deadline=None)
@given(st.uuids(), st.sampled_from(["PEOPLE", "ROOM", "TEAM"]))
def test_an_id_can_be_read_in_both_of_its_forms(key: uuid.UUID, kind: str) -> None:
    assert read_webex_id(kind, webex_id(kind, str(key))) == str(key)
    assert read_webex_id(kind, str(key).upper()) == str(key)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "me2",
        "..%2f",
        KEY[:-1],
        KEY.replace("-", ""),
        "{" + KEY + "}",
        webex_id("PEOPLE", KEY),
        webex_id("ROOM", "not-a-uuid"),
        base64.b64encode(b"ciscospark://us/ROOM/").decode(),
        base64.b64encode(b"\xff\xfe").decode(),
        "A" * 300,
    ],
)
def test_anything_else_is_not_an_id(text: str) -> None:
    with pytest.raises(ValueError, match=r"^Expect base64 ID or UUID\.$"):
        read_webex_id("ROOM", text)


def test_rooms_are_made_once_and_only_when_asked_for() -> None:
    world, made = World(), []

    def make_rooms() -> list[Room]:
        made.append(SOMEONE)
        return list(titled_rooms(SOMEONE, ["one"]))

    world.add_person(SOMEONE, make_rooms)

    assert made == []
    assert world.rooms(SOMEONE) == world.rooms(SOMEONE)
    assert made == [SOMEONE]


def test_two_people_may_have_the_same_email_and_stay_two() -> None:
    world = World()
    first = world.add_person(SOMEONE)
    second = world.add_person(replace(first, uuid="00000000-0000-4000-8000-000000000001"))

    assert world.people == (first, second)
    assert world.person_by_email(first.email.upper()) == first


@pytest.mark.parametrize(
    ("email", "count"),
    [
        ("mira@acme.example", 250),
        ("jonas@acme.example", 5_000),
        ("luca@acme.example", 3),
        ("amara@acme.example", 0),
        (HOSTILE_EMAIL, 85),
    ],
)
def test_each_seeded_person_has_as_many_rooms_as_promised(email: str, count: int) -> None:
    world = seeded_world()

    rooms = world.rooms(person_of(world, email))

    assert len(rooms) == len({room.id for room in rooms}) == count


def test_the_seeded_world_is_the_same_each_time() -> None:
    first, second = seeded_world(), seeded_world()

    assert first.people == second.people
    assert first.rooms(SOMEONE) == second.rooms(SOMEONE)
    assert {bool(one.avatar_file) for one in first.sign_in_people} == {True, False}


def test_the_seeded_world_was_busy_until_now_whatever_the_day() -> None:
    earlier, later = seeded_world(1_900_000_000), seeded_world(1_900_086_400)

    newest = [world.rooms(SOMEONE, "lastactivity")[0] for world in (earlier, later)]

    assert newest[0].id == newest[1].id
    assert newest[0].last_activity.startswith("2030-03-17T17:46:")
    assert newest[1].last_activity.startswith("2030-03-18T17:46:")
