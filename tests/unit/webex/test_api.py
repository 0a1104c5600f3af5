"""Asking the API and reading what it answers."""

import json
from urllib.parse import parse_qsl, unquote, urlsplit

import pytest
from hypothesis import given, strategies as st
from msgspec.structs import replace

from webex_oauth.errors import (
    AccessForbidden,
    AccessTokenRefused,
    ApiError,
    InvalidResponse,
    RateLimited,
    ResourceNotFound,
    ServerFailed,
    WebexOAuthError,
)
from webex_oauth.oauth.http import HttpResponse
from webex_oauth.secret import Secret
from webex_oauth.webex import people, rooms
from webex_oauth.webex.api import (
    Call,
    PageUrl,
    api_path,
    api_request,
    page_request,
    read_api_response,
    read_page,
)
from webex_oauth.webex.platform import WEBEX, platform

NOW = 1_700_000_000
TOKEN = Secret("ZmFrZQ_PF84_0f8c5d1e")
TRACKING_ID = "ROUTER_68D0A1B2-1C3E-01BB-07A4-0A1B2C3D4E5F"
NOT_FOUND = "The requested resource could not be found."
JSON = {"content-type": "application/json;charset=UTF-8"}


def refusal(message: str = NOT_FOUND) -> bytes:
    body = {"message": message, "errors": [{"description": message}], "trackingId": TRACKING_ID}
    return json.dumps(body).encode()


def test_a_call_is_a_get_with_the_token_in_the_header_only() -> None:
    request = api_request(WEBEX, people.me(), TOKEN)

    assert (request.method, request.url) == ("GET", "https://webexapis.com/v1/people/me")
    assert request.headers == {
        "accept": "application/json",
        "authorization": "Bearer ZmFrZQ_PF84_0f8c5d1e",
    }
    assert request.body == b""


@given(st.dictionaries(st.sampled_from(["a", "b", "c&d"]), st.text(), min_size=1))
def test_a_query_arrives_as_it_was_given(query: dict[str, str]) -> None:
    call = Call(api_path("rooms", query=query), json.loads)

    parts = urlsplit(api_request(WEBEX, call, TOKEN).url)

    assert parts.path == "/v1/rooms"
    assert dict(parse_qsl(parts.query, keep_blank_values=True)) == query


def test_a_further_page_is_asked_for_at_its_url_but_not_with_the_token_of_another_webex() -> None:
    url = PageUrl("https://webexapis.com/v1/rooms?cursor=a")

    request = page_request(WEBEX, url, TOKEN)

    assert request.url == url.text
    assert request.headers["authorization"] == "Bearer ZmFrZQ_PF84_0f8c5d1e"
    with pytest.raises(ValueError, match="another Webex"):
        page_request(platform("http://localhost:8090"), url, TOKEN)


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (401, AccessTokenRefused),
        (403, AccessForbidden),
        (404, ResourceNotFound),
        *((status, ApiError) for status in (400, 405, 409, 410, 415, 423, 428, 451)),
    ],
)
def test_a_refusal_has_a_type_a_message_and_a_tracking_id(
    status: int, kind: type[ApiError]
) -> None:
    with pytest.raises(ApiError) as caught:
        read_api_response(people.me(), HttpResponse(status, JSON, refusal()), NOW)

    error = caught.value
    assert (type(error), error.status) == (kind, status)
    assert (error.message, error.tracking_id) == (NOT_FOUND, TRACKING_ID)


@pytest.mark.parametrize(
    ("headers", "body", "message", "tracking_id"),
    [
        ({"trackingid": "NA_1"}, b'{"message":"a"}', "a", "NA_1"),
        ({"trackingid": "NA_1"}, b'{"message":"a","trackingId":"R_2"}', "a", "R_2"),
        ({"trackingid": "a\x1b[0m"}, b"<html>", "no reason was given", "a [0m"),
        ({"content-type": "text/html"}, b'{"message":"a"}', "no reason was given", None),
        ({}, b"", "no reason was given", None),
        ({}, b"[" * 60_000, "no reason was given", None),
    ],
    ids=range(6),
)
def test_a_refusal_is_read_from_whatever_carries_it(
    headers: dict[str, str], body: bytes, message: str, tracking_id: str | None
) -> None:
    with pytest.raises(AccessForbidden) as caught:
        read_api_response(people.me(), HttpResponse(403, headers, body), NOW)

    assert (caught.value.message, caught.value.tracking_id) == (message, tracking_id)


@pytest.mark.parametrize("status", [408, 500, 502, 503, 504])
def test_a_failure_of_webex_is_no_refusal(status: int) -> None:
    with pytest.raises(ServerFailed) as caught:
        read_api_response(people.me(), HttpResponse(status, JSON, refusal()), NOW)

    assert (caught.value.status, caught.value.tracking_id) == (status, TRACKING_ID)


@pytest.mark.parametrize("body", [b"<html>Too many requests</html>", b"", b"[" * 60_000])
def test_a_throttled_call_says_when_to_come_back(body: bytes) -> None:
    headers = {"retry-after": "3600", "content-type": "text/html"}

    with pytest.raises(RateLimited) as caught:
        read_api_response(people.me(), HttpResponse(429, headers, body), NOW)

    assert caught.value.retry_after_seconds == 3600


@pytest.mark.parametrize(
    ("status", "message"),
    [
        *((status, "the API answered") for status in (100, 201, 202, 204, 206, 301, 302, 307, 308)),
        (200, "not JSON"),
    ],
)
def test_any_other_status_or_type_breaks_the_protocol(status: int, message: str) -> None:
    headers = {"location": "https://evil.example/", "content-type": "text/html"}

    with pytest.raises(InvalidResponse, match=message):
        read_api_response(people.me(), HttpResponse(status, headers, b'{"id":"a"}'), NOW)


@pytest.mark.parametrize("ids", [["r1"], []])
def test_a_page_is_read_with_the_way_to_the_next(ids: list[str]) -> None:
    link = '<https://webexapis.com/v1/rooms?cursor=a>; rel="next"'
    body = json.dumps({"items": [{"id": one} for one in ids]}).encode()

    page = read_page(rooms.listing(), WEBEX, HttpResponse(200, {**JSON, "link": link}, body), NOW)
    last = read_page(rooms.listing(), WEBEX, HttpResponse(200, JSON, body), NOW)

    assert [room.id for room in page.items] == ids
    assert page.next_url == PageUrl("https://webexapis.com/v1/rooms?cursor=a")
    assert last == replace(page, next_url=None)


def test_a_page_that_leads_away_is_refused_whole() -> None:
    headers = {"link": "<https://evil.example/v1/rooms>; rel=next"}

    with pytest.raises(InvalidResponse, match="next page"):
        read_page(rooms.listing(), WEBEX, HttpResponse(200, headers, b'{"items":[]}'), NOW)


@given(st.integers(100, 599), st.binary() | st.just(refusal()))
def test_any_answer_is_a_person_or_a_typed_error(status: int, body: bytes) -> None:
    with pytest.raises(WebexOAuthError):
        read_api_response(people.me(), HttpResponse(status, {}, body), NOW)


HOSTILE = [
    *("", ".", "..", "...\0", "/", "//", "../people/me", "..\\people\\me", "a/b", "a/../b"),
    *("//evil.example/x", "https://evil.example/", "a?max=1", "?", "a#b", "#", "a;b=c"),
    *("a%2fb", "%2e%2e", "%2e%2e%2f", "%", "%00", " ", "a b", "a\rb", "a\nb", "a\r\nX-Evil: 1"),
    *("a\tb", "a\x7fb", "a\x85b", "a\u2028b", "a\u202eb", "a\u00a0b", "\ud800", "\ufeff"),
    "a" * 513,
]


@pytest.mark.parametrize("segment", HOSTILE, ids=ascii)
def test_a_segment_that_could_be_read_otherwise_is_refused(segment: str) -> None:
    for ask in (api_path, people.get, rooms.get):
        with pytest.raises(ValueError, match="path segment"):
            ask(segment)


@pytest.mark.parametrize(
    ("segment", "encoded"),
    [
        ("Y2lzY29zcGFyazovL3VzL1JPT00", "Y2lzY29zcGFyazovL3VzL1JPT00"),
        ("7d0e2b40-5f1c-11f0-9a3d-b56e8c2f4d17", "7d0e2b40-5f1c-11f0-9a3d-b56e8c2f4d17"),
        ("a+b=", "a%2Bb%3D"),
        ("...", "..."),
        ("a:b@c,d&e=f", "a%3Ab%40c%2Cd%26e%3Df"),
        ("für", "f%C3%BCr"),
        ("{0}%(x)s".replace("%", ""), "%7B0%7D%28x%29s"),
        ("a" * 512, "a" * 512),
    ],
)
def test_any_other_segment_is_encoded(segment: str, encoded: str) -> None:
    assert api_path("rooms", segment) == f"rooms/{encoded}"


@given(st.text())
def test_any_text_is_one_segment_or_refused(text: str) -> None:
    try:
        path = api_path("rooms", text)
    except ValueError:
        return

    url = urlsplit(f"https://webexapis.com/v1/{path}")
    assert [unquote(segment) for segment in url.path.split("/")] == ["", "v1", "rooms", text]
    assert (url.query, url.fragment) == ("", "")
