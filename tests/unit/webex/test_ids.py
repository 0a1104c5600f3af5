"""The key inside an id, which is what identifies a person for good."""

from base64 import b64encode

import msgspec
import pytest
from hypothesis import given, strategies as st

from webex_oauth.webex.decoding import Id, uuid_in
from webex_oauth.webex.people import Person

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
def test_an_id_gives_the_uuid_inside(id_: str) -> None:
    assert uuid_in(id_, "PEOPLE") == UUID
    assert Person(id=id_).subject == UUID


HOSTILE = [
    "",
    "=",
    "a",
    "abcde",
    "not base64!",
    "a b c d",
    "é",
    "\ud800",
    "\x00",
    "Y2lz" * 1_000,
    "Y2lzY29zcGFyazovL3VzL1BFT1BMRS8",
    encoded("ciscospark://us/PEOPLE/"),
    encoded("ciscospark://us/PEOPLE/me"),
    encoded("ciscospark://us/PEOPLE/12345"),
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
    encoded(f"ciscospark://us/PEOPLE/{UUID[:-1]}"),
    encoded(f"ciscospark://us/PEOPLE/{UUID}0"),
    encoded(f"ciscospark://us/PEOPLE/{{{UUID}}}"),
    encoded(b"ciscospark://us/PEOPLE/\xff\xfe"),
    encoded(b"\x00" * 40),
    f"{{{UUID}}}",
    UUID.replace("-", ""),
    f"{UUID}\n",
    UUID.replace("b914", "b91٤"),
]


@pytest.mark.parametrize("id_", HOSTILE, ids=ascii)
def test_an_id_without_a_uuid_is_its_own_subject(id_: str) -> None:
    assert uuid_in(id_, "PEOPLE") is None
    assert Person(id=id_).subject == id_


@given(st.text())
def test_any_text_gives_a_uuid_or_nothing(id_: str) -> None:
    found = uuid_in(id_, "PEOPLE")

    assert found is None or found == id_.lower()


@given(st.uuids(), st.uuids())
def test_different_people_never_have_the_same_subject(one: object, other: object) -> None:
    subjects = [Person(id=encoded(f"ciscospark://us/PEOPLE/{key}")).subject for key in (one, other)]

    assert (subjects[0] == subjects[1]) is (one == other)


def test_an_empty_id_is_no_id() -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"id": ""}, Person)


@pytest.mark.parametrize(("length", "is_read"), [(0, False), (1, True), (512, True), (513, False)])
def test_an_id_has_a_shortest_and_a_longest_length(length: int, *, is_read: bool) -> None:
    try:
        msgspec.convert("a" * length, Id)
    except msgspec.ValidationError:
        assert not is_read
    else:
        assert is_read
