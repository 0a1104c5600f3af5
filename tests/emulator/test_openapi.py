"""People, rooms, messages and memberships look as Webex's own description of its API says.

The description is webex-messaging.json of github.com/webex/webex-openapi-specs, in a folder
`openapi` beside this project or in a neighbour of it.
"""

import json
from pathlib import Path
from typing import Any

import pytest
from emulator.conftest import find_person
from emulator.wire import Wire
from jsonschema import Draft4Validator, FormatChecker

from webex_oauth.emulator import Emulator
from webex_oauth.emulator.world import HOSTILE_EMAIL

BESIDE = Path(__file__).parents[3]
FOUND = [
    file for below in ("", "*/") for file in BESIDE.glob(f"{below}openapi/webex-messaging.json")
]
EVERYONE = ["mira", "jonas", "luca", "amara", HOSTILE_EMAIL.removesuffix("@acme.example")]

pytestmark = pytest.mark.skipif(
    not FOUND, reason="Webex's description of its API is not beside the project"
)


def validator_of(path: str) -> Draft4Validator:
    description = json.loads(FOUND[0].read_text())
    answer = description["paths"][path]["get"]["responses"]["200"]
    schema = answer["content"]["application/json"]["schema"]
    whole = {**schema, "components": description["components"]}
    # OpenAPI 3.0 schemas are of draft 4's kind.
    return Draft4Validator(whole, format_checker=FormatChecker())


def faults_of(path: str, value: Any) -> list[str]:
    return [error.message for error in validator_of(path).iter_errors(value)]


@pytest.fixture(params=EVERYONE)
def anyones_token(emulator: Emulator, request: pytest.FixtureRequest) -> str:
    person = find_person(emulator, f"{request.param}@acme.example")
    scopes = ("spark:all", "spark:kms")
    return emulator.grant_without_consent(person, scopes=scopes).access_token.value


def test_people_and_rooms_are_as_described(wire: Wire, anyones_token: str) -> None:
    me = wire.get("/v1/people/me", anyones_token).json
    person = wire.get(f"/v1/people/{me['id']}", anyones_token).json
    rooms = wire.get("/v1/rooms?max=1000", anyones_token).json

    assert faults_of("/people/me", me) == []
    assert faults_of("/people/{personId}", person) == []
    assert faults_of("/rooms", rooms) == []
    people = wire.get("/v1/people?displayName=a", anyones_token).json
    # Webex sends null, which its description does not know.
    assert people.pop("notFoundIds") is None
    assert faults_of("/people", people) == []
    assert faults_of("/memberships", wire.get("/v1/memberships", anyones_token).json) == []
    for room in rooms["items"][:1]:
        messages = wire.get(f"/v1/messages?roomId={room['id']}", anyones_token).json
        members = wire.get(f"/v1/memberships?roomId={room['id']}", anyones_token).json
        assert faults_of("/messages", messages) == []
        assert faults_of("/memberships", members) == []
        shown = wire.get(f"/v1/rooms/{room['id']}", anyones_token).json
        assert faults_of("/rooms/{roomId}", shown) == []


def test_the_description_can_find_fault(wire: Wire, token: str) -> None:
    (room,) = wire.get("/v1/rooms?max=1", token).json["items"]

    assert faults_of("/rooms/{roomId}", {**room, "type": "secret"})
    assert faults_of("/people/me", {"id": 1})


def test_no_field_is_invented(wire: Wire, token: str) -> None:
    (room,) = wire.get("/v1/rooms?max=1", token).json["items"]
    me = wire.get("/v1/people/me", token).json

    assert set(room) <= properties_of("/rooms/{roomId}")
    # What Webex sends and its description does not know.
    assert set(me) - properties_of("/people/me") <= {"userName"}


def properties_of(path: str) -> set[str]:
    validator = validator_of(path)
    schema: Any = validator.schema
    while "$ref" in schema:
        parts = schema["$ref"].removeprefix("#/").split("/")
        schema = validator.schema
        for part in parts:
            schema = schema[part]
    return set(schema["properties"])
