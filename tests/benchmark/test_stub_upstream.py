"""The stub that stands for Webex in the bench."""

import re

import msgspec
from hypothesis import given, strategies as st

from bench.upstream import (
    Account,
    Stub,
    read_account,
    room_marker,
    rooms_answer,
    token_answer,
    token_endpoint_answer,
)

ORIGIN = "http://127.0.0.1:9"
accounts = st.builds(
    Account,
    room_count=st.integers(0, 10_000),
    latency_ms=st.integers(0, 10_000),
    serial=st.integers(0, 10**9),
)


def next_target(answer: bytes) -> str | None:
    link = re.search(rb'\r\nlink: <http://127\.0\.0\.1:9([^>]+)>; rel="next"\r\n', answer)
    return link[1].decode() if link else None


def request_head(target: str, token: str) -> bytes:
    return f"GET {target} HTTP/1.1\r\nAuthorization: Bearer {token}".encode()


@given(account=accounts)
def test_an_account_is_read_back_from_its_code(account: Account) -> None:
    assert read_account(account.code.encode()) == account


@given(account=accounts)
def test_an_account_is_read_back_from_its_tokens(account: Account) -> None:
    tokens = msgspec.json.decode(token_answer(account))

    assert read_account(tokens["access_token"].encode()) == account
    assert read_account(tokens["refresh_token"].encode()) == account


@given(room_count=st.integers(0, 400), page_size=st.integers(1, 150))
def test_following_every_link_shows_each_room_once(room_count: int, page_size: int) -> None:
    target: str | None = f"/v1/rooms?max={page_size}"
    shown: list[str] = []

    while target:
        answer = rooms_answer(ORIGIN, target, room_count)
        page = msgspec.json.decode(answer.partition(b"\r\n\r\n")[2])
        shown.extend(room["title"] for room in page["items"])
        target = next_target(answer)

    assert len(shown) == room_count
    assert all(room_marker(at).decode() in title for at, title in enumerate(shown))


def test_a_page_never_holds_more_than_a_thousand_rooms() -> None:
    answer = rooms_answer(ORIGIN, "/v1/rooms?max=5000", 5000)

    page = msgspec.json.decode(answer.partition(b"\r\n\r\n")[2])
    assert len(page["items"]) == 1000


def test_rooms_without_a_token_are_refused() -> None:
    content, _ = Stub(ORIGIN).respond(b"GET /v1/rooms HTTP/1.1", b"")

    assert content.startswith(b"HTTP/1.1 401 ")


def test_a_slow_account_gets_slow_answers() -> None:
    token = Account(1, 50, 0).code

    _, latency_ms = Stub(ORIGIN).respond(request_head("/v1/rooms", token), b"")

    assert latency_ms == 50


def test_counting_the_answers_is_not_counted() -> None:
    stub = Stub(ORIGIN)
    stub.respond(request_head("/v1/people/me", Account(1, 0, 0).code), b"")

    stub.respond(b"GET /count HTTP/1.1", b"")
    content, _ = stub.respond(b"GET /count HTTP/1.1", b"")

    assert content.endswith(b"\r\n\r\n1")


def test_a_refresh_brings_another_access_token_and_the_same_refresh_token() -> None:
    account = Account(1, 0, 3)
    body = f"grant_type=refresh_token&refresh_token={account.token()}&client_secret=x"

    answer = token_endpoint_answer(body.encode())

    tokens = msgspec.json.decode(answer.partition(b"\r\n\r\n")[2])
    assert tokens["access_token"] == account.token(is_renewed=True) != account.token()
    assert tokens["refresh_token"] == account.token()
