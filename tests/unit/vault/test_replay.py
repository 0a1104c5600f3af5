"""A refresh token whose answer was lost: presented again, without bound or exactly once."""

import asyncio

import pytest
from unit.vault.fakes import (
    ALICE,
    FIRST,
    INVALID_GRANT,
    SECOND,
    Answer,
    FakeEndpoint,
    VaultFixture,
    issued,
    signed_in,
    tokens,
)

from webex_oauth.errors import (
    AnswerLost,
    DeadlineExceeded,
    ReauthRequired,
    RequestNotSent,
    UpstreamError,
)
from webex_oauth.oauth.http import HttpResponse

pytestmark = [pytest.mark.anyio, pytest.mark.check("B10")]

LOST, SLOW, FAILED = AnswerLost("reset"), DeadlineExceeded("10 s"), HttpResponse(500)
HTML = HttpResponse(200, {"content-type": "text/html"}, b"<html>")
AMBIGUOUS: list[Answer] = [LOST, SLOW, FAILED, HttpResponse(408), HttpResponse(504), HTML]
ROTATING: list[bool | None] = [True, None]


async def persist(fixture: VaultFixture, tries: int) -> list[str]:
    """Ask again and again, each time after the cool-down; return what came of it."""
    outcomes = []
    for _ in range(tries):
        try:
            await fixture.vault.access_token(ALICE)
            outcomes.append("token")
        except (UpstreamError, ReauthRequired) as error:
            outcomes.append(getattr(error, "reason", "later"))
        fixture.clock.now += 400
    return outcomes


@pytest.mark.parametrize("line", AMBIGUOUS, ids=repr)
async def test_a_server_that_does_not_rotate_is_asked_without_bound(line: Answer) -> None:
    fixture = await signed_in(*[line] * 6, issued(2))

    assert await persist(fixture, 7) == [*["later"] * 6, "token"]

    assert fixture.endpoint.presented() == ["refresh-1"] * 7


@pytest.mark.parametrize("rotates", ROTATING)
async def test_a_lost_answer_of_a_rotating_server_is_asked_for_once_more_at_once(
    *, rotates: bool | None
) -> None:
    fixture = await signed_in(LOST, issued(2, refresh_token="refresh-2"), rotates=rotates)

    assert await fixture.vault.access_token(ALICE) == SECOND

    assert fixture.endpoint.presented() == ["refresh-1", "refresh-1"]


async def test_the_replay_is_written_down_before_it_is_sent() -> None:
    fixture = await signed_in(LOST, issued(2), rotates=True)

    await fixture.vault.access_token(ALICE)

    claims = [grant.trouble.presented_count for grant in fixture.rows.grants if grant.lease]
    assert claims == [1, 2]


@pytest.mark.parametrize("line", [SLOW, FAILED, HTML], ids=repr)
async def test_where_no_time_is_left_the_replay_comes_with_the_next_claim(line: Answer) -> None:
    fixture = await signed_in(line, issued(2, refresh_token="refresh-2"), rotates=True)

    assert await persist(fixture, 2) == ["later", "token"]

    assert fixture.endpoint.presented() == ["refresh-1", "refresh-1"]


@pytest.mark.parametrize("rotates", ROTATING)
@pytest.mark.parametrize("line", AMBIGUOUS, ids=repr)
async def test_a_rotating_server_gets_exactly_one_replay_ever(
    line: Answer, *, rotates: bool | None
) -> None:
    fixture = await signed_in(*[line] * 6, rotates=rotates)

    outcomes = await persist(fixture, 6)

    assert fixture.endpoint.presented() == ["refresh-1", "refresh-1"]
    assert outcomes[-1] == "refresh_ambiguous"
    assert (await fixture.stored()).reauth_reason == "refresh_ambiguous"


async def test_what_surely_was_not_processed_is_no_replay() -> None:
    fixture = await signed_in(
        RequestNotSent("no connection"), HttpResponse(503), FAILED, rotates=True
    )
    await persist(fixture, 3)
    fixture.endpoint.script = [issued(2, refresh_token="refresh-2")]

    assert await fixture.vault.access_token(ALICE) == SECOND


async def test_the_old_token_is_served_to_its_end_after_the_last_replay() -> None:
    fixture = await signed_in(LOST, LOST, rotates=True, lives_for=30)

    assert await fixture.vault.access_token(ALICE) == FIRST
    fixture.clock.now += 29
    assert await fixture.vault.access_token(ALICE) == FIRST
    fixture.clock.now += 1
    with pytest.raises(ReauthRequired) as needed:
        await fixture.vault.access_token(ALICE)

    assert needed.value.reason == "refresh_ambiguous"
    assert len(fixture.endpoint.requests) == 2


async def test_a_process_that_died_while_asking_counts_as_one_presentation() -> None:
    fixture = await signed_in(SLOW, rotates=True)
    await fixture.claim_as_another(lease_seconds=30)
    fixture.clock.now += 30

    with pytest.raises(ReauthRequired) as needed:
        await fixture.vault.access_token(ALICE)

    assert needed.value.reason == "refresh_ambiguous"
    assert len(fixture.endpoint.requests) == 1


async def test_after_two_processes_died_while_asking_a_rotating_server_is_not_asked() -> None:
    fixture = await signed_in(rotates=True)
    for _ in range(2):
        await fixture.claim_as_another(lease_seconds=30)
        fixture.clock.now += 30

    with pytest.raises(ReauthRequired) as needed:
        await fixture.vault.access_token(ALICE)

    assert needed.value.reason == "refresh_ambiguous"
    assert fixture.endpoint.requests == []
    assert (await fixture.stored()).reauth_reason == "refresh_ambiguous"


async def test_after_two_processes_died_while_asking_webex_is_asked() -> None:
    fixture = await signed_in(issued(2), rotates=False)
    for _ in range(2):
        await fixture.claim_as_another(lease_seconds=30)
        fixture.clock.now += 30

    assert await fixture.vault.access_token(ALICE) == SECOND


async def test_a_replay_that_is_refused_waits_for_the_tokens_of_the_first() -> None:
    fixture = await signed_in(issued(2, refresh_token="refresh-2"), rotates=True)
    fixture.endpoint.gate.clear()
    slow = asyncio.create_task(fixture.vault.access_token(ALICE))
    await fixture.endpoint.reached()
    fixture.clock.now += 31
    refused = FakeEndpoint.opened(INVALID_GRANT)
    replay = asyncio.create_task(fixture.another_vault(endpoint=refused).access_token(ALICE))
    await refused.reached()

    fixture.endpoint.gate.set()

    assert [await slow, await replay] == [SECOND, SECOND]
    assert (await fixture.stored()).reauth_reason is None


@pytest.mark.parametrize(
    ("line", "before", "after"),
    [
        (issued(2), None, False),
        (issued(2, refresh_token=None), None, False),
        (issued(2, refresh_token="refresh-2"), None, True),
        (issued(2, refresh_token="refresh-2"), False, True),
        (issued(2), True, True),
    ],
)
async def test_it_is_learned_whether_a_grant_rotates(
    line: Answer, *, before: bool | None, after: bool
) -> None:
    first = {None: [], False: [issued(1)], True: [issued(1, refresh_token="refresh-1")]}[before]
    fixture = VaultFixture(*first, line)
    await fixture.admit(tokens("access-0", refresh="refresh-0" if before else "refresh-1"))
    for _ in (*first, line):
        await fixture.vault.refreshed(ALICE, (await fixture.stored()).tokens.access_token)

    assert (await fixture.stored()).rotates is after


async def test_what_was_learned_counts_more_than_what_the_server_is_known_for() -> None:
    fixture = await signed_in(
        issued(2, refresh_token="refresh-2", expires_in=1), SLOW, SLOW, rotates=False
    )

    outcomes = await persist(fixture, 4)

    assert outcomes == ["token", "later", "refresh_ambiguous", "refresh_ambiguous"]
    assert fixture.endpoint.presented() == ["refresh-1", "refresh-2", "refresh-2"]


async def test_what_one_grant_has_shown_counts_for_those_that_have_shown_nothing() -> None:
    fixture = await signed_in(issued(2, expires_in=1), *[SLOW] * 4, issued(3), rotates=None)
    await fixture.vault.access_token(ALICE)
    await fixture.admit(tokens())
    assert (await fixture.stored()).rotates is None

    assert await persist(fixture, 5) == [*["later"] * 4, "token"]


async def test_a_server_that_was_seen_to_rotate_is_never_taken_for_another() -> None:
    first, second = issued(2, refresh_token="refresh-2", expires_in=1), issued(3, expires_in=1)
    fixture = await signed_in(first, second, *[SLOW] * 4, rotates=None)
    for _ in range(2):
        await fixture.vault.access_token(ALICE)
        await fixture.admit(tokens())

    outcomes = await persist(fixture, 4)

    assert outcomes[-1] == "refresh_ambiguous"
    assert len(fixture.endpoint.requests) == 4
