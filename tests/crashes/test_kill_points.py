"""A process is killed at one point of a refresh; another asks for the token after the lease.

What is to come of it is one table, for every store; the local Webex counts what was presented.
"""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from signal import SIGKILL, SIGXFSZ
from urllib.parse import urlsplit

import msgspec
import pytest
from peers.registration import settings_of
from peers.signing_in import signed_in
from services.fault_proxy import FaultProxy, fault_proxy
from storm.clock_file import ClockFile
from storm.crowd import Job
from storm.fixtures import NOW
from storm.local_webex import TOKEN_PATH, LocalWebex, ask
from torture import IS_TORTURE
from waiting import LIMIT_SECONDS

from webex_oauth.emulator import AfterCommit
from webex_oauth.errors import ReauthReason
from webex_oauth.integration import Integration, open_integration
from webex_oauth.vault.ledger import Ledger
from webex_oauth.vault.plan import Timing

pytestmark = [pytest.mark.anyio, pytest.mark.check("B07", "B10")]

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
    """Look up what is to come of it."""
    if point == "during_commit":
        is_file = store_url.startswith("sqlite:")
        point += ", not on the disk" if is_file else ", in the database"
    return OUTCOMES[point][is_rotating]


@pytest.mark.torture
@pytest.mark.parametrize(("place", "webex"), PAIRS, indirect=True)
@pytest.mark.parametrize("point", POINTS)
async def test_a_process_that_dies_there_costs_no_more_than_the_table_says(
    point: str, webex: LocalWebex, place: str, clock: ClockFile, tmp_path: Path
) -> None:
    settings = settings_of(webex.registration, place, tmp_path)
    async with open_integration(settings, clock=clock) as integration:
        key = await signed_in(integration, webex.allow)
        await learn_whether_it_rotates(integration, key, clock)
        webex.emulator.journal.clear()
        if point == "after_send":
            webex.emulator.faults.add("POST", TOKEN_PATH, AfterCommit())
        job = doomed(webex, place, tmp_path, key)
        exit_code = await die_refreshing(replace(job, point=point), integration.context.ledger)
        clock.set(clock() + Timing().lease_seconds + 1)
        reasons = [await ask(integration, key, webex) for _ in range(3)]

    wanted = expected(point, place, is_rotating=webex.is_rotating)
    assert exit_code in (-SIGKILL, -SIGXFSZ)
    assert reasons == 3 * [wanted.reason]
    assert webex.presentations() == [wanted.presented]


@pytest.mark.parametrize("webex", ["reuse-detect"], indirect=True)
@pytest.mark.parametrize("place", ["sqlite"], indirect=True)
async def test_whom_a_death_has_cost_the_grant_is_signed_in_anew(
    webex: LocalWebex, place: str, clock: ClockFile, tmp_path: Path
) -> None:
    settings = settings_of(webex.registration, place, tmp_path)
    async with open_integration(settings, clock=clock) as integration:
        key = await signed_in(integration, webex.allow)
        await learn_whether_it_rotates(integration, key, clock)
        job = doomed(webex, place, tmp_path, key)
        await die_refreshing(replace(job, point="after_answer"), integration.context.ledger)
        clock.set(clock() + Timing().lease_seconds + 1)
        await ask(integration, key, webex)

        again = await signed_in(integration, webex.allow)

        assert again == key
        assert await ask(integration, key, webex) is None


def doomed(webex: LocalWebex, place: str, folder: Path, key: bytes) -> Job:
    """Write what a process is told that refreshes this grant."""
    return Job(webex.registration, place, str(folder), key, 1, str(folder / "clock"))


async def learn_whether_it_rotates(integration: Integration, key: bytes, clock: ClockFile) -> None:
    """Refresh once in peace; afterwards the access token is over once more."""
    clock.set(NOW + FORTNIGHT_AND_A_DAY)
    await integration.vault.access_token(key)
    clock.set(NOW + 2 * FORTNIGHT_AND_A_DAY)


TESTS = Path(__file__).parent.parent
PROGRAM = Path(__file__).parent / "programs" / "refresh_and_die.py"


async def die_refreshing(job: Job, ledger: Ledger) -> int:
    """Let a process refresh until it dies at the job's point; give its exit code.

    *ledger* lies at the same place, so that one sees what has arrived there.
    """
    if job.point == "during_commit" and not job.store_url.startswith("sqlite:"):
        async with before(job.store_url) as (proxy, url):
            return await _die_before_the_answer(replace(job, store_url=url), proxy, ledger)
    process = await _start(job)
    async with asyncio.timeout(LIMIT_SECONDS):
        return await process.wait()


@asynccontextmanager
async def before(store_url: str) -> AsyncIterator[tuple[FaultProxy, str]]:
    """Run a fault proxy before the server of a store; give the URL that leads through it."""
    port = urlsplit(store_url).port
    assert port is not None
    async with fault_proxy(port) as proxy:
        yield proxy, store_url.replace(f":{port}/", f":{proxy.port}/")


async def _die_before_the_answer(job: Job, proxy: FaultProxy, ledger: Ledger) -> int:
    """Kill it when what it commits has arrived and it cannot know."""
    old = await _version(ledger, job.grant_key)
    process = await _start(job)
    assert process.stdin is not None
    assert process.stdout is not None
    async with asyncio.timeout(LIMIT_SECONDS):
        assert await process.stdout.readline() == b"committing\n"
        await proxy.drops_answers()
        process.stdin.write(b"go on\n")
        while await _version(ledger, job.grant_key) == old:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        process.kill()
        return await process.wait()


async def _version(ledger: Ledger, key: bytes) -> int:
    found = await ledger.find_grant(key)
    assert found is not None
    return found.record.version


async def _start(job: Job) -> asyncio.subprocess.Process:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        str(PROGRAM),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(TESTS)},
    )
    assert process.stdin is not None
    process.stdin.write(msgspec.json.encode(job) + b"\n")
    return process
