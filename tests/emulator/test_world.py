"""The world knows people, and makes their rooms when first asked."""

from dataclasses import replace

from webex_oauth.emulator import Person, Room, World, seeded_rooms, seeded_world, titled_rooms


def some_person() -> Person:
    return seeded_world().people[0]


def test_rooms_are_made_once_and_only_when_asked_for() -> None:
    world, asked = World(), []
    person = some_person()

    def make_rooms() -> list[Room]:
        asked.append(person)
        return list(titled_rooms(person, ["one"]))

    world.add_person(person, make_rooms)

    assert asked == []
    assert world.rooms(person) == world.rooms(person)
    assert asked == [person]


def test_rooms_come_in_three_orders() -> None:
    world = World()
    person = world.add_person(some_person(), lambda: seeded_rooms(some_person(), 50))

    by_id = [room.id for room in world.rooms(person)]
    by_activity = [room.last_activity for room in world.rooms(person, "lastactivity")]
    by_creation = [room.created for room in world.rooms(person, "created")]

    assert by_id == sorted(by_id)
    assert by_activity == sorted(by_activity, reverse=True)
    assert by_creation == sorted(by_creation, reverse=True)


def test_a_room_that_is_put_or_removed_is_seen_in_every_order() -> None:
    world = World()
    person = world.add_person(some_person())
    (room,) = titled_rooms(person, ["new"])
    assert world.rooms(person, "created") == ()

    world.put_room(person, room)
    assert world.rooms(person, "created") == (room,)

    world.remove_room(person, room.id)
    assert world.rooms(person, "created") == ()


def test_two_people_may_have_the_same_email_and_stay_two() -> None:
    world = World()
    first = world.add_person(some_person())
    second = world.add_person(replace(first, uuid="00000000-0000-4000-8000-000000000001"))

    assert world.people == (first, second)
    assert world.person_by_email(first.email.upper()) == first


def test_a_removed_person_is_gone_with_their_rooms() -> None:
    world = seeded_world()
    person = world.people[0]
    assert world.rooms(person)

    world.remove_person(person.uuid)

    assert world.person(person.uuid) is None
    assert world.rooms(person) == ()
