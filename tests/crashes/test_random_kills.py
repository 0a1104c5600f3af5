"""Processes under load are killed at random moments, again and again; then another one looks.

Every death leaves what a real one leaves: leases, sign-ins cut short, tokens in the spool.
"""

import os
import random
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from contracts.places import PLACES
from crashes.aftermath import Aftermath, Fate, spooled
from crashes.workers import LAPSED_SECONDS, WORKER_COUNT, Deaths, Errand, Workplace, deaths
from ledgers import grants, marks, revocations
from storm.clock_file import ClockFile
from storm.local_webex import MOST_PRESENTED, TOKEN_PATH, LocalWebex, running_local_webex
from torture import IS_TORTURE, size

from webex_oauth.emulator import Delay, Slow
from webex_oauth.errors import ReauthReason
from webex_oauth.flows.sign_in import ATTEMPT_SECONDS
from webex_oauth.integration import open_integration
from webex_oauth.vault.plan import Timing
from webex_oauth.vault.records import MARK_KEPT_SECONDS, Lease

pytestmark = [pytest.mark.anyio, pytest.mark.check("H07", "B10", "B09")]

KILL_COUNT = size(5, torture=200)
KINDS = ("sqlite", "postgres", "redis") if IS_TORTURE else ("sqlite",)
LEASE_SECONDS = Timing().lease_seconds
TOKEN_SECONDS = LEASE_SECONDS
"""An access token that ends so soon is renewed whenever it is asked for, and over with a lease."""

PEOPLE_COUNT = 12
BROWSER_COUNT = 4
SLOWLY = Slow(piece_bytes=300, pause_seconds=0.03)
"""How the token endpoint answers: it has spent the refresh token, and the answer is on its way."""

LATER = Delay(0.05)
"""How the revocation endpoint answers, so that some processes die before it did anything."""

FORGIVABLE = {"StoreUnavailable", "RefreshPostponed"}
"""Errors that pass: a database that was made to refuse, for one."""


@pytest.fixture
def seed() -> int:
    """Return what makes chance repeatable; shown when the test fails."""
    seed = int(os.environ.get("SEED") or random.SystemRandom().randrange(1_000_000))
    print(f"SEED={seed}")  # noqa: T201 - pytest shows it with a failure
    return seed


@pytest.fixture(params=KINDS)
async def place(request: pytest.FixtureRequest) -> AsyncIterator[str]:
    async with PLACES[request.param](request) as url:
        yield url


@pytest.fixture(params=["same", "reuse-detect"])
def webex(request: pytest.FixtureRequest) -> Iterator[LocalWebex]:
    with running_local_webex(request.param, access_token_seconds=TOKEN_SECONDS) as webex:
        yield webex


@pytest.fixture
def workplace(webex: LocalWebex, place: str, clock: ClockFile, tmp_path: Path) -> Workplace:
    world = webex.emulator.world
    people = [replace(person, can_sign_in=True) for person in world.people[-PEOPLE_COUNT:]]
    webex.emulator.faults.add("POST", TOKEN_PATH, SLOWLY, times=None)
    webex.emulator.faults.add("POST", "*/revoke", LATER, times=None)
    errand = Errand(
        registration=webex.registration,
        store_url=place,
        folder=str(tmp_path),
        clock_file=str(tmp_path / "clock"),
        emails=tuple(world.add_person(person).email for person in people),
        is_rotating=webex.is_rotating,
        browser_count=BROWSER_COUNT,
    )
    return Workplace(webex, errand, clock)


@pytest.mark.torture
async def test_deaths_cost_no_more_than_what_was_under_way(
    workplace: Workplace, seed: int, seen: Callable[[str, str], None]
) -> None:
    died = await deaths(workplace, KILL_COUNT, seed)
    leased_until = workplace.clock() + LEASE_SECONDS
    workplace.time_passes(LAPSED_SECONDS)

    left = await what_is_left(workplace, died)

    check_reports(died)
    check_presentations(died, is_rotating=workplace.webex.is_rotating)
    check_fates(left, is_rotating=workplace.webex.is_rotating)
    assert all(lease.until <= leased_until for lease in left.leases)
    assert set(left.stays.values()) == {0}, left.stays
    assert (left.dead, left.ended) == (set(), died.reports.left)
    assert len(left.unreachable) <= died.reports.cut_short_count
    assert left.unreachable.isdisjoint(workplace.webex.refreshed_grants())
    seen(*summary(workplace, died, left))


@dataclass(frozen=True, slots=True)
class Left:
    """What a process finds that is opened after all have died.

    `leases` are on the grants as they were left. `later` is what became of the grants when each was
    asked for again. `dead` and `ended` are the sessions that are gone of those that should live,
    and of those that should be gone. `unreachable` are grants that live at Webex alone. `stays`
    counts what should not: files in the spool, leases, revocations, and marks whose time is over.
    """

    leases: list[Lease]
    fates: list[Fate]
    later: list[Fate]
    dead: set[str]
    ended: set[str]
    unreachable: set[str]
    stays: dict[str, int]


async def what_is_left(workplace: Workplace, died: Deaths) -> Left:
    """Return what the last process finds, which is not killed."""
    async with open_integration(workplace.errand.settings, clock=workplace.clock) as integration:
        aftermath, ledger = Aftermath(integration, workplace.webex), integration.context.ledger
        leases = [grant.lease for grant in await grants(ledger) if grant.lease]
        await aftermath.settle_spool()
        stays = {"files in the spool": len(spooled(workplace.spool))}
        fates, later = await aftermath.fates(), await aftermath.fates()
        await died.presentations.gather()
        dead = await aftermath.dead_sessions(died.reports.living)
        ended = await aftermath.dead_sessions(died.reports.left)
        stays["leases"] = sum(grant.lease is not None for grant in await grants(ledger))
        workplace.time_passes(ATTEMPT_SECONDS + MARK_KEPT_SECONDS + 1)
        await aftermath.revoke_all()
        stays["revocations"] = len(await revocations(ledger))
        await aftermath.sweep()
        stays["marks"] = len(await marks(ledger))
        unreachable = await aftermath.unreachable_grants()
    return Left(leases, fates, later, dead, ended, unreachable, stays)


def check_reports(died: Deaths) -> None:
    """Check that workers met no other errors, and that there was something to lose."""
    reports = died.reports
    assert reports.missing == set()
    assert set(reports.errors) <= FORGIVABLE
    assert reports.living
    assert reports.left
    assert reports.counts["used"] > died.kill_count


def check_presentations(died: Deaths, *, is_rotating: bool) -> None:
    """Check that no spent token came a third time, and none twice except for a death."""
    if not is_rotating:
        assert set(died.reports.reasons) <= {ReauthReason.GRANT_ENDED}
        return
    allowed = {ReauthReason.GRANT_ENDED, ReauthReason.REFRESH_AMBIGUOUS}
    assert set(died.reports.reasons) <= allowed
    assert max(died.presentations.counts.values(), default=0) <= MOST_PRESENTED
    assert died.presentations.repeated_count <= died.kill_count * BROWSER_COUNT


def check_fates(left: Left, *, is_rotating: bool) -> None:
    """Check that a good refresh token brings an access token, and any other a reason."""
    assert [fate.reason for fate in left.later] == [fate.reason for fate in left.fates]
    for fate in left.fates:
        if fate.reason is None:
            assert fate.is_good
            continue
        assert is_rotating
        assert fate.reason == ReauthReason.REFRESH_AMBIGUOUS
        assert fate.has_died_twice or not fate.is_held


def summary(workplace: Workplace, died: Deaths, left: Left) -> tuple[str, str]:
    """Return what was done, and what came of it."""
    kind = workplace.errand.store_url.partition(":")[0]
    mode = workplace.webex.emulator.options.refresh_mode
    lost_count = sum(fate.reason is not None for fate in left.fates)
    reports, presentations = died.reports, died.presentations
    facts = [
        f"{reports.counts['came']:,} sign-ins, {reports.counts['used']:,} uses",
        f"{presentations.counts.total():,} refreshes",
        f"{len(reports.living):,} sessions live, as told",
        f"{len(reports.left):,} are gone, as told",
        f"{died.spooled_count} tokens found in the spool, all stored",
        f"{len(left.unreachable)} of {reports.cut_short_count} sign-ins cut short left one behind",
    ]
    if workplace.webex.is_rotating:
        facts.append(f"{presentations.repeated_count} tokens came twice, none a third time")
        facts.append(f"{lost_count} of {len(left.fates)} people are needed in the end")
    else:
        facts.append(f"no token lost, all {len(left.fates)} grants live")
    what = f"{died.kill_count} kills at random moments, {WORKER_COUNT} processes, {kind}, `{mode}`"
    return what, "; ".join(facts)
