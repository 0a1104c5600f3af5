"""A token endpoint that asks for patience gets it from everybody together."""

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from peers.registration import settings_of
from peers.signing_in import signed_in
from storm.authorities import FIRST_TOKEN_LIVES
from storm.callers import Job, ask, caller_processes, token_is_over
from storm.local_webex import TOKEN_PATH, LocalWebex, running_local_webex

from webex_oauth.emulator import Answer
from webex_oauth.integration import open_integration

pytestmark = [pytest.mark.anyio, pytest.mark.check("B22")]

RETRY_AFTER_SECONDS = 1
TOO_MANY = Answer(429, headers={"Retry-After": str(RETRY_AFTER_SECONDS)})


@pytest.fixture
def webex() -> Iterator[LocalWebex]:
    with running_local_webex("reuse-detect", access_token_seconds=FIRST_TOKEN_LIVES) as webex:
        yield webex


@pytest.mark.parametrize("place", ["postgres", "redis"], indirect=True)
async def test_200_callers_in_two_processes_ask_once_per_interval(
    webex: LocalWebex, place: str, tmp_path: Path
) -> None:
    settings = settings_of(webex.registration, place, tmp_path)
    async with open_integration(settings) as integration:
        key = await signed_in(integration, webex.allow)
        await token_is_over(integration, key)
    webex.let_tokens_live()
    webex.emulator.faults.add("POST", TOKEN_PATH, TOO_MANY, times=2)
    job = Job(webex.registration, place, str(tmp_path), key, caller_count=100, insists=True)

    async with caller_processes(2, job) as processes:
        answers = await ask(processes)

    assert (list(answers.tokens.values()), answers.errors) == ([200], {})
    assert webex.refreshes() == [429, 429, 200]
    waits = [later - earlier for earlier, later in pairwise(answers.sent_at)]
    assert len(waits) == 2
    assert min(waits) >= RETRY_AFTER_SECONDS
