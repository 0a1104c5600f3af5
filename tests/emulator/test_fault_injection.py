"""Each fault happens on a real connection as its name says."""

import gzip
import http.client
import json
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import pytest
from emulator.wire import Wire
from starlette.types import Message

from webex_oauth.emulator import (
    Action,
    AfterCommit,
    Answer,
    Delay,
    Drop,
    Emulator,
    GzipBomb,
    Hang,
    Huge,
    NextLink,
    Person,
    Raw,
    Reset,
    Slow,
    Truncate,
)
from webex_oauth.emulator.connection import NoConnection

ROOMS = "/v1/rooms"


@contextmanager
def connected(emulator: Emulator, target: str = ROOMS) -> Iterator[socket.socket]:
    address = urlsplit(Wire(emulator).origin_of(target))
    assert address.port is not None
    with socket.create_connection((address.hostname, address.port), timeout=5) as connection:
        connection.sendall(f"GET {target} HTTP/1.1\r\nHost: {address.netloc}\r\n\r\n".encode())
        yield connection


def read_all(connection: socket.socket) -> bytes:
    return b"".join(iter(lambda: connection.recv(65_536), b""))


def test_an_answer_replaces_the_work(emulator: Emulator, wire: Wire, token: str) -> None:
    fault = Answer(
        status=503, text="<p>down", content_type="text/html", headers={"Retry-After": "5"}
    )
    emulator.faults.add("GET", ROOMS, fault)

    struck, healthy = wire.get(ROOMS, token), wire.get(ROOMS, token)

    assert (struck.status, struck.body) == (503, b"<p>down")
    assert struck.headers["Retry-After"] == "5"
    assert struck.headers["Content-Type"].startswith("text/html")
    assert healthy.status == 200


def test_an_answer_may_be_any_bytes(emulator: Emulator, wire: Wire) -> None:
    emulator.faults.add("*", ROOMS, Answer(body=b'\xff{"items":', content_type="application/json"))

    assert wire.get(ROOMS).body == b'\xff{"items":'


def test_a_dropped_connection_ends_without_a_byte(emulator: Emulator) -> None:
    emulator.faults.add("*", ROOMS, Drop())

    with connected(emulator) as connection:
        assert read_all(connection) == b""

    (entry,) = emulator.journal.wait_for("GET", ROOMS)
    assert (entry.fault, entry.status) == ("drop", None)


def test_a_reset_connection_is_reset(emulator: Emulator) -> None:
    emulator.faults.add("*", ROOMS, Reset())

    with connected(emulator) as connection, pytest.raises(ConnectionResetError):
        read_all(connection)


def test_raw_bytes_are_sent_as_they_are(emulator: Emulator) -> None:
    emulator.faults.add("*", ROOMS, Raw(b"HTTP/1.1 200 OK\r\nbad header\r\n\r\n"))

    with connected(emulator) as connection:
        assert read_all(connection) == b"HTTP/1.1 200 OK\r\nbad header\r\n\r\n"


def test_after_commit_a_request_can_hang(emulator: Emulator, token: str) -> None:
    emulator.faults.add("*", "/idb/oauth2/v1/logout", AfterCommit(Hang(limit_seconds=0.05)))

    with connected(emulator, f"/idb/oauth2/v1/logout?token={token}") as connection:
        assert read_all(connection) == b""

    assert not emulator.tokens.is_active(token)


def test_a_hanging_request_says_nothing_until_its_limit(emulator: Emulator) -> None:
    emulator.faults.add("*", ROOMS, Hang(limit_seconds=0.1))
    began = time.monotonic()

    with connected(emulator) as connection:
        assert read_all(connection) == b""

    assert time.monotonic() - began >= 0.1


def test_a_hanging_request_ends_when_the_client_goes_away(emulator: Emulator) -> None:
    emulator.faults.add("*", ROOMS, Hang(limit_seconds=60))

    with connected(emulator):
        pass

    (entry,) = emulator.journal.wait_for("GET", ROOMS, timeout_seconds=5)
    assert entry.fault == "hang"


def test_a_hanging_request_stops_no_other(emulator: Emulator, wire: Wire, token: str) -> None:
    emulator.faults.add("*", ROOMS, Hang(limit_seconds=60))

    with connected(emulator):
        assert wire.get("/v1/people/me", token).status == 200


def test_a_huge_answer_has_the_size_that_was_asked_for(emulator: Emulator, wire: Wire) -> None:
    emulator.faults.add("*", ROOMS, Huge(size_bytes=1_000_000))

    body = wire.get(ROOMS).body

    assert len(body) == 1_000_000
    assert json.loads(body)["padding"]


def test_a_bomb_is_small_and_inflates(emulator: Emulator, wire: Wire) -> None:
    emulator.faults.add("*", ROOMS, GzipBomb(size_bytes=5_000_000))

    answer = wire.get(ROOMS)

    assert answer.headers["Content-Encoding"] == "gzip"
    assert len(answer.body) < 50_000
    assert len(gzip.decompress(answer.body)) == 5_000_000


def test_a_delayed_answer_is_the_right_one(emulator: Emulator, wire: Wire, token: str) -> None:
    emulator.faults.add("*", ROOMS, Delay(seconds=0.1))
    began = time.monotonic()

    assert wire.get(ROOMS, token).status == 200

    assert time.monotonic() - began >= 0.1


def test_a_slow_answer_comes_in_small_pieces(emulator: Emulator, wire: Wire) -> None:
    emulator.faults.add("*", ROOMS, Slow(piece_bytes=50, pause_seconds=0.02))
    began = time.monotonic()

    answer = wire.get(ROOMS)

    assert answer.status == 401
    assert answer.json["message"]
    assert time.monotonic() - began >= 0.02 * (len(answer.body) // 50 - 1)


def test_a_slow_answer_ends_when_the_client_goes_away(emulator: Emulator) -> None:
    emulator.faults.add("*", ROOMS, Slow(piece_bytes=1, pause_seconds=0.05))

    with connected(emulator) as connection:
        assert connection.recv(1)

    # All of it would take several times as long.
    emulator.journal.wait_for("GET", ROOMS, timeout_seconds=4)


def test_a_truncated_answer_breaks_its_promise(emulator: Emulator, wire: Wire, token: str) -> None:
    emulator.faults.add("*", ROOMS, Truncate(kept_bytes=10))

    with pytest.raises(http.client.IncompleteRead) as broken:
        wire.get(ROOMS, token)

    assert broken.value.partial == b'{"items":['


@pytest.mark.parametrize("then", [Drop(), Reset()])
def test_after_commit_the_work_is_done_and_the_answer_lost(
    emulator: Emulator, wire: Wire, mira: Person, then: Drop | Reset
) -> None:
    emulator.change_options(refresh_mode="rotate")
    tokens = emulator.grant_without_consent(mira)
    assert tokens.refresh_token
    fields = wire.token_fields("refresh_token", refresh_token=tokens.refresh_token.value)
    emulator.faults.add("POST", "/v1/access_token", AfterCommit(then))

    with pytest.raises(ConnectionError):
        wire.post("/v1/access_token", fields)

    assert not emulator.tokens.is_active(tokens.refresh_token.value)
    assert wire.post("/v1/access_token", fields).status == 400


def test_after_commit_another_answer_can_be_given(
    emulator: Emulator, wire: Wire, code: str
) -> None:
    emulator.faults.add(
        "*", "/v1/access_token", AfterCommit(Answer(status=502, text="bad gateway"))
    )

    assert wire.post("/v1/access_token", wire.code_fields(code)).status == 502
    assert wire.post("/v1/access_token", wire.code_fields(code)).status == 400


def test_a_link_to_itself_repeats_the_page(emulator: Emulator, wire: Wire, token: str) -> None:
    emulator.faults.add("*", ROOMS, NextLink("self"), times=None)

    url = wire.get(f"{ROOMS}?max=3", token).next_url

    assert url == f"{emulator.origin}{ROOMS}?max=3"
    assert wire.get(url, token).next_url == url


def test_endless_links_never_repeat(emulator: Emulator, wire: Wire, token: str) -> None:
    emulator.faults.add("*", ROOMS, NextLink("endless"), times=None)
    urls = [f"{ROOMS}?max=1"]

    for _ in range(20):
        next_url = wire.get(urls[-1], token).next_url
        assert next_url is not None
        urls.append(next_url)

    assert len(set(urls)) == 21


def test_empty_pages_lead_on(emulator: Emulator, wire: Wire, token: str) -> None:
    emulator.faults.add("*", ROOMS, NextLink("empty"))

    empty = wire.get(ROOMS, token)

    assert empty.json == {"items": []}
    assert empty.next_url
    assert len(wire.get(empty.next_url, token).json["items"]) == 1


@pytest.mark.parametrize("query", ["?max=3", "?max=1000"])
def test_a_foreign_link_leads_to_another_origin(
    emulator: Emulator, wire: Wire, token: str, query: str
) -> None:
    fault = NextLink("foreign", foreign_origin="http://127.0.0.1:9")
    emulator.faults.add("*", ROOMS, fault)

    url = wire.get(ROOMS + query, token).next_url

    assert url
    assert url.startswith(f"http://127.0.0.1:9/v1/rooms{query}")


def test_the_control_api_is_never_struck(emulator: Emulator, wire: Wire) -> None:
    emulator.faults.add("*", "*", Drop(), times=None)

    assert wire.send("DELETE", "/_emulator/faults").status == 204
    assert emulator.faults.rules == ()


@pytest.mark.parametrize("action", [Drop(), Reset()])
@pytest.mark.anyio
async def test_without_a_socket_a_connection_fault_says_so(
    emulator: Emulator, action: Action
) -> None:
    emulator.faults.add("*", "/", action)
    scope = {"type": "http", "method": "GET", "path": "/", "query_string": b"", "headers": []}

    async def receive() -> Message:
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        del message

    with pytest.raises(NoConnection):
        await emulator.front_door(scope, receive, send)
