"""The fault script says which request is struck, and each fault happens on a real connection."""

import gzip
import http.client
import json
import logging
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import pytest
from emulator.wire import FORM, Wire
from waiting import until

from webex_oauth.emulator import (
    Action,
    AfterCommit,
    Answer,
    Delay,
    Drop,
    Emulator,
    Faults,
    GzipBomb,
    Hang,
    Huge,
    NextLink,
    Person,
    Raw,
    Reset,
    RunningEmulator,
    Slow,
    Truncate,
)

ROOMS = "/v1/rooms"
TOKENS = "/v1/access_token"


def strikes(faults: Faults, count: int, method: str = "GET", path: str = ROOMS) -> str:
    struck = [faults.strike(method, path) is not None for _ in range(count)]
    return "".join("x" if one else "." for one in struck)


@contextmanager
def connected(emulator: Emulator, target: str = ROOMS) -> Iterator[socket.socket]:
    address = urlsplit(Wire(emulator).origin_of(target))
    assert address.port is not None
    with socket.create_connection((address.hostname, address.port), timeout=5) as connection:
        connection.sendall(f"GET {target} HTTP/1.1\r\nHost: {address.netloc}\r\n\r\n".encode())
        yield connection


def read_all(connection: socket.socket) -> bytes:
    return b"".join(iter(lambda: connection.recv(65_536), b""))


@pytest.mark.parametrize(
    ("after", "times", "expected"),
    [(0, 1, "x...."), (2, 1, "..x.."), (1, 2, ".xx.."), (0, None, "xxxxx"), (3, None, "...xx")],
)
def test_a_rule_strikes_after_so_many_and_so_often_until_it_is_cleared(
    after: int, times: int | None, expected: str
) -> None:
    faults = Faults()
    faults.add("GET", ROOMS, Drop(), after=after, times=times)

    assert strikes(faults, 5) == expected
    faults.clear()
    assert strikes(faults, 2) == ".."


def test_a_rule_counts_only_its_own_requests() -> None:
    faults = Faults()
    faults.add("POST", "/v1/*", Drop())

    assert strikes(faults, 2, "GET", TOKENS) == ".."
    assert strikes(faults, 2, "POST", "/idb/oauth2/v1/access_token") == ".."
    assert strikes(faults, 2, "POST", TOKENS) == "x."


def test_of_several_rules_the_first_that_is_due_strikes() -> None:
    faults = Faults()
    faults.add("*", "*", Drop(), times=1)
    faults.add("*", "*", Reset(), times=3)

    actions = [faults.strike("GET", "/") for _ in range(4)]

    assert actions == [Drop(), Reset(), Reset(), None]


IMPOSSIBLE_ACTIONS = [
    ({"type": "answer", "status": 100}, "status"),
    ({"type": "answer", "status": 600}, "status"),
    ({"type": "answer", "status": 204, "text": "{}"}, "no body"),
    ({"type": "answer", "headers": {"x": "a\r\nSet-Cookie: b=c"}}, "headers[...]"),
    ({"type": "answer", "headers": {"x": "\u20ac"}}, "headers[...]"),
    ({"type": "answer", "headers": {"x\r\ny": "a"}}, "`key` in"),
    ({"type": "answer", "headers": {"transfer-encoding": "chunked"}}, "transfer-encoding"),
    ({"type": "answer", "content_type": "text/html\r\nx: y"}, "content_type"),
    ({"type": "delay", "seconds": -1}, "seconds"),
    ({"type": "slow", "piece_bytes": 0}, "piece_bytes"),
    ({"type": "gzip_bomb", "size_bytes": 10**18}, "size_bytes"),
    ({"type": "next_link", "to": "self", "foreign_origin": "http://a\r\nx: y"}, "foreign_origin"),
    ({"type": "after_commit", "then": {"type": "slow"}}, "slow"),
    ({"type": "raw", "data": "no base64!"}, "base64"),
    ({"type": "explode"}, "explode"),
    ({}, "type"),
]
IMPOSSIBLE_RULES: list[tuple[dict[str, Any], str]] = [
    ({"after": -1}, "after"),
    ({"times": 0}, "times"),
    ({"method": "get"}, "method"),
    ({"path": "v1/rooms"}, "path"),
    ({"tmies": 1}, "tmies"),
]


@pytest.mark.parametrize(
    ("rule", "reason"),
    [({"action": action}, reason) for action, reason in IMPOSSIBLE_ACTIONS]
    + [({"action": {"type": "drop"}, **rule}, reason) for rule, reason in IMPOSSIBLE_RULES],
)
def test_an_impossible_rule_is_refused_with_the_reason(
    emulator: Emulator, wire: Wire, rule: dict[str, Any], reason: str
) -> None:
    headers = {"Content-Type": "application/json"}

    answer = wire.send("POST", "/_emulator/faults", json.dumps(rule), headers)

    assert answer.status == 400
    assert reason in answer.json["message"]
    assert emulator.faults.rules == ()


@pytest.mark.parametrize(
    "action",
    [Delay(float("nan")), Hang(float("inf")), Answer(status=42), Huge(-1)],
)
def test_a_rule_from_python_is_checked_too(action: Action) -> None:
    with pytest.raises(ValueError, match="Expected"):
        Faults().add("GET", ROOMS, action)


def test_an_answer_replaces_the_work_once(emulator: Emulator, wire: Wire, token: str) -> None:
    headers = {"Retry-After": "5"}
    fault = Answer(status=503, body=b"\xff<p>down", content_type="text/html", headers=headers)
    emulator.faults.add("GET", ROOMS, fault)

    struck, healthy = wire.get(ROOMS, token), wire.get(ROOMS, token)

    assert (struck.status, struck.body) == (503, b"\xff<p>down")
    assert struck.headers["Retry-After"] == "5"
    assert struck.headers["Content-Type"].startswith("text/html")
    assert healthy.status == 200


@pytest.mark.parametrize(
    ("fault", "received"),
    [
        (Drop(), b""),
        (Raw(b"HTTP/1.1 200 OK\r\nbad header\r\n\r\n"), b"HTTP/1.1 200 OK\r\nbad header\r\n\r\n"),
        (Hang(limit_seconds=0.1), b""),
    ],
)
def test_a_connection_ends_without_an_answer(
    emulator: Emulator, fault: Action, received: bytes
) -> None:
    emulator.faults.add("*", ROOMS, fault)

    with connected(emulator) as connection:
        assert read_all(connection) == received

    (entry,) = emulator.journal.wait_for("GET", ROOMS)
    assert (entry.fault, entry.status) == (fault.__struct_config__.tag, None)


def test_a_reset_connection_is_reset(emulator: Emulator) -> None:
    emulator.faults.add("*", ROOMS, Reset())

    with connected(emulator) as connection, pytest.raises(ConnectionResetError):
        read_all(connection)


def test_a_hanging_request_stops_no_other_and_ends_when_the_client_goes_away(
    emulator: Emulator, wire: Wire, token: str
) -> None:
    emulator.faults.add("*", ROOMS, Hang(limit_seconds=60))

    with connected(emulator):
        assert wire.get("/v1/people/me", token).status == 200

    emulator.journal.wait_for("GET", ROOMS, timeout_seconds=5)


def test_a_huge_answer_has_the_requested_size_and_a_bomb_inflates_to_it(
    emulator: Emulator, wire: Wire
) -> None:
    emulator.faults.add("*", ROOMS, Huge(size_bytes=1_000_000))
    emulator.faults.add("*", ROOMS, GzipBomb(size_bytes=5_000_000), times=2)

    huge, bomb = wire.get(ROOMS), wire.get(ROOMS)

    assert len(huge.body) == 1_000_000
    assert huge.json["padding"]
    assert bomb.headers["Content-Encoding"] == "gzip"
    assert len(bomb.body) < 50_000
    assert len(gzip.decompress(bomb.body)) == 5_000_000


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


@pytest.mark.parametrize("then", [Drop(), Reset(), Hang(limit_seconds=0.05)])
def test_after_commit_the_work_is_done_and_the_answer_lost(
    emulator: Emulator, wire: Wire, mira: Person, then: Drop | Reset | Hang
) -> None:
    emulator.change_options(refresh_mode="rotate")
    tokens = emulator.grant_without_consent(mira)
    assert tokens.refresh_token
    fields = wire.token_fields("refresh_token", refresh_token=tokens.refresh_token.value)
    emulator.faults.add("POST", TOKENS, AfterCommit(then))

    with pytest.raises(ConnectionError):
        wire.post(TOKENS, fields)

    assert not emulator.tokens.is_active(tokens.refresh_token.value)
    assert wire.post(TOKENS, fields).status == 400


def test_after_commit_another_answer_can_be_given(
    emulator: Emulator, wire: Wire, code: str
) -> None:
    fault = AfterCommit(Answer(status=502, text="bad gateway"))
    emulator.faults.add("*", TOKENS, fault)

    assert wire.post(TOKENS, wire.code_fields(code)).status == 502
    assert wire.post(TOKENS, wire.code_fields(code)).status == 400


def test_a_link_to_itself_repeats_the_page(emulator: Emulator, wire: Wire, token: str) -> None:
    emulator.faults.add("*", ROOMS, NextLink("self"), times=None)

    url = wire.get(f"{ROOMS}?max=3", token).next_url

    assert url == f"{emulator.origin}{ROOMS}?max=3"
    assert wire.get(url, token).next_url == url


def test_endless_links_never_repeat(emulator: Emulator, wire: Wire, token: str) -> None:
    emulator.faults.add("*", ROOMS, NextLink("endless"), times=None)
    urls = [f"{ROOMS}?max=1"]

    for _ in range(20):
        urls.append(str(wire.get(urls[-1], token).next_url))

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
    emulator.faults.add("*", ROOMS, NextLink("foreign", foreign_origin="http://127.0.0.1:9"))

    url = str(wire.get(ROOMS + query, token).next_url)

    assert url.startswith(f"http://127.0.0.1:9/v1/rooms{query}")


def test_the_control_api_is_never_struck(emulator: Emulator, wire: Wire) -> None:
    emulator.faults.add("*", "*", Drop(), times=None)

    assert wire.send("DELETE", "/_emulator/faults").status == 204
    assert emulator.faults.rules == ()


def test_a_client_that_leaves_during_a_delay_is_no_failure(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with RunningEmulator() as running:
        running.emulator.faults.add("POST", TOKENS, Delay(0.2))
        address = urlsplit(running.origin)
        with socket.create_connection((address.hostname or "", address.port or 0)) as connection:
            head = f"POST {TOKENS} HTTP/1.1\r\nHost: {address.netloc}\r\nContent-Length: 5\r\n"
            connection.sendall(f"{head}Content-Type: {FORM}\r\n\r\na".encode())
            until(running.emulator.journal.count)
        running.emulator.journal.wait_for("POST", TOKENS)

    assert [one for one in caplog.records if one.levelno >= logging.WARNING] == []
