"""Rooms as the API lists them."""

import json

import pytest
from hypothesis import given, strategies as st

from webex_oauth.errors import InvalidResponse
from webex_oauth.oauth.http import HttpResponse
from webex_oauth.secret import Secret
from webex_oauth.webex import rooms
from webex_oauth.webex.api import Listing, api_request, read_api_response, read_page
from webex_oauth.webex.platform import WEBEX
from webex_oauth.webex.rooms import Room

NOW = 1_700_000_000
TRAIN = {
    "id": "Y2lzY29zcGFyazovL3VzL1JPT00vN2QwZTJiNDA",
    "title": "Release train",
    "type": "group",
    "isLocked": True,
    "teamId": "Y2lzY29zcGFyazovL3VzL1RFQU0vMQ",
    "lastActivity": "2026-03-02T10:05:01.337Z",
    "creatorId": "Y2lzY29zcGFyazovL3VzL1BFT1BMRS8zYjFmNmE1Mg",
    "created": "2026-02-20T07:11:09.220Z",
    "isPublic": False,
    "newlyInvented": {"by": ["Webex"]},
}
ENCRYPTED = {
    "id": "a",
    "title": "eyJhbGciOiJkaXIiLCJraWQiOiJrbXM6",
    "errors": {"title": {"code": "kms_failure", "reason": "Key management server failed"}},
}


def read(*items: object) -> list[Room]:
    body = json.dumps({"items": items}).encode()
    return list(read_page(rooms.listing(), WEBEX, HttpResponse(200, {}, body), NOW).items)


def read_one(item: object) -> Room:
    response = HttpResponse(200, {}, json.dumps(item).encode())
    return read_api_response(rooms.get("a"), response, NOW)


def test_rooms_are_read_in_their_order() -> None:
    train, other = read(TRAIN, {"id": "b"})

    assert other == Room(id="b")
    assert train == Room(
        id="Y2lzY29zcGFyazovL3VzL1JPT00vN2QwZTJiNDA",
        title="Release train",
        type="group",
        last_activity="2026-03-02T10:05:01.337Z",
    )


def test_one_room_is_read() -> None:
    assert rooms.get("Y2lz").path == "rooms/Y2lz"
    assert read_one(TRAIN).title == "Release train"


def test_a_title_that_webex_could_not_decrypt_is_not_shown_as_ciphertext() -> None:
    for room in (*read(ENCRYPTED), read_one(ENCRYPTED)):
        assert room.title is None
        assert room.is_title_unreadable


@pytest.mark.parametrize("title", ["Release train", None])
@pytest.mark.parametrize("errors", [None, {}, {"avatar": {"code": "kms_failure"}}])
def test_errors_of_other_fields_leave_the_title(errors: object, title: str | None) -> None:
    room = read_one({"id": "a", "title": title, "errors": errors})

    assert room.title == title
    assert not room.is_title_unreadable


@pytest.mark.parametrize(
    ("listing", "query"),
    [
        (rooms.listing(), ""),
        (rooms.listing(max_items=1), "?max=1"),
        (rooms.listing(max_items=1000), "?max=1000"),
        (rooms.listing(max_items=100, sort_by="created"), "?max=100&sortBy=created"),
    ],
)
def test_a_listing_asks_for_what_was_wanted(listing: Listing[Room], query: str) -> None:
    request = api_request(WEBEX, listing, Secret("token"))

    assert request.url == f"https://webexapis.com/v1/rooms{query}"


@pytest.mark.parametrize("max_items", [-1, 0, 1001])
def test_a_page_has_a_size_that_webex_takes(max_items: int) -> None:
    with pytest.raises(ValueError, match="1 to 1000"):
        rooms.listing(max_items=max_items)


@pytest.mark.parametrize(
    "body",
    [
        *(b"{}", b"[]", b'{"items":null}', b'{"items":{}}', b'{"items":[null]}'),
        *(b'{"items":["room"]}', b'{"items":[{}]}', b'{"items":[{"id":""}]}'),
        *(b'{"items":[{"id":1}]}', b'{"items":"room"}', b'{"items":7}'),
        *(b'{"items":[{"id":"a"},{"id":"b"', b'{"items":' + b"[" * 60_000, b"<html>", b""),
    ],
    ids=range(15),
)
def test_what_is_not_a_page_of_rooms_is_refused_whole(body: bytes) -> None:
    with pytest.raises(InvalidResponse):
        read_page(rooms.listing(), WEBEX, HttpResponse(200, {}, body), NOW)


@given(st.text())
def test_any_text_may_be_a_title(title: str) -> None:
    assert read({"id": "a", "title": title})[0].title == title


NO_ROOMS: tuple[object, ...] = (
    *(None, 7, "room", [], {}),
    *({"id": value} for value in (None, "", 1, "a" * 513)),
)


@pytest.mark.parametrize("item", NO_ROOMS, ids=range(len(NO_ROOMS)))
def test_an_item_that_is_no_room_is_counted_and_loses_no_other(item: object) -> None:
    body = json.dumps({"items": [TRAIN, item, ENCRYPTED, item, {"id": "b"}]}).encode()

    page = read_page(rooms.listing(), WEBEX, HttpResponse(200, {}, body), NOW)

    assert [room.id for room in page.items] == [TRAIN["id"], "a", "b"]
    assert [room.title for room in page.items] == ["Release train", None, None]
    assert [room.is_title_unreadable for room in page.items] == [False, True, False]
    assert page.unreadable_count == 2


OTHER_TYPES: tuple[object, ...] = (None, 0, 7.5, True, [], ["a"], {}, {"a": [1]}, "\ud800")


@pytest.mark.parametrize("value", OTHER_TYPES, ids=lambda value: type(value).__name__)
@pytest.mark.parametrize("member", [*sorted(TRAIN.keys() - {"id"}), "errors"])
def test_no_member_but_the_id_can_spoil_a_room(member: str, value: object) -> None:
    odd = TRAIN | {member: value}
    body = json.dumps({"items": [odd, TRAIN]}).encode()

    page = read_page(rooms.listing(), WEBEX, HttpResponse(200, {}, body), NOW)

    assert page.unreadable_count == 0
    assert [room.id for room in page.items] == [TRAIN["id"]] * 2
    assert page.items[1].title == "Release train"
    assert read_one(odd).title == page.items[0].title
    if member != "title":
        assert page.items[0].title == "Release train"


@pytest.mark.parametrize("error", ["kms_failure", 7, [], {}, {"code": 7}, {"code": "new"}])
def test_an_error_of_the_title_in_any_words_hides_what_may_be_ciphertext(error: object) -> None:
    (room,) = read(ENCRYPTED | {"errors": {"title": error}})

    assert room.title is None
    assert room.is_title_unreadable
