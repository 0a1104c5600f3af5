"""A process is killed at one point of a refresh; another asks for the token after the lease.

The outcomes are one table, for every database; the local Webex counts what was presented.
"""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from signal import SIGKILL, SIGXFSZ

import pytest
from crashes.outages import ProxyThread, behind_proxy
from peers.registration import settings_of
from peers.signing_in import signed_in
from services.fault_proxy import FaultProxy
from storm.callers import Job, start_program
from storm.clock_file import ClockFile
from storm.fixtures import NOW
from storm.local_webex import TOKEN_PATH, LocalWebex, ask
from torture import IS_TORTURE
from waiting import LIMIT_SECONDS

from webex_oauth.emulator import AfterCommit
from webex_oauth.errors import ReauthReason
from webex_oauth.integration import OpenIntegration, open_integration
from webex_oauth.vault.ledger import Ledger
from webex_oauth.vault.plan import Timing

pytestmark = [pytest.mark.anyio, pytest.mark.check("B07", "B10")]

PROGRAM = Path(__file__).parent / "programs" / "refresh_and_die.py"
FORTNIGHT_AND_A_DAY = 15 * 86_400


@dataclass(frozen=True, slots=True)
class Outcome:
    """How often the refresh token came in all, and why the person is needed, if so."""

    presented: int
    reason: str | None = None


RECOVERED = Outcome(presented=1)
REPLAYED = Outcome(presented=2)
LOST = Outcome(presented=2, reason=ReauthReason.REFRESH_AMBIGUOUS)
"""Spent by the one who died, and refused to the one replay that is ever made."""

OUTCOMES: dict[str, tuple[Outcome, Outcome]] = {
    # Killed there: what comes of it where refresh tokens stay the same, and where they are spent.
    "before_claim": (RECOVERED, RECOVERED),
    "after_claim": (RECOVERED, RECOVERED),
    "after_send": (REPLAYED, LOST),
    "after_answer": (REPLAYED, LOST),
    "during_commit, not on the disk": (REPLAYED, LOST),
    "during_commit, in the database": (RECOVERED, RECOVERED),
    "after_commit": (RECOVERED, RECOVERED),
}
PAIRS = (
    list(product(("sqlite", "postgres", "redis"), ("same", "rotate", "reuse-detect")))
    if IS_TORTURE
    else [
        ("sqlite", "same"),
        ("sqlite", "reuse-detect"),
        ("postgres", "same"),
        ("redis", "reuse-detect"),
    ]
)
"""Where the grant is, and what a refresh does to its refresh token."""

POINTS = list(dict.fromkeys(point.partition(",")[0] for point in OUTCOMES))


def expected(point: str, store_url: str, *, is_rotating: bool) -> Outcome:
    """Return what is expected."""
    if point == "during_commit":
        is_file = store_url.startswith("sqlite:")
        point += ", not on the disk" if is_file else ", in the database"
    return OUTCOMES[point][is_rotating]


@dataclass(frozen=True, slots=True)
class Victim:
    """A grant whose access token has ended, and the job of a process that refreshes it."""

    integration: OpenIntegration
    webex: LocalWebex
    clock: ClockFile
    job: Job

    async def outlive(self, point: str) -> int:
        """Kill a process at *point*, and wait out its lease; return its exit code."""
        exit_code = await die(replace(self.job, point=point), self.integration.context.ledger)
        self.clock.set(self.clock() + Timing().lease_seconds + 1)
        return exit_code

    async def ask(self) -> str | None:
        """Ask for an access token."""
        return await ask(self.integration, self.job.grant_key, self.webex)


@pytest.fixture
async def victim(
    webex: LocalWebex, place: str, clock: ClockFile, tmp_path: Path
) -> AsyncIterator[Victim]:
    """Sign in and refresh once, so that it is known whether refresh tokens rotate."""
    settings = settings_of(webex.registration, place, tmp_path)
    async with open_integration(settings, clock=clock) as integration:
        key = await signed_in(integration, webex.allow)
        clock.set(NOW + FORTNIGHT_AND_A_DAY)
        await integration.vault.access_token(key)
        clock.set(NOW + 2 * FORTNIGHT_AND_A_DAY)
        webex.emulator.journal.clear()
        job = Job(webex.registration, place, str(tmp_path), key, 1, str(tmp_path / "clock"))
        yield Victim(integration, webex, clock, job)


@pytest.mark.torture
@pytest.mark.parametrize(("place", "webex"), PAIRS, indirect=True)
@pytest.mark.parametrize("point", POINTS)
async def test_a_process_that_dies_there_costs_no_more_than_the_table_says(
    point: str, victim: Victim, webex: LocalWebex, place: str
) -> None:
    if point == "after_send":
        webex.emulator.faults.add("POST", TOKEN_PATH, AfterCommit())

    exit_code = await victim.outlive(point)
    reasons = [await victim.ask() for _ in range(3)]

    wanted = expected(point, place, is_rotating=webex.is_rotating)
    assert exit_code in (-SIGKILL, -SIGXFSZ)
    assert reasons == 3 * [wanted.reason]
    assert webex.presentations() == [wanted.presented]


@pytest.mark.parametrize("webex", ["reuse-detect"], indirect=True)
@pytest.mark.parametrize("place", ["sqlite"], indirect=True)
async def test_a_person_whose_grant_was_lost_to_a_death_signs_in_again(
    victim: Victim, webex: LocalWebex
) -> None:
    await victim.outlive("after_answer")
    assert await victim.ask() == LOST.reason

    again = await signed_in(victim.integration, webex.allow)

    assert again == victim.job.grant_key
    assert await victim.ask() is None


async def die(job: Job, ledger: Ledger) -> int:
    """Run a process that refreshes until it dies at the job's point; return its exit code.

    *ledger* is at the same place, and shows what has arrived there.
    """
    if job.point == "during_commit" and not job.store_url.startswith("sqlite:"):
        with behind_proxy(job.store_url) as (proxy, url):
            return await die_before_the_answer(replace(job, store_url=url), proxy, ledger)
    process = await start_program(PROGRAM, job)
    async with asyncio.timeout(LIMIT_SECONDS):
        return await process.wait()


async def die_before_the_answer(job: Job, proxy: ProxyThread, ledger: Ledger) -> int:
    """Kill a process when what it commits has arrived and it cannot know."""
    old = await version(ledger, job.grant_key)
    process = await start_program(PROGRAM, job)
    assert process.stdin is not None
    assert process.stdout is not None
    async with asyncio.timeout(LIMIT_SECONDS):
        assert await process.stdout.readline() == b"committing\n"
        proxy.let(FaultProxy.drops_answers)
        process.stdin.write(b"go on\n")
        while await version(ledger, job.grant_key) == old:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        process.kill()
        return await process.wait()


async def version(ledger: Ledger, key: bytes) -> int:
    found = await ledger.find_grant(key)
    assert found is not None
    return found.record.version
