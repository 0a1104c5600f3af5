"""What is planned for a caller, for every combination of what can be the case."""

import itertools
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given, strategies as st
from msgspec.structs import replace
from unit.vault.fakes import NOW, alice, tokens

from webex_oauth.secret import Secret
from webex_oauth.vault.plan import (
    Claim,
    Held,
    Plan,
    Reauthorize,
    Renewal,
    Serve,
    Situation,
    TakeBack,
    Wait,
    plan,
    plan_renewal,
    seconds_left,
)
from webex_oauth.vault.records import Grant, Lease, Trouble, digest
from webex_oauth.vault.rows import Entry
from webex_oauth.vault.token_endpoint import Cooling

LIFE_SECONDS = 1_000_000
ACCESS, REFRESH = Secret("access"), Secret("refresh")
ME, OTHER = b"me", b"other"
MIN_TTL_SECONDS = 60

ACCESS_LEFT = {"living": 999_000, "soft": 40_000, "hard": 60, "over": 0, "endless": None}
LEASES = {
    "none": None,
    "mine": Lease(ME, NOW + 10),
    "other": Lease(OTHER, NOW + 10),
    "lapsed": Lease(OTHER, NOW),
}
ROTATES = {"learned": True, "unlearned": False, "unknown": None}
COOLING = {
    "none": Trouble(),
    "passed": Trouble(failure_count=3, retry_at=NOW),
    "failed": Trouble(failure_count=3, retry_at=NOW + 9),
    "asked": Trouble(failure_count=0, retry_at=NOW + 9),
    "absurd": Trouble(failure_count=3, retry_at=NOW + 90_000),
}
QUIET = Cooling(NOW + 5, is_throttled=False)


@dataclass(frozen=True)
class Case:
    """One combination, in words."""

    access: str = "over"
    lease: str = "none"
    rotates: str = "unknown"
    server_rotates: bool = False
    presented: int = 0
    cooling: str = "none"
    endpoint: Cooling | None = None
    reason: str = "none"
    refresh: str = "good"
    rescued: bool = False

    @property
    def held(self) -> Held:
        """The grant that the words describe."""
        left = ACCESS_LEFT[self.access]
        grant = replace(
            aged(left, issued_at=NOW - 1_000 if left is None else NOW + left - LIFE_SECONDS),
            version=2,
            rotates=ROTATES[self.rotates],
            reauth_reason="written" if self.reason == "written" else None,
            lease=LEASES[self.lease],
            trouble=replace(COOLING[self.cooling], presented_count=self.presented),
        )
        refresh = None if self.refresh == "missing" else REFRESH
        ends_at = NOW if self.refresh == "over" else NOW + 1
        grant = replace(
            grant,
            tokens=replace(grant.tokens, refresh_token=refresh, refresh_expires_at=ends_at),
        )
        row = replace(grant, version=1) if self.rescued else grant
        return Held(Entry(row, 7), grant)

    @property
    def situation(self) -> Situation:
        """What the process knows beside the row."""
        reason = "remembered" if self.reason == "remembered" else None
        return Situation(NOW, ME, self.server_rotates, self.endpoint, reason)

    @property
    def is_taken_for_rotating(self) -> bool:
        """Whether the refresh token may be spent by a refresh."""
        return self.rotates == "learned" or (self.rotates == "unknown" and self.server_rotates)


SITUATION = Case().situation
ALL = [
    Case(*combination)
    for combination in itertools.product(
        ACCESS_LEFT,
        LEASES,
        ROTATES,
        (False, True),
        (0, 1, 2),
        COOLING,
        (None, QUIET),
        ("none", "written", "remembered"),
        ("good", "missing", "over"),
        (False, True),
    )
]


def aged(left: int | None, *, issued_at: int, access: Secret = ACCESS) -> Grant:
    """Return a grant whose access token lives *left* seconds more."""
    fresh = replace(tokens(lives_for=left, refresh=REFRESH.reveal()), access_token=access)
    return alice(fresh, issued_at)


def holding(grant: Grant, **changes: Any) -> Held:
    grant = replace(grant, **changes)
    return Held(Entry(grant, 7), grant)


def decided(case: Case) -> Renewal:
    """Decide by the table: the first line that fits."""
    is_spent = case.is_taken_for_rotating and case.presented >= 2
    table: list[tuple[bool, Renewal]] = [
        (case.reason == "written", Reauthorize("written", is_written=True)),
        (case.refresh == "missing", Reauthorize("refresh_token_missing")),
        (case.rescued, Cooling(NOW + 1, is_throttled=False)),
        (case.lease == "other", Wait()),
        (case.lease == "mine", TakeBack()),
        (case.reason == "remembered", Reauthorize("remembered")),
        (is_spent, Reauthorize("refresh_ambiguous")),
        (case.cooling == "failed", Cooling(NOW + 9, is_throttled=False)),
        (case.cooling == "asked", Cooling(NOW + 9, is_throttled=True)),
        (case.endpoint is not None, QUIET),
        (case.lease == "lapsed", Claim(REFRESH, is_takeover=True)),
        (True, Claim(REFRESH)),
    ]
    return next(renewal for fits, renewal in table if fits)


def served(case: Case) -> Plan:
    """Decide for a caller who takes any token that lives a minute."""
    renewal = decided(case)
    can_renew = isinstance(renewal, Claim | TakeBack)
    match case.access:
        case "living" | "endless":
            return Serve(ACCESS)
        case "soft":
            return Serve(ACCESS, renews=can_renew)
        case "hard":
            return renewal if can_renew else Serve(ACCESS)
    return renewal


@pytest.mark.check("B06", "B09", "B11", "B22")
def test_every_combination_is_planned_as_the_table_says() -> None:
    cases = [case for case in ALL if case.access == "living"]

    wrong = [case for case in cases if plan_renewal(case.held, case.situation) != decided(case)]

    assert wrong == []


@pytest.mark.check("B06")
def test_every_caller_is_served_as_the_table_says() -> None:
    wrong = [
        case for case in ALL if plan(case.held, case.situation, MIN_TTL_SECONDS) != served(case)
    ]

    assert wrong == []


def test_the_table_needs_every_line() -> None:
    outcomes = {type(decided(case)) for case in ALL}

    assert outcomes == {Claim, TakeBack, Wait, Cooling, Reauthorize}
    assert len(ALL) == 5 * 4 * 3 * 2 * 3 * 5 * 2 * 3 * 3 * 2


@pytest.mark.parametrize(
    ("left", "expected"),
    [
        (61, Serve(ACCESS, renews=True)),
        (60, Claim(REFRESH)),
        (1, Claim(REFRESH)),
        (0, Claim(REFRESH)),
        (-1_000, Claim(REFRESH)),
    ],
)
def test_a_token_must_live_beyond_what_its_caller_needs(left: int, expected: Plan) -> None:
    held = holding(aged(left, issued_at=NOW + left - LIFE_SECONDS))

    assert plan(held, SITUATION, MIN_TTL_SECONDS) == expected


@pytest.mark.parametrize(("needed", "expected"), [(99, Serve), (100, Claim), (101, Claim)])
def test_a_young_token_may_live_too_short(needed: int, expected: type[Plan]) -> None:
    held = holding(aged(100, issued_at=NOW))

    assert isinstance(plan(held, SITUATION, needed), expected)


def is_renewed_at(grant: Grant, now: int) -> bool:
    endless = replace(grant.tokens, refresh_expires_at=None)
    step = plan(holding(grant, tokens=endless), replace(SITUATION, now=now), MIN_TTL_SECONDS)
    return isinstance(step, Serve) and step.renews


@pytest.mark.check("B06")
@given(access=st.text(min_size=1, max_size=40), life_seconds=st.integers(10_000, 10_000_000))
def test_a_renewal_begins_between_85_and_95_percent_of_a_life(
    access: str, life_seconds: int
) -> None:
    grant = aged(life_seconds, issued_at=NOW, access=Secret(access))

    begins = [is_renewed_at(grant, NOW + life_seconds * percent // 100) for percent in (84, 96)]

    assert begins == [False, True]


@pytest.mark.check("B06")
def test_renewals_are_spread_by_their_tokens_and_begin_at_the_same_time_everywhere() -> None:
    begins = set()
    for number in range(200):
        token = Secret(f"token {number}")
        grant = aged(1_000_000, issued_at=NOW, access=token)
        permille = 850 + int.from_bytes(digest(token)[-2:], "big") % 101
        begins_at = NOW + permille * 1_000
        assert [is_renewed_at(grant, at) for at in (begins_at - 1, begins_at)] == [False, True]
        begins.add(permille)

    assert len(begins) > 50
    assert 850 <= min(begins) < max(begins) <= 950


@pytest.mark.parametrize(("ahead", "renews"), [(86_400, False), (86_401, True)])
def test_a_token_that_a_wrong_clock_dated_is_renewed(ahead: int, *, renews: bool) -> None:
    held = holding(aged(None, issued_at=NOW + ahead))

    assert plan(held, SITUATION, 60) == Serve(ACCESS, renews=renews)


@pytest.mark.check("B09")
@pytest.mark.parametrize(
    ("lasts", "expected"),
    [
        (-1, Claim(REFRESH, is_takeover=True)),
        (0, Claim(REFRESH, is_takeover=True)),
        (1, Wait()),
        (60, Wait()),
        (61, Claim(REFRESH, is_takeover=True)),
    ],
)
def test_a_lease_lapses_at_its_end_or_when_a_wrong_clock_wrote_it(
    lasts: int, expected: Renewal
) -> None:
    held = holding(Case().held.grant, lease=Lease(OTHER, NOW + lasts))

    assert plan_renewal(held, SITUATION) == expected


@pytest.mark.parametrize(("lasts", "left"), [(-5, 1), (0, 1), (2, 2), (60, 60), (90_000, 60)])
def test_a_lease_lasts_for_a_second_to_a_minute(lasts: int, left: int) -> None:
    assert seconds_left(Lease(OTHER, NOW + lasts), NOW) == left
