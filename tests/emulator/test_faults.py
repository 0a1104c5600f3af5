"""The fault script says which request is struck."""

import msgspec
import pytest

from webex_oauth.emulator import Answer, Drop, FaultRule, Faults, Reset

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
