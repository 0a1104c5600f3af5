"""People as the API shows them."""

import json

import pytest
from hypothesis import given, strategies as st

from webex_oauth.errors import InvalidResponse
from webex_oauth.oauth.http import HttpResponse
from webex_oauth.webex import people
from webex_oauth.webex.api import read_api_response
from webex_oauth.webex.people import Person

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


def test_one_person_is_asked_for_by_id() -> None:
    assert people.get("Y2lz").path == "people/Y2lz"


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
        b'{"id":"a","emails":"mira@acme.example"}',
        b'{"id":"a","emails":[1]}',
        b'{"id":"a","displayName":["Mira"]}',
        b'{"id":"a","displayName":"\\ud800"}',
        b'{"id":"a","displayName":"\xff"}',
        b'{"id":"a","x":' + b"[" * 60_000,
        b'{"id":"a"',
        b"<html>",
        b"",
    ],
    ids=range(16),
)
def test_what_is_not_a_person_is_refused(body: bytes) -> None:
    with pytest.raises(InvalidResponse):
        read(body)


@given(st.text(), st.lists(st.text(), max_size=3))
def test_any_text_may_be_a_name(name: str, emails: list[str]) -> None:
    person = read(json.dumps({"id": "a", "displayName": name, "emails": emails}).encode())

    assert (person.display_name, list(person.emails)) == (name, emails)
