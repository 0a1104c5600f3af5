"""Answers that are one JSON object."""

import json

import pytest
from hypothesis import given, strategies as st

from webex_oauth.errors import InvalidResponse
from webex_oauth.oauth.http import HttpResponse, read_json_object

VALUES = st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.text() | st.lists(st.text())


@given(st.dictionaries(st.text(), VALUES))
def test_an_object_is_read_as_it_was_written(members: dict[str, object]) -> None:
    response = HttpResponse(200, {}, json.dumps(members).encode())

    assert dict(read_json_object(response)) == members


def test_an_object_shows_its_names_and_none_of_its_values() -> None:
    members = read_json_object(HttpResponse(200, {}, b'{"access_token":"canary","x":["canary"]}'))

    assert repr(members) == "JsonObject('access_token', 'x')"
    assert (len(members), list(members)) == (2, ["access_token", "x"])


@pytest.mark.parametrize(
    "media_type",
    [
        "application/json",
        "Application/JSON",
        " application/json ;charset=utf-8",
        "application/a+json",
    ],
)
def test_json_goes_by_several_names(media_type: str) -> None:
    assert read_json_object(HttpResponse(200, {"content-type": media_type}, b"{}")) == {}


@pytest.mark.parametrize(
    "media_type",
    [
        *("text/json", "application/jsonp", "json", "text/html", ";"),
        *("application/json\xa0", "\x85application/json", "application/json\x0b;charset=utf-8"),
    ],
)
def test_other_media_types_are_refused(media_type: str) -> None:
    with pytest.raises(InvalidResponse, match="not JSON"):
        read_json_object(HttpResponse(200, {"content-type": media_type}, b"{}"))


@given(st.binary())
def test_any_bytes_are_an_object_or_refused(body: bytes) -> None:
    try:
        members = read_json_object(HttpResponse(200, {}, body))
    except InvalidResponse:
        return

    assert dict(members) == json.loads(body)
