"""The seeded world is the same each time and as large, small and hostile as promised."""

import pytest

from webex_oauth.emulator import Person, World, seed, seeded_world


def person_of(world: World, email: str) -> Person:
    person = world.person_by_email(email)
    assert person is not None
    return person


@pytest.mark.parametrize(
    ("email", "count"),
    [
        (seed.MANY_SPACES, 250),
        (seed.VERY_MANY_SPACES, 5_000),
        (seed.FEW_SPACES, 3),
        (seed.NO_SPACES, 0),
        (seed.HOSTILE_EMAIL, len(seed.HOSTILE_TITLES)),
    ],
)
def test_each_person_has_as_many_spaces_as_promised(email: str, count: int) -> None:
    world = seeded_world()

    rooms = world.rooms(person_of(world, email))

    assert len(rooms) == count
    assert len({room.id for room in rooms}) == count


def test_the_world_is_the_same_each_time() -> None:
    first, second = seeded_world(), seeded_world()
    mira = person_of(first, seed.MANY_SPACES)

    assert first.people == second.people
    assert first.rooms(mira) == second.rooms(mira)


def test_group_titles_do_not_repeat_even_among_5000_spaces() -> None:
    world = seeded_world()

    rooms = world.rooms(person_of(world, seed.VERY_MANY_SPACES))
    titles = [room.title for room in rooms if room.type == "group"]

    assert len(set(titles)) == len(titles)


def test_hostile_titles_are_many_and_arrive_unchanged() -> None:
    world = seeded_world()
    rooms = world.rooms(person_of(world, seed.HOSTILE_EMAIL))

    assert len(seed.HOSTILE_TITLES) >= 55
    assert {room.title for room in rooms} == set(seed.HOSTILE_TITLES)


def test_the_hostile_person_is_hostile_in_name_and_address() -> None:
    person = person_of(seeded_world(), seed.HOSTILE_EMAIL)

    assert "<script>" in person.display_name
    assert "{{" in person.email


def test_only_some_people_have_a_picture() -> None:
    people = [one for one in seeded_world().people if one.can_sign_in]

    assert {one.has_avatar for one in people} == {True, False}
