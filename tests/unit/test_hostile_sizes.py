"""Text of any length costs what its bound costs: it is cut first, and looked at afterwards."""

import json
from collections.abc import Callable, Mapping

import pytest
from steps import steps_of

from webex_oauth.errors import InvalidResponse
from webex_oauth.flows.sign_in import read_return_to
from webex_oauth.oauth.authorization import read_callback
from webex_oauth.oauth.http import HttpResponse, read_retry_after, read_text
from webex_oauth.web.sign_in import browser_label
from webex_oauth.webex import people, rooms
from webex_oauth.webex.api import check_api_response, read_next_link
from webex_oauth.webex.platform import WEBEX
from webex_oauth.webex.rooms import LARGEST_PAGE, MAX_TITLE_CHARACTERS, MAX_WORD_CHARACTERS

JSON = {"content-type": "application/json"}
MARKS = "a\u0300\u0316"
"""Combining marks out of order, which normalising has to sort."""

READERS: Mapping[str, Callable[[str], object]] = {
    "text of an error": read_text,
    "a body of an error": lambda text: check_api_response(
        HttpResponse(400, JSON, json.dumps({"message": text}).encode()), 0
    ),
    "a tracking id": lambda text: check_api_response(HttpResponse(400, {"trackingid": text}), 0),
    "a wait": lambda text: read_retry_after(text, 0),
    "a link": lambda text: read_next_link(text, WEBEX),
    "a callback": lambda text: read_callback(text.encode("ascii", "replace")),
    "a way back": read_return_to,
    "a browser's name": browser_label,
    "a person's names": lambda text: people.me().read(
        json.dumps({"id": "p", "displayName": text, "nickName": text, "avatar": text}).encode()
    ),
    "a person's addresses": lambda text: people.me().read(
        json.dumps({"id": "p", "emails": [text] * (len(text) // 100)}).encode()
    ),
    "a room": lambda text: rooms.get("r").read(json.dumps({"id": "r", "title": text}).encode()),
    "a page of rooms": lambda text: rooms.listing().read_items(
        json.dumps({"items": [{"id": "r", "title": text, "type": text}]}).encode()
    ),
}
TEXTS = {
    "marks": MARKS,
    "escapes": "\x1b\x00",
    "slashes": "/\\",
    "percents": "%25",
    "quotes": "\"'",
}


@pytest.mark.bound("text of Webex for people", "body of an error")
@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
@pytest.mark.parametrize("reader", READERS.values(), ids=READERS)
def test_twice_as_much_text_takes_no_more_steps(reader: Callable[[str], object], text: str) -> None:
    once = text * 20_000

    steps_of(lambda: reader(once))

    assert steps_of(lambda: reader(2 * once)) <= steps_of(lambda: reader(once)) + 2


@pytest.mark.bound("title of a room")
def test_what_a_list_shows_of_a_room_is_bounded() -> None:
    long = MARKS * 100_000
    odd = {"id": "r", "title": long, "type": long, "lastActivity": long}
    body = json.dumps({"items": [odd, {"id": "s", "title": "plain"}]}).encode()

    page = rooms.listing().read_items(body)

    assert [room.id for room in page.items] == ["r", "s"]
    assert page.items[0].title == long[:MAX_TITLE_CHARACTERS]
    assert page.items[0].type == page.items[0].last_activity == long[:MAX_WORD_CHARACTERS]


@pytest.mark.bound("rooms on a page")
@pytest.mark.parametrize("item", [{"id": "r"}, {}, [], 7, "\ud800"], ids=str)
def test_a_page_of_more_rooms_than_were_asked_for_is_refused(item: object) -> None:
    body = json.dumps({"items": [item] * (LARGEST_PAGE + 1)}).encode()

    with pytest.raises(InvalidResponse, match="more than 1000"):
        rooms.listing().read_items(body)


def test_nothing_is_built_of_what_a_page_says_besides() -> None:
    def body(count: int) -> bytes:
        return b'{"items":[{"id":"r","title":7,"x":[' + b"[]," * count + b"1]}]}"

    def read(count: int) -> object:
        return rooms.listing().read_items(body(count))

    read(1)

    assert steps_of(lambda: read(200_000)) == steps_of(lambda: read(2))


def test_what_is_kept_of_a_person_is_bounded() -> None:
    long = MARKS * 10_000
    names = dict.fromkeys(("displayName", "nickName", "firstName", "orgId", "avatar"), long)
    person = people.me().read(json.dumps({"id": "p", "emails": [long] * 99} | names).encode())

    kept = (person.name, person.nick_name, person.org_id, person.avatar, *person.emails)

    assert sum(len(one or "") for one in kept) < 20_000
