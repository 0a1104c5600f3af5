"""A process that refreshes again and again is killed at the n-th time it waits for its disk.

What had been written counts for whoever opens the file when nobody has it open; for one who has it
open all along, what was not told to be written did not happen. Both are tried.
"""

import asyncio
import os
import sys
from collections import Counter
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path
from signal import SIGKILL

import msgspec
import pytest
from contracts.tracing import injecting, needs_strace
from peers.registration import settings_of
from peers.signing_in import signed_in
from services.sqlite import integrity
from storm.clock_file import ClockFile
from storm.crowd import Job
from storm.local_webex import MOST_PRESENTED, LocalWebex, ask, running_local_webex
from torture import IS_TORTURE
from waiting import LIMIT_SECONDS

from webex_oauth.emulator.conditions import RefreshMode
from webex_oauth.errors import ReauthReason
from webex_oauth.integration import Integration, open_integration
from webex_oauth.vault.grants import Grant
from webex_oauth.vault.plan import Timing

pytestmark = [pytest.mark.anyio, pytest.mark.check("B10", "B07", "H07"), needs_strace()]

TESTS = Path(__file__).parent.parent
PROGRAM = Path(__file__).parent / "programs" / "refresh_again.py"
NOW = 1_800_000_000
TOKEN_SECONDS = Timing().lease_seconds
LAPSED_SECONDS = Timing().lease_seconds + 1
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
class Scene:
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

    def opened(self) -> AbstractAsyncContextManager[Integration]:
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
    """Let a process die at its *sync*-th wait, and another ask for the token after its lease."""
    clock = ClockFile(new(folder) / "clock")
    clock.set(NOW)
    with running_local_webex(mode, access_token_seconds=TOKEN_SECONDS) as webex:
        scene = Scene(webex, folder, clock)
        async with scene.opened() as integration:
            grant = await refreshed_once(integration, webex)
            if is_watched:
                told_count = await die_at(sync, scene, grant.key)
                return await look(integration, scene, grant, told_count)
        told_count = await die_at(sync, scene, grant.key)
        async with scene.opened() as integration:
            return await look(integration, scene, grant, told_count)


def new(folder: Path) -> Path:
    """Make a folder."""
    folder.mkdir()
    return folder


async def refreshed_once(integration: Integration, webex: LocalWebex) -> Grant:
    """Sign in, and learn whether refresh tokens rotate; return the grant."""
    key = await signed_in(integration, webex.allow)
    await integration.vault.access_token(key)
    webex.emulator.journal.clear()
    return await grant_of(integration, key)


async def grant_of(integration: Integration, key: bytes) -> Grant:
    found = await integration.context.ledger.find_grant(key)
    assert found is not None
    return found.record


async def die_at(sync: int, scene: Scene, key: bytes) -> int:
    """Refresh until the disk is waited for that often; say how many refreshes were told of."""
    clock_file = str(scene.folder / "clock")
    registration, folder = scene.webex.registration, str(scene.folder)
    job = Job(registration, scene.store_url, folder, key, 1, clock_file)
    process = await asyncio.create_subprocess_exec(
        *injecting("fdatasync,fsync", f"signal=SIGKILL:when={sync}"),
        sys.executable,
        str(PROGRAM),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(TESTS)},
    )
    async with asyncio.timeout(LIMIT_SECONDS):
        told, _ = await process.communicate(msgspec.json.encode(job) + b"\n")
    assert process.returncode == -SIGKILL
    return told.count(b"refreshed\n")


async def look(integration: Integration, scene: Scene, before: Grant, told_count: int) -> Outcome:
    """See what is in the grant and what was presented; ask when the lease is over, and again."""
    committed_count = (await grant_of(integration, before.key)).version - before.version
    presented_count = scene.presented_count
    assert committed_count >= told_count
    assert integrity(scene.database) == "ok"
    scene.clock.set(NOW + LAPSED_SECONDS)
    scene.webex.let_tokens_live()
    reasons = {await ask(integration, before.key, scene.webex) for _ in range(3)}

    (reason,) = reasons
    is_in_flight = bool(presented_count - committed_count)
    assert presented_count - committed_count <= 1
    assert not scene.webex.is_rotating or max(scene.webex.presentations()) <= MOST_PRESENTED
    assert (await grant_of(integration, before.key)).lease is None
    return Outcome(is_in_flight, scene.presented_count - presented_count, reason)
