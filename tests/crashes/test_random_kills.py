"""Processes under load are killed at random moments, again and again; then somebody looks.

Every death leaves what a real one leaves: leases, sign-ins cut short, tokens in the spool.
"""

import os
import random
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from contracts.places import PLACES
from crashes.aftermath import Aftermath, Fate
from crashes.workers import LAPSED_SECONDS, WORKER_COUNT, Errand, Scene, Told, deaths, settings_for
from storm.clock_file import ClockFile
from storm.local_webex import MOST_PRESENTED, TOKEN_PATH, LocalWebex, running_local_webex
from torture import IS_TORTURE, size

from webex_oauth.emulator import Delay, Slow
from webex_oauth.errors import ReauthReason
from webex_oauth.flows.sign_in import ATTEMPT_SECONDS
from webex_oauth.integration import open_integration
from webex_oauth.vault.grants import Grant
from webex_oauth.vault.plan import Timing
from webex_oauth.vault.records import MARK_KEPT_SECONDS

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
"""How the revocation endpoint answers, so that some die before it did anything."""

FORGIVABLE = {"StoreUnavailable", "RefreshPostponed"}
"""What may be told to somebody for the moment: a store that was made to refuse, for one."""


@pytest.fixture
def seed() -> int:
    """Choose what is random, or repeat it; shown when the test fails."""
    seed = int(os.environ.get("SEED") or random.SystemRandom().randrange(1_000_000))
    print(f"SEED={seed}")  # noqa: T201 - pytest shows it with a failure
    return seed


@pytest.fixture(params=KINDS)
async def place(request: pytest.FixtureRequest) -> AsyncIterator[str]:
    """Give the URL of a fresh and empty store, of each kind in turn."""
    async with PLACES[request.param](request) as url:
        yield url


@pytest.fixture(params=["same", "reuse-detect"])
def webex(request: pytest.FixtureRequest) -> Iterator[LocalWebex]:
    with running_local_webex(request.param, access_token_seconds=TOKEN_SECONDS) as webex:
        yield webex


@pytest.fixture
def scene(webex: LocalWebex, place: str, clock: ClockFile, tmp_path: Path) -> Scene:
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
    return Scene(webex, errand, clock)


@pytest.mark.torture
async def test_deaths_cost_no_more_than_what_was_under_way(
    scene: Scene, seed: int, seen: Callable[[str, str], None]
) -> None:
    told = await deaths(scene, KILL_COUNT, seed)
    leased_until = scene.clock() + LEASE_SECONDS
    scene.time_passes(LAPSED_SECONDS)

    left = await what_is_left(scene, told)

    check_words(told)
    check_presentations(told, is_rotating=scene.webex.is_rotating)
    check_fates(left, is_rotating=scene.webex.is_rotating)
    check_rows(left, leased_until)
    assert (left.dead, left.ended) == (set(), told.names("left"))
    assert len(left.unreachable) <= told.cut_short_count
    assert left.unreachable.isdisjoint(scene.webex.refreshed_grants())
    seen(*summary(scene, told, left))


@dataclass(frozen=True, slots=True)
class Left:
    """What one finds who comes after all have died.

    `grants` are they were left. `later` is what became of them when each was asked for
    again. `dead` and `ended` are the sessions that are gone of those that should live, and of
    those that should be gone. `unreachable` names grants that live at Webex alone. Of what `stays`
    there should be nothing: files in the spool, leases, revocations and attempts whose time is
    over.
    """

    grants: list[Grant]
    fates: list[Fate]
    later: list[Fate]
    dead: set[str]
    ended: set[str]
    unreachable: set[str]
    stays: dict[str, int]


async def what_is_left(scene: Scene, told: Told) -> Left:
    """Look as the last process of all, which lives for a while."""
    async with open_integration(settings_for(scene.errand), clock=scene.clock) as integration:
        aftermath = Aftermath(integration, scene.webex)
        grants = await aftermath.grants()
        stays = {"files in the spool": await aftermath.settle_spool(scene.spool)}
        fates, later = await aftermath.fates(), await aftermath.fates()
        await told.presentations.gather()
        dead = await aftermath.dead_sessions(told.names("living"))
        ended = await aftermath.dead_sessions(told.names("left"))
        stays["leases"] = await aftermath.lease_count()
        scene.time_passes(ATTEMPT_SECONDS + MARK_KEPT_SECONDS + 1)
        stays["revocations"] = await aftermath.revoke_all()
        stays["attempts"] = await aftermath.sweep()
        unreachable = await aftermath.unreachable_grants()
    return Left(grants, fates, later, dead, ended, unreachable, stays)


def check_words(told: Told) -> None:
    """Workers met nothing that they may not meet, and there was something to lose."""
    assert told.names("missing") == set()
    assert {error for ledger in told.ledgers for error in ledger.errors} <= FORGIVABLE
    assert told.names("living")
    assert told.names("left")
    assert told.count("used") > told.kill_count


def check_presentations(told: Told, *, is_rotating: bool) -> None:
    """No spent token came a third time, and none twice but for a death."""
    reasons = {reason for ledger in told.ledgers for reason in ledger.reasons}
    if not is_rotating:
        assert reasons <= {ReauthReason.GRANT_ENDED}
        return
    assert reasons <= {ReauthReason.GRANT_ENDED, ReauthReason.REFRESH_AMBIGUOUS}
    assert told.presentations.most <= MOST_PRESENTED
    assert told.presentations.repeated_count <= told.kill_count * BROWSER_COUNT


def check_fates(left: Left, *, is_rotating: bool) -> None:
    """Who holds a refresh token that is good gets an access token; who does not, is told why."""
    assert [fate.reason for fate in left.later] == [fate.reason for fate in left.fates]
    for fate in left.fates:
        if fate.reason is None:
            assert fate.is_good
            continue
        assert is_rotating
        assert fate.reason == ReauthReason.REFRESH_AMBIGUOUS
        assert fate.has_died_twice or not fate.is_held


def check_rows(left: Left, leased_until: int) -> None:
    """No lease lasts longer than one does, and nothing stays for ever."""
    leases = [grant.lease for grant in left.grants if grant.lease is not None]
    assert all(lease.until <= leased_until for lease in leases)
    assert set(left.stays.values()) == {0}, left.stays


def summary(scene: Scene, told: Told, left: Left) -> tuple[str, str]:
    """Tell what was done, and what came of it."""
    kind = scene.errand.store_url.partition(":")[0]
    mode = scene.webex.emulator.options.refresh_mode
    lost_count = sum(fate.reason is not None for fate in left.fates)
    facts = [
        f"{told.count('came'):,} sign-ins, {told.count('used'):,} uses",
        f"{told.presentations.total:,} refreshes",
        f"{len(told.names('living')):,} sessions live, as told",
        f"{len(told.names('left')):,} are gone, as told",
        f"{told.spooled_count} tokens found in the spool, all stored",
        f"{told.cut_short_count} sign-ins cut short, {len(left.unreachable)} left a grant at Webex",
    ]
    if scene.webex.is_rotating:
        facts.append(f"{told.presentations.repeated_count} tokens came twice, none a third time")
        facts.append(f"{lost_count} of {len(left.fates)} people are needed in the end")
    else:
        facts.append(f"no token lost, all {len(left.fates)} grants live")
    what = f"{told.kill_count} kills at random moments, {WORKER_COUNT} processes, {kind}, `{mode}`"
    return what, "; ".join(facts)
