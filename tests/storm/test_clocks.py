"""Clocks that are wrong, or are set while processes run, cost no refresh and lose no grant."""

import asyncio
from collections.abc import Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from peers.registration import settings_of
from peers.signing_in import signed_in
from services.faketime import faked_clock
from storm.authorities import FIRST_TOKEN_LIVES
from storm.callers import Job, ask, caller_process, token_is_over
from storm.local_webex import TOKEN_PATH, LocalWebex, running_local_webex
from waiting import until_true

from webex_oauth.emulator import Delay
from webex_oauth.integration import open_integration

pytestmark = pytest.mark.anyio

SLOW = Delay(1.0)


@pytest.fixture
def webex() -> Iterator[LocalWebex]:
    with running_local_webex("reuse-detect") as webex:
        yield webex


async def expired_grant_in(webex: LocalWebex, place: str, folder: Path) -> bytes:
    """Keep a grant at *place* whose access token is over; later ones live long."""
    webex.emulator.change_options(access_token_lifetime_seconds=FIRST_TOKEN_LIVES)
    async with open_integration(settings_of(webex.registration, place, folder)) as integration:
        key = await signed_in(integration, webex.allow)
        await token_is_over(integration, key)
    webex.let_tokens_live()
    return key


@pytest.mark.check("H13", "B09")
@pytest.mark.parametrize(
    ("place", "offset"), [("postgres", "+7d"), ("redis", "-7d")], indirect=["place"]
)
async def test_two_machines_of_which_one_has_a_wrong_clock_refresh_once(
    webex: LocalWebex, place: str, offset: str, tmp_path: Path
) -> None:
    key = await expired_grant_in(webex, place, tmp_path)
    job = Job(webex.registration, place, str(tmp_path), key, caller_count=100)
    wrong = faked_clock(tmp_path / "clock", offset)

    async with (
        caller_process(job) as right_one,
        caller_process(job, environment=wrong) as wrong_one,
    ):
        answers = [await ask([right_one, wrong_one]) for _ in range(2)]

    assert [list(each.tokens.values()) for each in answers] == [[200], [200]]
    assert [each.errors for each in answers] == [{}, {}]
    assert (webex.refresh_count(), webex.replay_count()) == (1, 0)


@pytest.mark.check("B06")
@pytest.mark.parametrize("place", ["sqlite"], indirect=True)
@pytest.mark.parametrize("step", ["+400d", "-10m"])
async def test_a_clock_that_is_set_during_a_refresh_disturbs_nobody(
    webex: LocalWebex, place: str, step: str, tmp_path: Path
) -> None:
    key = await expired_grant_in(webex, place, tmp_path)
    webex.emulator.faults.add("POST", TOKEN_PATH, SLOW)
    job = Job(webex.registration, place, str(tmp_path), key, caller_count=100)

    async with AsyncExitStack() as exits:
        clock = faked_clock(tmp_path / "clock", "+0")
        processes = await exits.enter_async_context(caller_process(job, environment=clock))
        asking = asyncio.create_task(ask([processes]))
        await until_true(webex.refreshes)
        (tmp_path / "clock").write_text(step)
        during = await asking
        afterwards = await ask([processes, await exits.enter_async_context(caller_process(job))])

    assert list(during.tokens.values()) == [100]
    assert afterwards == during + during
    assert (webex.refresh_count(), webex.replay_count()) == (1, 0)


@pytest.mark.check("B06")
@pytest.mark.parametrize("place", ["sqlite"], indirect=True)
@pytest.mark.parametrize("offset", ["+400d", "-10m"])
async def test_after_a_start_under_a_wrong_clock_everything_is_still_there(
    webex: LocalWebex, place: str, offset: str, tmp_path: Path
) -> None:
    async with open_integration(settings_of(webex.registration, place, tmp_path)) as integration:
        key = await signed_in(integration, webex.allow)
    job = Job(webex.registration, place, str(tmp_path), key, caller_count=10)
    async with caller_process(
        job, environment=faked_clock(tmp_path / "clock", offset)
    ) as processes:
        await ask([processes])

    async with open_integration(settings_of(webex.registration, place, tmp_path)) as integration:
        kept = await integration.vault.access_token(key)
        async with caller_process(job) as processes:
            answers = await ask([processes])

    assert sum(answers.tokens.values()) == 10
    assert answers.errors == {}
    assert webex.takes(kept.reveal())
    # A token that is over by the wrong clock is refreshed, and once more when the clock is right.
    assert (webex.refresh_count() <= 2, webex.replay_count()) == (True, 0)
