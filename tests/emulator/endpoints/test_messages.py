"""Messages are written to a room or a person, read, listed and deleted; memberships are listed."""

import json
from typing import Any

import pytest
from emulator.conftest import find_person
from emulator.wire import Wire, WireAnswer

from webex_oauth.emulator import Emulator, Person, World, seeded_rooms
from webex_oauth.emulator.conditions import Conditions
from webex_oauth.emulator.conversations import Conversations
from webex_oauth.emulator.world import webex_id

SCOPES = (
    "spark:messages_read",
    "spark:messages_write",
    "spark:memberships_read",
    "spark:rooms_read",
    "spark:kms",
)
UNKNOWN = "00000000-0000-1000-8000-000000000000"
ROVER = "rover@bot.acme.example"


class Api:
    """The API, called as one person."""

    def __init__(self, emulator: Emulator, wire: Wire, email: str, *scopes: str) -> None:
        self.person = find_person(emulator, email)
        granted = emulator.grant_without_consent(self.person, scopes=scopes or SCOPES)
        self._wire, self._token = wire, granted.access_token.value

    def get(self, path: str) -> WireAnswer:
        return self._wire.get(path if "://" in path else f"/v1/{path}", self._token)

    def items(self, path: str) -> list[dict[str, Any]]:
        answer = self.get(path)
        assert answer.status == 200, answer.text
        found = list(answer.json["items"])
        return found + (self.items(answer.next_url) if answer.next_url else [])

    def post(self, **fields: Any) -> WireAnswer:
        return self.send(json.dumps(fields), "application/json;charset=utf-8")

    def send(self, body: str, content_type: str) -> WireAnswer:
        headers = {"Authorization": f"Bearer {self._token}", "Content-Type": content_type}
        return self._wire.send("POST", "/v1/messages", body, headers)

    def delete(self, message_id: str) -> WireAnswer:
        headers = {"Authorization": f"Bearer {self._token}"}
        return self._wire.send("DELETE", f"/v1/messages/{message_id}", headers=headers)

    def room(self, **wanted: str) -> dict[str, Any]:
        return next(
            one
            for one in self.items("rooms?sortBy=lastactivity")
            if all(one[name] == value for name, value in wanted.items())
        )


@pytest.fixture
def luca(emulator: Emulator, wire: Wire) -> Api:
    return Api(emulator, wire, "luca@acme.example")


@pytest.fixture
def mira_api(emulator: Emulator, wire: Wire) -> Api:
    return Api(emulator, wire, "mira@acme.example")


@pytest.fixture
def rover(emulator: Emulator, wire: Wire) -> Api:
    return Api(emulator, wire, ROVER)


def test_a_seeded_room_has_a_conversation_that_ends_with_its_last_activity(mira_api: Api) -> None:
    for room in mira_api.items("rooms")[:20]:
        messages = mira_api.items(f"messages?roomId={room['id']}")
        members = mira_api.items(f"memberships?roomId={room['id']}")

        assert [one["created"] for one in messages] == sorted(
            (one["created"] for one in messages), reverse=True
        )
        assert messages[0]["created"] == room["lastActivity"]
        assert {one["personId"] for one in messages} <= {one["personId"] for one in members}
        assert mira_api.person.id == members[0]["personId"]
        assert len(members) == 2 if room["type"] == "direct" else len(members) >= 2


def test_a_message_to_a_room_is_its_newest_and_moves_the_room_up(
    emulator: Emulator, luca: Api
) -> None:
    room = luca.items("rooms?sortBy=lastactivity")[-1]
    emulator.clock.advance(60)

    posted = luca.post(roomId=room["id"], markdown="Build **41** is green").json

    assert posted["text"] == "Build 41 is green"
    assert posted["markdown"] == "Build **41** is green"
    assert posted["html"] == "<p>Build 41 is green</p>"
    assert luca.items(f"messages?roomId={room['id']}&max=1")[0] == posted
    assert luca.get(f"messages/{posted['id']}").json == posted
    newest = luca.items("rooms?sortBy=lastactivity")[0]
    assert (newest["id"], newest["lastActivity"]) == (room["id"], posted["created"])


def test_messages_come_in_pages_and_from_before_an_instant_or_a_message(luca: Api) -> None:
    room_id = luca.items("rooms")[0]["id"]
    for number in range(5):
        luca.post(roomId=room_id, text=f"message {number}")
    listed = luca.items(f"messages?roomId={room_id}")

    assert [one["text"] for one in listed[:5]] == [f"message {n}" for n in (4, 3, 2, 1, 0)]
    assert luca.items(f"messages?roomId={room_id}&max=2") == listed
    before = f"messages?roomId={room_id}&beforeMessage={listed[4]['id']}"
    assert luca.items(before) == listed[5:]
    earlier = luca.items(f"messages?roomId={room_id}&before={listed[0]['created']}")
    assert earlier == [one for one in listed if one["created"] < listed[0]["created"]]


@pytest.mark.parametrize("field", ["toPersonEmail", "toPersonId"])
def test_a_message_to_a_person_opens_one_room_for_both(
    emulator: Emulator, luca: Api, mira_api: Api, field: str
) -> None:
    to_mira = {"toPersonEmail": "Mira@acme.example", "toPersonId": mira_api.person.id}[field]
    first = luca.post(**{field: to_mira}, text="Hello").json
    answer = mira_api.post(toPersonEmail=luca.person.email, text="Hello yourself").json

    assert first["roomId"] == answer["roomId"]
    assert first["roomType"] == "direct"
    assert luca.room(id=first["roomId"])["title"] == "Mira Ito"
    assert mira_api.room(id=first["roomId"])["title"] == "Luca Moretti"
    direct = luca.items("messages/direct?personEmail=mira@acme.example")
    assert [one["text"] for one in direct] == ["Hello yourself", "Hello"]

    emulator.reset()

    assert len(emulator.world.rooms(luca.person)) == 3


def test_looking_for_a_conversation_opens_none(emulator: Emulator, luca: Api) -> None:
    assert luca.items("messages/direct?personEmail=mira@acme.example") == []
    assert len(emulator.world.rooms(luca.person)) == 3


def test_mentions_are_ones_own_and_come_a_hundred_at_a_time(emulator: Emulator, luca: Api) -> None:
    room = emulator.world.rooms(luca.person)[0]
    for _ in range(101):
        emulator.conversations.post(
            luca.person, room, text="", markdown=f"<@personId:{luca.person.id}|Luca>"
        )
    listed = f"messages?roomId={room.id}&max=1000&mentionedPeople"

    assert len(luca.get(f"{listed}=me").json["items"]) == 100
    assert len(luca.items(f"{listed}={luca.person.id}")) == 101
    assert luca.get(f"{listed}={find_person(emulator, ROVER).id}").status == 400


def test_a_message_to_a_colleague_lands_in_the_room_that_there_is(mira_api: Api) -> None:
    room = mira_api.room(type="direct")
    member = mira_api.items(f"memberships?roomId={room['id']}")[1]

    posted = mira_api.post(toPersonEmail=member["personEmail"], text="Hello").json

    assert posted["roomId"] == room["id"]
    assert member["personDisplayName"] == room["title"]


def test_an_own_message_is_deleted_and_no_other(luca: Api, mira_api: Api) -> None:
    posted = luca.post(toPersonEmail="mira@acme.example", text="Hello").json

    refused, deleted = mira_api.delete(posted["id"]), luca.delete(posted["id"])

    assert (refused.status, deleted.status) == (403, 204)
    assert luca.get(f"messages/{posted['id']}").status == 404
    assert luca.delete(posted["id"]).json["message"] == "Unable to delete message."


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"text": "Hello"}, "Exactly one of the destination fields must not be empty"),
        ({"roomId": "a", "toPersonEmail": "b", "text": "x"}, "Exactly one of the destination"),
        ({"toPersonEmail": "mira@acme.example"}, "Both text and file cannot be empty."),
        ({"toPersonEmail": "mira@acme.example", "text": "ä" * 3_720}, "payload is too big"),
        ({"roomId": "a", "text": "x"}, "Expect base64 ID or UUID."),
        ({"toPersonId": 1, "text": "x"}, "Expected `str`"),
    ],
)
def test_a_message_that_cannot_be_written_is_400(
    luca: Api, fields: dict[str, Any], message: str
) -> None:
    answer = luca.post(**fields)

    assert answer.status == 400
    assert message in answer.json["message"]


def test_what_is_not_there_is_told_in_the_words_of_webex(luca: Api, mira_api: Api) -> None:
    foreign = mira_api.items("rooms")[0]["id"]
    message = mira_api.items(f"messages?roomId={foreign}")[0]["id"]
    own = luca.items("rooms")[0]["id"]
    told = {
        "messages": (400, "Required String parameter 'roomId' is not present"),
        "messages?roomId=a": (400, "Expect base64 ID or UUID."),
        f"messages?roomId={foreign}": (404, "Could not find a room with provided ID."),
        f"messages/{message}": (404, "Unable to get message."),
        f"messages/{webex_id('MESSAGE', UNKNOWN)}": (404, "Unable to get message."),
        "messages/direct?personEmail=nobody@acme.example": (404, "Person not found"),
        f"memberships?roomId={foreign}": (404, "Could not find a room with provided ID."),
        f"memberships?roomId={own}&personId=a": (400, "Expect base64 ID or UUID."),
        "memberships?personEmail=mira@acme.example": (400, "roomId cannot be null"),
        f"memberships/{webex_id('MEMBERSHIP', f'{UNKNOWN}:{UNKNOWN}')}": (
            404,
            "Failed to get membership",
        ),
        f"memberships/{UNKNOWN}": (400, "Expect base64 ID or UUID."),
    }

    answers = {path: luca.get(path) for path in told}

    assert {path: (one.status, one.json["message"]) for path, one in answers.items()} == told
    assert luca.post(toPersonEmail="nobody@acme.example", text="x").status == 404
    assert luca.post(roomId=foreign, text="x", files=["http://a/"]).status == 501
    assert luca.send("", "multipart/form-data; boundary=x").status == 501


def test_each_verb_needs_its_scope(emulator: Emulator, wire: Wire) -> None:
    reader = Api(emulator, wire, "luca@acme.example", "spark:messages_read", "spark:rooms_read")
    room_id = reader.items("rooms")[0]["id"]

    [newest, *_] = reader.items(f"messages?roomId={room_id}")

    assert reader.post(roomId=room_id, text="x").status == 403
    assert reader.delete(newest["id"]).status == 403
    assert reader.get(f"memberships?roomId={room_id}").status == 403
    assert "text" not in newest, "without spark:kms nothing is decrypted"


def test_memberships_are_listed_of_a_room_or_of_oneself(luca: Api) -> None:
    rooms = luca.items("rooms")
    [members, own] = [luca.items(f"memberships?roomId={rooms[0]['id']}"), luca.items("memberships")]

    assert [one["roomId"] for one in own] == [room["id"] for room in rooms]
    assert {one["personId"] for one in own} == {luca.person.id}
    assert ROVER in [one["personEmail"] for one in members]
    [found] = luca.items(f"memberships?roomId={rooms[0]['id']}&personEmail={ROVER.upper()}")
    assert found in members
    assert luca.get(f"memberships/{found['id']}").json == found


def test_a_bot_sees_its_rooms_and_in_groups_the_messages_that_mention_it(
    luca: Api, rover: Api
) -> None:
    rooms = rover.items("rooms")
    room_id = rooms[0]["id"]
    luca.post(roomId=room_id, text="not for the bot")
    asked = luca.post(roomId=room_id, markdown=f"<@personEmail:{ROVER}|Rover> status?").json

    assert [room["id"] for room in rooms] == [room["id"] for room in luca.items("rooms")]
    assert rover.get(f"messages?roomId={room_id}").status == 403
    assert rover.items(f"messages?roomId={room_id}&mentionedPeople=me") == [asked]
    assert asked["text"] == "Rover status?"
    assert asked["mentionedPeople"] == [rover.person.id]
    answer = rover.post(roomId=room_id, parentId=asked["id"], text="green").json
    assert luca.items(f"messages?roomId={room_id}&parentId={asked['id']}") == [answer]


@pytest.mark.bound("messages of the emulator")
def test_the_oldest_message_makes_way(emulator: Emulator, luca: Api) -> None:
    person, room = luca.person, emulator.world.rooms(luca.person)[0]
    first = emulator.conversations.post(person, room, text="first")
    for number in range(20_000):
        emulator.conversations._write(person, room, str(number), first.created, text="more")

    assert luca.get(f"messages/{first.id}").status == 404
    assert len(emulator.conversations.messages(room)) == 20_000


def test_a_person_without_colleagues_talks_alone(mira: Person) -> None:
    world = World()
    world.add_person(mira, lambda: seeded_rooms(mira, 2))
    conversations = Conversations(Conditions(), world)

    for room in world.rooms(mira):
        assert conversations.members(room) == (mira,)
        assert conversations.messages(room)
