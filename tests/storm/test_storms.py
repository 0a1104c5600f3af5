"""Storms: many callers in many processes meet an expired token, and one refresh serves them all.

Strict servers end a grant when a refresh token comes twice, so that no mistake goes unseen; where
the token stays the same, the refreshes are counted.
"""

from collections.abc import Callable
from itertools import product
from pathlib import Path

import pytest
from peers.registration import settings_of
from peers.signing_in import signed_in
from storm.authorities import AUTHORITIES, Authority
from storm.callers import Answers, Job, ask, caller_processes, token_is_over
from storm.clock_file import ClockFile
from storm.fixtures import NOW
from storm.programs.ask_together import name
from torture import IS_TORTURE, size

from webex_oauth.integration import open_integration

PAIRS = (
    list(product(AUTHORITIES, ("sqlite", "postgres", "redis")))
    if IS_TORTURE
    else [("emulator", "sqlite"), ("emulator, same", "redis"), ("oidc-provider", "postgres")]
)
"""Who refreshes, and where the grant is."""

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.torture,
    pytest.mark.check("B08", "B09"),
    pytest.mark.parametrize(("authority", "place"), PAIRS, indirect=True),
]

EXPIRIES = size(5, torture=25)
BEYOND_ANY_ACCESS_TOKEN = 15 * 86_400


async def test_a_thousand_callers_in_four_processes_cost_one_refresh(
    authority: Authority, place: str, case: str, tmp_path: Path, seen: Callable[[str, str], None]
) -> None:
    settings = settings_of(authority.registration, place, tmp_path)
    async with open_integration(settings) as integration:
        key = await signed_in(integration, authority.allow)
        authority.let_tokens_live()
        job = Job(authority.registration, place, str(tmp_path), key, caller_count=250)
        async with caller_processes(4, job) as processes:
            await token_is_over(integration, key)
            answers = await ask(processes)
        kept = await integration.vault.access_token(key)

    assert answers == Answers({name(kept): 1000})
    assert len(answers.sent_at) == 1
    assert (authority.refresh_count(), authority.replay_count()) == (1, 0)
    assert authority.takes(kept.reveal())
    seen(f"1,000 callers in 4 processes, {case}", "1 refresh, 0 replays, 0 errors")


async def test_eight_processes_refresh_once_at_each_of_many_expiries(
    authority: Authority,
    place: str,
    case: str,
    clock: ClockFile,
    tmp_path: Path,
    seen: Callable[[str, str], None],
) -> None:
    authority.let_tokens_live()
    settings = settings_of(authority.registration, place, tmp_path)
    async with open_integration(settings, clock=clock) as integration:
        key = await signed_in(integration, authority.allow)
        job = Job(authority.registration, place, str(tmp_path), key, 5, str(tmp_path / "clock"))
        async with caller_processes(8, job) as processes:
            answers = []
            for number in range(EXPIRIES):
                clock.set(NOW + (number + 1) * BEYOND_ANY_ACCESS_TOKEN)
                answers.append(await ask(processes))
        kept = await integration.vault.access_token(key)

    assert [(list(each.tokens.values()), each.errors) for each in answers] == EXPIRIES * [
        ([40], {})
    ]
    assert len({token for each in answers for token in each.tokens}) == EXPIRIES
    assert (authority.refresh_count(), authority.replay_count()) == (EXPIRIES, 0)
    assert authority.takes(kept.reveal())
    seen(f"8 processes, {EXPIRIES} expiries, {case}", f"{EXPIRIES} refreshes, 0 replays, 0 errors")
