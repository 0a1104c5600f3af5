"""A process that has the lease stands still beyond it; another refreshes; then it goes on."""

import signal
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from peers.registration import settings_of
from peers.signing_in import signed_in
from storm.callers import Answers, Job, ask, caller_process
from storm.clock_file import ClockFile
from storm.fixtures import NOW
from storm.local_webex import LocalWebex, running_local_webex
from storm.programs.ask_together import name

from webex_oauth.integration import open_integration
from webex_oauth.vault.plan import Timing

pytestmark = [pytest.mark.anyio, pytest.mark.check("B09")]

EXPIRED_AT = NOW + 15 * 86_400
LAPSED_AT = EXPIRED_AT + Timing().lease_seconds + 1


@pytest.fixture
def webex() -> Iterator[LocalWebex]:
    with running_local_webex("reuse-detect") as webex:
        yield webex


@pytest.fixture
def job(webex: LocalWebex, place: str, clock: ClockFile, tmp_path: Path) -> Job:
    assert clock() == NOW
    file = str(tmp_path / "clock")
    return Job(webex.registration, place, str(tmp_path), b"", 5, clock_file=file, insists=True)


async def test_what_a_paused_holder_would_write_is_refused(
    webex: LocalWebex, job: Job, clock: ClockFile
) -> None:
    webex.emulator.change_options(refresh_mode="same")
    settings = settings_of(webex.registration, job.store_url, Path(job.folder))
    async with open_integration(settings, clock=clock) as integration:
        key = await signed_in(integration, webex.allow)
        first = await integration.vault.grant(key)
        by_holder, by_other = await overtaken(
            replace(job, grant_key=key, point="before_commit"), clock
        )
        kept = await integration.vault.grant(key)

    assert by_other == by_holder == Answers({name(kept.tokens.access_token): 5})
    assert kept.tokens.access_token != first.tokens.access_token
    assert webex.refresh_count() == 2
    assert kept.lease is None


async def test_a_holder_that_was_paused_before_it_asked_asks_no_more(
    webex: LocalWebex, job: Job, clock: ClockFile
) -> None:
    settings = settings_of(webex.registration, job.store_url, Path(job.folder))
    async with open_integration(settings, clock=clock) as integration:
        key = await signed_in(integration, webex.allow)
        by_holder, by_other = await overtaken(
            replace(job, grant_key=key, point="after_claim"), clock
        )
        kept = await integration.vault.access_token(key)

    assert by_other == by_holder == Answers({name(kept): 5})
    assert (webex.refresh_count(), webex.replay_count()) == (1, 0)
    assert webex.takes(kept.reveal())


async def overtaken(job: Job, clock: ClockFile) -> tuple[Answers, Answers]:
    """Pause a holder until another has refreshed; return what both got."""
    clock.set(EXPIRED_AT)
    async with caller_process(job, "stop_at") as holder, caller_process(job) as other:
        holder.say(b"ask")
        await holder.until_stopped()
        clock.set(LAPSED_AT)
        by_other = await ask([other])
        holder.process.send_signal(signal.SIGCONT)
        return await holder.answers(), by_other
