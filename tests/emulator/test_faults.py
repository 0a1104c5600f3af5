"""The fault script says which request is struck."""

import json
from typing import Any

import msgspec
import pytest
from emulator.wire import Wire

from webex_oauth.emulator import (
    Action,
    Answer,
    Delay,
    Drop,
    Emulator,
    FaultRule,
    Faults,
    Hang,
    Huge,
    Reset,
)

DROP = Drop()


def strikes(faults: Faults, count: int, method: str = "GET", path: str = "/v1/rooms") -> str:
    struck = [faults.strike(method, path) is not None for _ in range(count)]
    return "".join("x" if one else "." for one in struck)


@pytest.mark.parametrize(
    ("after", "times", "expected"),
    [(0, 1, "x...."), (2, 1, "..x.."), (1, 2, ".xx.."), (0, None, "xxxxx"), (3, None, "...xx")],
)
def test_a_rule_strikes_after_so_many_and_so_often(
    after: int, times: int | None, expected: str
) -> None:
    faults = Faults()

    faults.add("GET", "/v1/rooms", DROP, after=after, times=times)

    assert strikes(faults, 5) == expected


def test_a_rule_counts_only_its_own_requests() -> None:
    faults = Faults()
    faults.add("POST", "/v1/*", DROP)

    assert strikes(faults, 2, "GET", "/v1/access_token") == ".."
    assert strikes(faults, 2, "POST", "/idb/oauth2/v1/access_token") == ".."
    assert strikes(faults, 2, "POST", "/v1/access_token") == "x."


def test_of_several_rules_the_first_that_is_due_strikes() -> None:
    faults = Faults()
    faults.add("*", "*", DROP, times=1)
    faults.add("*", "*", Reset(), times=3)

    actions = [faults.strike("GET", "/") for _ in range(4)]

    assert actions == [Drop(), Reset(), Reset(), None]


def test_cleared_rules_strike_no_more() -> None:
    faults = Faults()
    faults.add("*", "*", DROP, times=None)

    faults.clear()

    assert strikes(faults, 2) == ".."


def test_a_rule_survives_its_way_through_json() -> None:
    rule = FaultRule(action=Answer(status=503, headers={"Retry-After": "5"}), path="/v1/*")

    assert msgspec.json.decode(msgspec.json.encode(rule), type=FaultRule) == rule


IMPOSSIBLE = [
    ({"type": "answer", "status": 99}, "status"),
    ({"type": "answer", "status": 100}, "status"),
    ({"type": "answer", "status": 600}, "status"),
    ({"type": "answer", "status": 1000}, "status"),
    ({"type": "answer", "status": "200"}, "status"),
    ({"type": "answer", "status": 204, "text": "{}"}, "no body"),
    ({"type": "answer", "status": 304, "body": "e30="}, "no body"),
    ({"type": "answer", "headers": {"x": "a\r\nSet-Cookie: b=c"}}, "header x"),
    ({"type": "answer", "headers": {"x": "a\n"}}, "header x"),
    ({"type": "answer", "headers": {"x": "\u20ac"}}, "header x"),
    ({"type": "answer", "headers": {"x\r\ny": "a"}}, "name of a header"),
    ({"type": "answer", "headers": {"": "a"}}, "name of a header"),
    ({"type": "answer", "headers": {"x:": "a"}}, "name of a header"),
    ({"type": "answer", "headers": {"Content-Length": "1"}}, "Content-Length"),
    ({"type": "answer", "headers": {"transfer-encoding": "chunked"}}, "transfer-encoding"),
    ({"type": "answer", "content_type": "text/html\r\nx: y"}, "content-type"),
    ({"type": "delay", "seconds": -1}, "seconds"),
    ({"type": "delay", "seconds": 1e9}, "seconds"),
    ({"type": "hang", "limit_seconds": -0.5}, "limit_seconds"),
    ({"type": "slow", "piece_bytes": 0}, "piece_bytes"),
    ({"type": "slow", "piece_bytes": -1}, "piece_bytes"),
    ({"type": "slow", "pause_seconds": -1}, "pause_seconds"),
    ({"type": "truncate", "kept_bytes": -1}, "kept_bytes"),
    ({"type": "huge", "size_bytes": -1}, "size_bytes"),
    ({"type": "gzip_bomb", "size_bytes": 10**18}, "size_bytes"),
    (
        {"type": "next_link", "to": "self", "foreign_origin": "http://a\r\nx: y"},
        "foreign_origin",
    ),
    (
        {"type": "next_link", "to": "self", "foreign_origin": "http://a>; rel=x"},
        "foreign_origin",
    ),
    ({"type": "next_link", "to": "self", "foreign_origin": "http://a\\1"}, "foreign_origin"),
    ({"type": "after_commit", "then": {"type": "answer", "status": 99}}, "status"),
    ({"type": "after_commit", "then": {"type": "slow"}}, "slow"),
    ({"type": "raw", "data": "no base64!"}, "base64"),
    ({"type": "drop", "seconds": 1}, "seconds"),
    ({"type": "explode"}, "explode"),
    ({}, "type"),
]


@pytest.mark.parametrize(("action", "reason"), IMPOSSIBLE)
def test_an_action_that_cannot_be_carried_out_is_refused_with_the_reason(
    emulator: Emulator, wire: Wire, action: dict[str, Any], reason: str
) -> None:
    headers = {"Content-Type": "application/json"}

    answer = wire.send("POST", "/_emulator/faults", json.dumps({"action": action}), headers)

    assert answer.status == 400
    assert reason in answer.json["message"]
    assert emulator.faults.rules == ()


@pytest.mark.parametrize(
    ("rule", "reason"),
    [
        ({"after": -1}, "after"),
        ({"times": 0}, "times"),
        ({"times": -1}, "times"),
        ({"times": 1.5}, "times"),
        ({"method": "get"}, "method"),
        ({"method": ""}, "method"),
        ({"path": "v1/rooms"}, "path"),
        ({"path": ""}, "path"),
        ({"tmies": 1}, "tmies"),
    ],
)
def test_a_rule_that_can_never_strike_is_refused_with_the_reason(
    wire: Wire, rule: dict[str, Any], reason: str
) -> None:
    body = json.dumps({"action": {"type": "drop"}, **rule})

    answer = wire.send("POST", "/_emulator/faults", body, {"Content-Type": "application/json"})

    assert answer.status == 400
    assert reason in answer.json["message"]


@pytest.mark.parametrize(
    "action",
    [Delay(float("nan")), Delay(float("inf")), Hang(float("nan")), Answer(status=42), Huge(-1)],
)
def test_a_rule_from_python_is_checked_too(action: Action) -> None:
    faults = Faults()

    with pytest.raises(ValueError, match="Expected"):
        faults.add("GET", "/v1/rooms", action)

    assert faults.rules == ()
