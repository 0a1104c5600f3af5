"""What is planned for a caller, for every combination of what can be the case."""

import itertools
from dataclasses import dataclass, replace
from typing import Any

import pytest
from hypothesis import given, strategies as st

from webex_oauth.errors import RateLimited, RefreshPostponed
from webex_oauth.oauth.token import TokenSet
from webex_oauth.secret import Secret
from webex_oauth.vault.cooldown import Cooling
from webex_oauth.vault.grants import Grant, Held
from webex_oauth.vault.plan import (
    Claim,
    CoolDown,
    Plan,
    Reauthorize,
    Renewal,
    Serve,
    ServeAndRenew,
    Situation,
    TakeBack,
    Wait,
    plan,
    plan_renewal,
    seconds_left,
)
from webex_oauth.vault.records import GrantRecord

NOW = 1_800_000_000
LIFE_SECONDS = 1_000_000
ACCESS, REFRESH = Secret("access"), Secret("refresh")
ME, SOMEBODY = b"me", b"somebody"
MIN_TTL_SECONDS = 60

ACCESS_LEFT = {"living": 999_000, "soft": 40_000, "hard": 60, "over": 0, "endless": None}
LEASES = {
    "none": (None, 0),
    "mine": (ME, NOW + 10),
    "other": (SOMEBODY, NOW + 10),
    "lapsed": (SOMEBODY, NOW),
}
ROTATES = {"learned": True, "unlearned": False, "unknown": None}
COOLING: dict[str, dict[str, Any]] = {
    "none": {},
    "passed": {"failure_count": 3, "retry_at": NOW},
    "failed": {"failure_count": 3, "retry_at": NOW + 9},
    "asked": {"failure_count": 0, "retry_at": NOW + 9},
    "absurd": {"failure_count": 3, "retry_at": NOW + 90_000},
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
        """The grant that the words tell of."""
        left = ACCESS_LEFT[self.access]
        expires_at = None if left is None else NOW + left
        issued_at = NOW - 1_000 if left is None else NOW + left - LIFE_SECONDS
        tokens = TokenSet(
            access_token=ACCESS,
            access_expires_at=expires_at,
            refresh_token=None if self.refresh == "missing" else REFRESH,
            refresh_expires_at=NOW if self.refresh == "over" else NOW + 1,
            scopes=None,
        )
        grant = Grant("https://idbroker.example", "alice", tokens, frozenset(), issued_at)
        grant = replace(grant, rotates=ROTATES[self.rotates])
        if self.reason == "written":
            grant = replace(grant, reauth_reason="written")
        owner, until = LEASES[self.lease]
        record = GrantRecord(
            key=b"alice",
            version=1,
            sealed=b"sealed",
            access_expires_at=expires_at,
            ends_at=None,
            lease_owner=owner,
            lease_until=until,
            presented_count=self.presented,
            **COOLING[self.cooling],
        )
        return Held(record, grant, is_rescued=self.rescued)

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


def decided(case: Case) -> Renewal:
    """Decide by the table: the first line that fits."""
    is_spent = case.is_taken_for_rotating and case.presented >= 2
    table: list[tuple[bool, Renewal]] = [
        (case.reason == "written", Reauthorize("written", is_written=True)),
        (case.refresh == "missing", Reauthorize("refresh_token_missing")),
        (case.rescued, CoolDown(Cooling(NOW + 1, is_throttled=False))),
        (case.lease == "other", Wait()),
        (case.lease == "mine", TakeBack()),
        (case.reason == "remembered", Reauthorize("remembered")),
        (is_spent, Reauthorize("refresh_ambiguous")),
        (case.cooling == "failed", CoolDown(Cooling(NOW + 9, is_throttled=False))),
        (case.cooling == "asked", CoolDown(Cooling(NOW + 9, is_throttled=True))),
        (case.endpoint is not None, CoolDown(QUIET)),
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
            return ServeAndRenew(ACCESS) if can_renew else Serve(ACCESS)
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

    assert outcomes == {Claim, TakeBack, Wait, CoolDown, Reauthorize}
    assert len(ALL) == 5 * 4 * 3 * 2 * 3 * 5 * 2 * 3 * 3 * 2


@pytest.mark.parametrize(
    ("left", "expected"),
    [(61, ServeAndRenew), (60, Claim), (1, Claim), (0, Claim), (-1_000, Claim)],
)
def test_a_token_must_live_beyond_what_its_caller_needs(left: int, expected: type[Plan]) -> None:
    case = Case(access="soft")
    tokens = replace(case.held.grant.tokens, access_expires_at=NOW + left)
    grant = replace(case.held.grant, tokens=tokens, issued_at=NOW + left - LIFE_SECONDS)

    step = plan(Held(case.held.record, grant), case.situation, MIN_TTL_SECONDS)

    assert isinstance(step, expected)


@pytest.mark.parametrize(("needed", "expected"), [(99, Serve), (100, Claim), (101, Claim)])
def test_a_young_token_may_live_too_short(needed: int, expected: type[Plan]) -> None:
    held = Case().held
    tokens = replace(held.grant.tokens, access_expires_at=NOW + 100)
    held = replace(held, grant=replace(held.grant, tokens=tokens, issued_at=NOW))

    assert isinstance(plan(held, SITUATION, needed), expected)


@pytest.mark.check("B06")
@given(seal=st.binary(min_size=2, max_size=40), life_seconds=st.integers(10_000, 10_000_000))
def test_a_renewal_begins_between_85_and_95_percent_of_a_life(
    seal: bytes, life_seconds: int
) -> None:
    held = Case(access="living").held
    tokens = replace(held.grant.tokens, access_expires_at=NOW + life_seconds)
    held = Held(
        replace(held.record, sealed=seal), replace(held.grant, tokens=tokens, issued_at=NOW)
    )

    begins = [is_renewed_at(held, NOW + life_seconds * percent // 100) for percent in (84, 96)]

    assert begins == [False, True]


@pytest.mark.check("B06")
@pytest.mark.parametrize(
    ("drawn", "permille"), [(0, 850), (1, 851), (100, 950), (101, 850), (0xFFFF, 937)]
)
def test_the_end_of_a_seal_says_when_its_renewal_begins(drawn: int, permille: int) -> None:
    held = Case(access="living").held
    tokens = replace(held.grant.tokens, access_expires_at=NOW + 1_000_000)
    record = replace(held.record, sealed=b"\xff" + drawn.to_bytes(2, "big"))
    held = Held(record, replace(held.grant, tokens=tokens, issued_at=NOW))
    begins_at = NOW + permille * 1_000

    assert [is_renewed_at(held, at) for at in (begins_at - 1, begins_at)] == [False, True]


@pytest.mark.parametrize(("ahead", "expected"), [(86_400, Serve), (86_401, ServeAndRenew)])
def test_a_token_that_a_wrong_clock_dated_is_renewed(ahead: int, expected: type[Plan]) -> None:
    held = Case(access="endless").held
    held = replace(held, grant=replace(held.grant, issued_at=NOW + ahead))

    assert isinstance(plan(held, SITUATION, 60), expected)


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
    held = Case().held
    record = replace(held.record, lease_owner=SOMEBODY, lease_until=NOW + lasts)

    assert plan_renewal(replace(held, record=record), SITUATION) == expected


@pytest.mark.parametrize(("lasts", "left"), [(-5, 1), (0, 1), (2, 2), (60, 60), (90_000, 60)])
def test_a_lease_lasts_for_a_second_to_a_minute(lasts: int, left: int) -> None:
    record = replace(Case().held.record, lease_owner=SOMEBODY, lease_until=NOW + lasts)

    assert seconds_left(record, NOW) == left


def is_renewed_at(held: Held, now: int) -> bool:
    endless = replace(held.grant.tokens, refresh_expires_at=None)
    held = replace(held, grant=replace(held.grant, tokens=endless))
    step = plan(held, replace(Case().situation, now=now), MIN_TTL_SECONDS)
    return isinstance(step, ServeAndRenew)


def test_a_token_of_unknown_age_is_served_to_its_end() -> None:
    held = Case(access="soft").held

    step = plan(replace(held, grant=replace(held.grant, issued_at=0)), Case().situation, 60)

    assert step == Serve(ACCESS)


def test_who_has_to_wait_is_told_why_and_how_long() -> None:
    asked = Cooling(NOW + 9, is_throttled=True).error(NOW)
    failed = Cooling(NOW + 9, is_throttled=False).error(NOW)

    assert isinstance(asked, RateLimited)
    assert isinstance(failed, RefreshPostponed)
    assert (asked.retry_after_seconds, failed.retry_after_seconds) == (9, 9)
