"""Ids are written as Webex writes them and read in both of their forms."""

import base64
import contextlib
import uuid

import pytest
from hypothesis import given, settings, strategies as st

from webex_oauth.emulator.world import read_webex_id, webex_id

KEY = "3b1f6a52-9c4d-4f0e-8a77-51d2e6c0b914"


def test_an_id_is_unpadded_base64_of_a_uri() -> None:
    written = webex_id("PEOPLE", KEY)

    assert written == (
        "Y2lzY29zcGFyazovL3VzL1BFT1BMRS8zYjFmNmE1Mi05YzRkLTRmMGUtOGE3Ny01MWQyZTZjMGI5MTQ"
    )


@settings(deadline=None)
@given(st.uuids(), st.sampled_from(["PEOPLE", "ROOM", "TEAM"]))
def test_what_is_written_can_be_read(key: uuid.UUID, kind: str) -> None:
    assert read_webex_id(kind, webex_id(kind, str(key))) == str(key)


def test_a_bare_uuid_is_taken_too() -> None:
    assert read_webex_id("ROOM", KEY.upper()) == KEY


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
def test_anything_else_is_malformed(text: str) -> None:
    with pytest.raises(ValueError, match=r"^Expect base64 ID or UUID\.$"):
        read_webex_id("ROOM", text)


@settings(deadline=None)
@given(st.text(max_size=300))
def test_no_text_breaks_the_reader(text: str) -> None:
    with contextlib.suppress(ValueError):
        assert str(uuid.UUID(read_webex_id("ROOM", text)))
