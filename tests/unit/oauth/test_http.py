"""HTTP messages, JSON objects, text of servers, and how long to wait."""

import json
from urllib.parse import parse_qsl

import pytest
from hypothesis import given, strategies as st

from webex_oauth.errors import InvalidResponse
from webex_oauth.oauth.http import (
    HttpRequest,
    HttpResponse,
    post_form,
    read_json_object,
    read_retry_after,
    read_text,
)


def test_messages_print_neither_url_nor_headers_nor_body() -> None:
    request = HttpRequest("GET", "https://x/?code=canary", {"authorization": "canary"}, b"canary")
    response = HttpResponse(200, {"set-cookie": "canary"}, b"canary")

    assert repr(request) == "HttpRequest(method='GET')"
    assert repr(response) == "HttpResponse(status=200)"


@given(st.dictionaries(st.text(min_size=1), st.text()))
def test_a_form_carries_any_text(fields: dict[str, str]) -> None:
    body = post_form("https://x", fields, {}).body.decode("ascii")

    assert dict(parse_qsl(body, keep_blank_values=True)) == fields


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
    ["application/json", "Application/JSON", " application/json ;charset=utf-8", "a/b+json"],
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


@pytest.mark.parametrize(
    ("stated", "text"),
    [
        ("try again later", "try again later"),
        ("  two\tlines\r\nand more  ", "two lines and more"),
        ("\x1b[31mred\x1b[0m", "[31mred [0m"),
        ("a\u202eb\u2066c\u200bd", "a b c d"),
        ("a\u2028b\u2029c\x85d", "a b c d"),
        ("half \ud800 surrogate", "half surrogate"),
        ("für 東京", "für 東京"),
        ("private \ue000 unassigned \u0378 wide\u3000space", "private unassigned wide space"),
        ("{{7*7}} %(x)s {0}", "{{7*7}} %(x)s {0}"),
        *(
            (value, None)
            for value in ("", " \r\n\x00", None, 7, True, ["text"], {"text": 1}, b"text")
        ),
    ],
)
def test_text_becomes_one_line(stated: object, text: str | None) -> None:
    assert read_text(stated) == text


def test_text_has_an_end() -> None:
    assert read_text("a" * 100_000) == "a" * 500
    assert read_text("a" * 499 + " b") == "a" * 499


@given(st.text(alphabet=st.characters(codec=None)))
def test_no_text_carries_what_cannot_be_seen(stated: str) -> None:
    text = read_text(stated) or ""

    assert len(text) <= 500
    assert text.isprintable()
    assert text == text.strip()
    assert text.encode("utf-8").decode("utf-8") == text


SUNDAY_1994 = 784_111_777  # Sun, 06 Nov 1994 08:49:37 GMT, the example of RFC 9110 section 5.6.7


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        *(("0", 1), ("1", 1), ("007", 7), ("  30 ", 30), ("120", 120), ("3600", 3600)),
        *(("3601", 3600), ("86400", 3600), ("9" * 64, 3600), ("9" * 65, 15)),
    ],
)
def test_seconds_are_kept_between_a_second_and_an_hour(value: str, seconds: int) -> None:
    assert read_retry_after(value, SUNDAY_1994) == seconds


@pytest.mark.parametrize(
    "value",
    [
        "Sun, 06 Nov 1994 08:49:37 GMT",
        "Sunday, 06-Nov-94 08:49:37 GMT",
        "Sun Nov  6 08:49:37 1994",
        "Sun, 06 Nov 1994 09:49:37 +0100",
        "Sun, 06 Nov 1994 08:49:37 -0000",
    ],
)
@pytest.mark.parametrize(
    ("now", "seconds"),
    [
        (SUNDAY_1994 - 60, 60),
        (SUNDAY_1994, 1),
        (SUNDAY_1994 + 60, 1),
        (SUNDAY_1994 - 90_000, 3600),
    ],
)
def test_a_date_is_counted_from_now(value: str, now: int, seconds: int) -> None:
    assert read_retry_after(value, now) == seconds


@pytest.mark.parametrize(
    "value",
    [
        *(None, "", " ", "-1", "+5", "\xa05", "5\x85", "5\x0b", "Sun, 06 Nov 1994 08:49:37\xa0GMT"),
        *("1.5", "1e3", "0x10", "5 seconds", "soon", "٣", "²", "5\n5", "\x00", "9" * 5_000),
        *("Sun, 99 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 99999 08:49:37 GMT"),
        *("Sun, 31 Feb 1994 08:49:37 GMT", "Fri, 31 Dec 9999 23:59:59 -0100"),
        "Sun, 06 Nov 1994 08:49:37 +99999999",
    ],
)
def test_what_says_nothing_usable_is_fifteen_seconds(value: str | None) -> None:
    assert read_retry_after(value, SUNDAY_1994) == 15


DATE_PIECES = st.sampled_from(
    ["Sun", ",", " ", "06", "-", "Nov", "1994", "94", "08:49:37", ":", ".", "GMT", "+0100", "-9999"]
)


@pytest.mark.bound("wait that a server asks for")
@given(st.one_of(st.text(), st.lists(DATE_PIECES).map("".join)), st.integers(0, 2**40))
def test_any_value_is_a_wait_within_its_bounds(value: str, now: int) -> None:
    assert 1 <= read_retry_after(value, now) <= 3600
