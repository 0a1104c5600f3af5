"""A process that refreshes again and again is killed at the n-th time it waits for its disk.

What was written counts for a process that opens the file when no other has it open. For one that
has had it open all along, what was not told to be written did not happen. Both are tried.
"""

import asyncio
from collections import Counter
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path
from signal import SIGKILL

import pytest
from contracts.tracing import injecting, needs_strace
from peers.registration import settings_of
from peers.signing_in import signed_in
from services.sqlite import integrity
from storm.callers import Job, start_program
from storm.clock_file import ClockFile
from storm.local_webex import MOST_PRESENTED, LocalWebex, ask, running_local_webex
from torture import IS_TORTURE
from waiting import LIMIT_SECONDS

from webex_oauth.emulator.conditions import RefreshMode
from webex_oauth.errors import ReauthReason
from webex_oauth.integration import OpenIntegration, open_integration
from webex_oauth.vault.plan import Timing
from webex_oauth.vault.records import Grant

pytestmark = [pytest.mark.anyio, pytest.mark.check("B10", "B07", "H07"), needs_strace()]

PROGRAM = Path(__file__).parent / "programs" / "refresh_again.py"
NOW = 1_800_000_000
TOKEN_SECONDS = Timing().lease_seconds
LAPSED_SECONDS = TOKEN_SECONDS + 1
SYNCS = range(1, 31) if IS_TORTURE else range(2, 5)
"""Which wait is the last: a claim and a commit each wait once, in turn."""

MODES: tuple[RefreshMode, ...] = ("same", "reuse-detect") if IS_TORTURE else ("reuse-detect",)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What was left, and what came of it.

    `is_in_flight`: the refresh token had been presented, and what it brought is not in the row.
    `presented_again` is how often it came after the death, `reason` why its person is needed.
    """

    is_in_flight: bool
    presented_again: int
    reason: str | None = None


KEPT = Outcome(is_in_flight=False, presented_again=1)
REPEATED = Outcome(is_in_flight=True, presented_again=1)
LOST = Outcome(is_in_flight=True, presented_again=1, reason=ReauthReason.REFRESH_AMBIGUOUS)
WORDS = {
    KEPT: "recovered with nothing in flight",
    REPEATED: "recovered by presenting the token again",
    LOST: "in need of the person",
}


@dataclass(frozen=True, slots=True)
class GrantFile:
    """A grant at a local Webex, in a file of its own."""

    webex: LocalWebex
    folder: Path
    clock: ClockFile

    @property
    def database(self) -> Path:
        """Where the grant is."""
        return self.folder / "data" / "webex.sqlite"

    @property
    def store_url(self) -> str:
        """The same, as a setting."""
        return f"sqlite:///{self.database}"

    @property
    def presented_count(self) -> int:
        """How often refresh tokens came until now."""
        return sum(self.webex.presentations())

    def opened(self) -> AbstractAsyncContextManager[OpenIntegration]:
        """Open the file."""
        settings = settings_of(self.webex.registration, self.store_url, self.folder)
        return open_integration(settings, clock=self.clock)


@pytest.mark.torture
@pytest.mark.parametrize("is_watched", [True, False], ids=["open elsewhere", "alone"])
@pytest.mark.parametrize("mode", MODES)
async def test_a_death_at_the_disk_costs_what_was_in_flight_and_no_more(
    mode: RefreshMode, *, is_watched: bool, tmp_path: Path, seen: Callable[[str, str], None]
) -> None:
    outcomes = [await outcome(mode, tmp_path / str(n), n, is_watched=is_watched) for n in SYNCS]

    in_flight = REPEATED if mode == "same" else LOST
    assert set(outcomes) == ({KEPT, in_flight} if is_watched else {KEPT})
    who = "beside another process" if is_watched else "alone"
    seen(
        f"killed at each of {len(SYNCS)} waits for the disk, {who}, `{mode}`",
        ", ".join(f"{count} {WORDS[each]}" for each, count in Counter(outcomes).items()),
    )


async def outcome(mode: RefreshMode, folder: Path, sync: int, *, is_watched: bool) -> Outcome:
    """Kill a process at its *sync*-th wait, and ask for the token in another after its lease."""
    clock = ClockFile(new(folder) / "clock")
    clock.set(NOW)
    with running_local_webex(mode, access_token_seconds=TOKEN_SECONDS) as webex:
        file = GrantFile(webex, folder, clock)
        async with file.opened() as integration:
            grant = await refreshed_once(integration, webex)
            if is_watched:
                reported_count = await die_at(sync, file, grant.key)
                return await look(integration, file, grant, reported_count)
        reported_count = await die_at(sync, file, grant.key)
        async with file.opened() as integration:
            return await look(integration, file, grant, reported_count)


def new(folder: Path) -> Path:
    """Make a folder."""
    folder.mkdir()
    return folder


async def refreshed_once(integration: OpenIntegration, webex: LocalWebex) -> Grant:
    """Sign in, and learn whether refresh tokens rotate; return the grant."""
    key = await signed_in(integration, webex.allow)
    await integration.vault.access_token(key)
    webex.emulator.journal.clear()
    return await grant_of(integration, key)


async def grant_of(integration: OpenIntegration, key: bytes) -> Grant:
    found = await integration.context.ledger.find_grant(key)
    assert found is not None
    return found.record


async def die_at(sync: int, file: GrantFile, key: bytes) -> int:
    """Refresh until the disk is waited for that often; say how many refreshes were told of."""
    clock_file = str(file.folder / "clock")
    registration, folder = file.webex.registration, str(file.folder)
    job = Job(registration, file.store_url, folder, key, 1, clock_file)
    tracer = injecting("fdatasync,fsync", f"signal=SIGKILL:when={sync}")
    process = await start_program(PROGRAM, job, under=tracer)
    async with asyncio.timeout(LIMIT_SECONDS):
        reports, _ = await process.communicate()
    assert process.returncode == -SIGKILL
    return reports.count(b"refreshed\n")


async def look(
    integration: OpenIntegration, file: GrantFile, before: Grant, reported_count: int
) -> Outcome:
    """See what is in the grant and what was presented; ask when the lease is over, and again."""
    committed_count = (await grant_of(integration, before.key)).version - before.version
    presented_count = file.presented_count
    assert committed_count >= reported_count
    assert integrity(file.database) == "ok"
    file.clock.set(NOW + LAPSED_SECONDS)
    file.webex.let_tokens_live()
    reasons = {await ask(integration, before.key, file.webex) for _ in range(3)}

    (reason,) = reasons
    is_in_flight = bool(presented_count - committed_count)
    assert presented_count - committed_count <= 1
    assert not file.webex.is_rotating or max(file.webex.presentations()) <= MOST_PRESENTED
    assert (await grant_of(integration, before.key)).lease is None
    return Outcome(is_in_flight, file.presented_count - presented_count, reason)
