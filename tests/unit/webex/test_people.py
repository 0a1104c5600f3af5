"""People as the API shows them, and what identifies them for good."""

import json
from base64 import b64encode

import pytest
from hypothesis import given, strategies as st

from webex_oauth.errors import InvalidResponse
from webex_oauth.oauth.http import HttpResponse
from webex_oauth.webex import people
from webex_oauth.webex.api import read_api_response
from webex_oauth.webex.people import Person, subject_of

NOW = 1_700_000_000
MIRA = {
    "id": "Y2lzY29zcGFyazovL3VzL1BFT1BMRS8zYjFmNmE1Mi05YzRkLTRmMGUtOGE3Ny01MWQyZTZjMGI5MTQ",
    "emails": ["mira@acme.example"],
    "phoneNumbers": [],
    "sipAddresses": [{"type": "personal-room", "value": "mira@acme.example", "primary": False}],
    "displayName": "Mira Ito",
    "nickName": "Mira",
    "firstName": "Mira",
    "lastName": "Ito",
    "orgId": "Y2lzY29zcGFyazovL3VzL09SR0FOSVpBVElPTi8wZjhjNWQxZQ",
    "created": "2025-02-11T08:30:12.114Z",
    "timezone": "Europe/Berlin",
    "status": "active",
    "type": "person",
    "invitePending": "false",
}


def read(body: bytes) -> Person:
    return read_api_response(people.me(), HttpResponse(200, {}, body), NOW)


def test_a_person_is_read() -> None:
    person = read(json.dumps(MIRA).encode())

    assert (person.display_name, person.emails) == ("Mira Ito", ("mira@acme.example",))
    assert (person.first_name, person.last_name, person.nick_name) == ("Mira", "Ito", "Mira")
    assert (person.org_id, person.avatar) == (MIRA["orgId"], None)
    assert (person.timezone, person.status, person.type) == ("Europe/Berlin", "active", "person")
    assert person.subject == "3b1f6a52-9c4d-4f0e-8a77-51d2e6c0b914"


def test_a_person_may_have_nothing_but_an_id() -> None:
    assert read(b'{"id":"a"}') == Person(id="a")


@pytest.mark.parametrize(
    "body",
    [
        b"{}",
        b"[]",
        b"null",
        b'{"id":null}',
        b'{"id":""}',
        b'{"id":7}',
        b'{"id":"' + b"a" * 513 + b'"}',
        b'{"id":"a","displayName":"\xff"}',
        b'{"id":"a","x":' + b"[" * 60_000,
        b'{"id":"a"',
        b"<html>",
        b"",
    ],
    ids=range(12),
)
def test_what_is_not_a_person_is_refused(body: bytes) -> None:
    with pytest.raises(InvalidResponse):
        read(body)


OTHER_TYPES: tuple[object, ...] = (None, 0, 7.5, True, [], ["a"], {}, {"a": [1]}, "9" * 5_000)


@pytest.mark.parametrize("value", OTHER_TYPES, ids=lambda value: type(value).__name__)
@pytest.mark.parametrize("member", [*sorted(MIRA.keys() - {"id"}), "newlyInvented", "avatar"])
def test_no_member_but_the_id_can_spoil_a_person(member: str, value: object) -> None:
    person = read(json.dumps(MIRA | {member: value}).encode())

    assert person.id == MIRA["id"]
    assert person.name
    if not isinstance(value, str):
        assert not isinstance(person.display_name, int | float | list | dict)


def test_what_is_no_text_is_left_out_and_no_number_is_too_long() -> None:
    emails, endless = b'[1,null,"mira@acme.example",{}]', b"9" * 10_000

    person = read(b'{"id":"a","emails":' + emails + b',"timezone":' + endless + b"}")

    assert (person.emails, person.timezone) == (("mira@acme.example",), None)


NAMES = {"firstName": "Kim", "lastName": "Doe", "nickName": "Kimmy", "emails": ["kim@acme.example"]}


@pytest.mark.parametrize("display_name", ["", " \t", "\u200b\u2060", "\ud800", None, 7, [], ...])
@pytest.mark.parametrize(
    ("absent", "name"),
    [
        ((), "Kim Doe"),
        (("lastName",), "Kim"),
        (("firstName",), "Doe"),
        (("firstName", "lastName"), "Kimmy"),
        (("firstName", "lastName", "nickName"), "kim@acme.example"),
        (("firstName", "lastName", "nickName", "emails"), None),
    ],
)
def test_without_a_display_name_the_next_best_name_is_used(
    display_name: object, absent: tuple[str, ...], name: str | None
) -> None:
    shown = {} if display_name is ... else {"displayName": display_name}
    for nothing in ({}, dict.fromkeys(absent), dict.fromkeys(absent, "")):
        told = {key: value for key, value in NAMES.items() if key not in absent} | nothing

        person = read(json.dumps({"id": "a"} | shown | told).encode())

        assert person.name == ("\ufffd" if display_name == "\ud800" else name)


@given(st.text(max_size=500), st.lists(st.text(), max_size=3))
def test_any_text_may_be_a_name(name: str, emails: list[str]) -> None:
    person = read(json.dumps({"id": "a", "displayName": name, "emails": emails}).encode())

    assert (person.display_name, list(person.emails)) == (name, emails)


UUID = "3b1f6a52-9c4d-4f0e-8a77-51d2e6c0b914"


def encoded(uri: str | bytes) -> str:
    octets = uri.encode() if isinstance(uri, str) else uri
    return b64encode(octets).decode().rstrip("=")


@pytest.mark.parametrize(
    "id_",
    [
        "Y2lzY29zcGFyazovL3VzL1BFT1BMRS8zYjFmNmE1Mi05YzRkLTRmMGUtOGE3Ny01MWQyZTZjMGI5MTQ",
        encoded(f"ciscospark://us/PEOPLE/{UUID}"),
        encoded(f"ciscospark://us/PEOPLE/{UUID}") + "=",
        encoded(f"ciscospark://urn:TEAM:eu-central-1_k/PEOPLE/{UUID}"),
        encoded(f"ciscospark://us/PEOPLE/{UUID.upper()}"),
        UUID,
        UUID.upper(),
    ],
)
def test_the_uuid_in_an_id_identifies_the_person(id_: str) -> None:
    assert Person(id=id_).subject == UUID


HOSTILE = [
    "",
    "=",
    "a",
    "not base64!",
    "é",
    "\ud800",
    "Y2lz" * 1_000,
    "Y2lzY29zcGFyazovL3VzL1BFT1BMRS8",
    encoded("ciscospark://us/PEOPLE/me"),
    encoded(f"ciscospark://us/ROOM/{UUID}"),
    encoded(f"ciscospark://us/people/{UUID}"),
    encoded(f"ciscospark://us/{UUID}"),
    encoded(f"ciscospark:///PEOPLE/{UUID}"),
    encoded(f"ciscospark://us/PEOPLE/{UUID}/more"),
    encoded(f"ciscospark://us/PEOPLE/{UUID}\n"),
    encoded(f" ciscospark://us/PEOPLE/{UUID}"),
    encoded(f"https://us/PEOPLE/{UUID}"),
    encoded(f"ciscospark://us/ROOM/x/PEOPLE/{UUID}"),
    encoded(f"ciscospark://us/PEOPLE/{UUID}:{UUID}"),
    encoded(f"ciscospark://us/PEOPLE/{UUID}0"),
    encoded(b"ciscospark://us/PEOPLE/\xff\xfe"),
    encoded(b"\x00" * 40),
    f"{{{UUID}}}",
    UUID.replace("-", ""),
    f"{UUID}\n",
    UUID.replace("b914", "b91٤"),
]


@pytest.mark.parametrize("id_", HOSTILE, ids=ascii)
def test_an_id_without_a_uuid_is_its_own_subject(id_: str) -> None:
    assert Person(id=id_).subject == id_


@given(st.text())
def test_any_text_has_a_subject(id_: str) -> None:
    assert subject_of(id_) in {id_, id_.lower()}


@given(st.uuids(), st.uuids())
def test_different_people_never_have_the_same_subject(one: object, other: object) -> None:
    subjects = [Person(id=encoded(f"ciscospark://us/PEOPLE/{key}")).subject for key in (one, other)]

    assert (subjects[0] == subjects[1]) is (one == other)
