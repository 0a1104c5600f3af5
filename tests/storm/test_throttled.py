"""A token endpoint that asks for patience gets it from everybody together."""

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from peers.registration import settings_of
from peers.signing_in import signed_in
from storm.authorities import FIRST_TOKEN_LIVES, LocalWebex, running_local_webex
from storm.crowd import Job, ask, crowds, token_is_over

from webex_oauth.integration import open_integration

pytestmark = [pytest.mark.anyio, pytest.mark.check("B22")]

RETRY_AFTER_SECONDS = 1
TOO_MANY = {"type": "answer", "status": 429, "headers": {"Retry-After": str(RETRY_AFTER_SECONDS)}}


@pytest.fixture
def webex(tmp_path: Path) -> Iterator[LocalWebex]:
    with running_local_webex(tmp_path) as webex:
        webex.change(access_token_lifetime_seconds=FIRST_TOKEN_LIVES)
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
    webex.add_fault(method="POST", path="/v1/access_token", times=2, action=TOO_MANY)
    job = Job(webex.registration, place, str(tmp_path), key, caller_count=100, insists=True)

    async with crowds(2, job) as gathered:
        told = await ask(gathered)

    assert (list(told.tokens.values()), told.errors) == ([200], {})
    assert webex.arrivals() == [429, 429, 200]
    waits = [later - earlier for earlier, later in pairwise(told.sent_at)]
    assert len(waits) == 2
    assert min(waits) >= RETRY_AFTER_SECONDS
