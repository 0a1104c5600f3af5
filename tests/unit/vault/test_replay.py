"""A refresh token whose answer was lost: presented again, without bound or exactly once."""

import asyncio
from collections.abc import Iterator

import pytest
from unit.vault.scripted import (
    ALICE,
    INVALID_GRANT,
    Answer,
    House,
    ScriptedTransport,
    begun,
    issued,
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
from webex_oauth.secret import Secret

pytestmark = pytest.mark.anyio

FIRST, SECOND = Secret("access-1"), Secret("access-2")
LOST, SLOW, FAILED = AnswerLost("reset"), DeadlineExceeded("10 s"), HttpResponse(500)
HTML = HttpResponse(200, {"content-type": "text/html"}, b"<html>")
AMBIGUOUS: list[Answer] = [LOST, SLOW, FAILED, HttpResponse(408), HttpResponse(504), HTML]
ROTATING: list[bool | None] = [True, None]


async def persist(house: House, tries: int) -> Iterator[str]:
    """Ask again and again, each time after the cool-down; tell what came of it."""
    outcomes = []
    for _ in range(tries):
        try:
            await house.vault.access_token(ALICE)
            outcomes.append("token")
        except (UpstreamError, ReauthRequired) as error:
            outcomes.append(getattr(error, "reason", "later"))
        house.clock.now += 400
    return iter(outcomes)


@pytest.mark.check("B10")
@pytest.mark.parametrize("line", AMBIGUOUS, ids=repr)
async def test_a_server_that_does_not_rotate_is_asked_without_bound(line: Answer) -> None:
    house = House(*[line] * 6, issued(2))
    await house.admit(tokens())

    assert list(await persist(house, 7)) == [*["later"] * 6, "token"]

    assert house.transport.presented() == ["refresh-1"] * 7


@pytest.mark.check("B10")
@pytest.mark.parametrize("rotates", ROTATING)
async def test_a_lost_answer_of_a_rotating_server_is_asked_for_once_more_at_once(
    *, rotates: bool | None
) -> None:
    house = House(LOST, issued(2, refresh_token="refresh-2"), rotates=rotates)
    await house.admit(tokens())

    assert await house.vault.access_token(ALICE) == SECOND

    assert house.transport.presented() == ["refresh-1", "refresh-1"]


@pytest.mark.check("B10")
async def test_the_replay_is_written_down_before_it_is_sent() -> None:
    house = House(LOST, issued(2), rotates=True)
    await house.admit(tokens())
    counts = []
    rows = house.store._grants
    house.transport.before_answer = lambda: counts.append(rows[ALICE].presented_count)

    await house.vault.access_token(ALICE)

    assert counts == [1, 2]


@pytest.mark.check("B10")
@pytest.mark.parametrize("line", [SLOW, FAILED, HTML], ids=repr)
async def test_where_no_time_is_left_the_replay_comes_with_the_next_claim(line: Answer) -> None:
    house = House(line, issued(2, refresh_token="refresh-2"), rotates=True)
    await house.admit(tokens())

    assert list(await persist(house, 2)) == ["later", "token"]

    assert house.transport.presented() == ["refresh-1", "refresh-1"]


@pytest.mark.check("B10")
@pytest.mark.parametrize("rotates", ROTATING)
@pytest.mark.parametrize("line", AMBIGUOUS, ids=repr)
async def test_a_rotating_server_gets_exactly_one_replay_ever(
    line: Answer, *, rotates: bool | None
) -> None:
    house = House(*[line] * 6, rotates=rotates)
    await house.admit(tokens())

    outcomes = list(await persist(house, 6))

    assert house.transport.presented() == ["refresh-1", "refresh-1"]
    assert outcomes[-1] == "refresh_ambiguous"
    assert (await house.held()).reauth_reason == "refresh_ambiguous"


@pytest.mark.check("B10")
async def test_what_surely_was_not_processed_is_no_replay() -> None:
    house = House(RequestNotSent("no connection"), HttpResponse(503), FAILED, rotates=True)
    await house.admit(tokens())
    await persist(house, 3)
    house.transport.script = [issued(2, refresh_token="refresh-2")]

    assert await house.vault.access_token(ALICE) == SECOND


@pytest.mark.check("B10")
async def test_the_old_token_is_served_to_its_end_after_the_last_replay() -> None:
    house = House(LOST, LOST, rotates=True)
    await house.admit(tokens(lives_for=30))

    assert await house.vault.access_token(ALICE) == FIRST
    house.clock.now += 29
    assert await house.vault.access_token(ALICE) == FIRST
    house.clock.now += 1
    with pytest.raises(ReauthRequired) as needed:
        await house.vault.access_token(ALICE)

    assert needed.value.reason == "refresh_ambiguous"
    assert len(house.transport.requests) == 2


@pytest.mark.check("B10")
async def test_a_process_that_died_while_asking_counts_as_one_presentation() -> None:
    house = House(SLOW, rotates=True)
    await house.admit(tokens())
    await house.claim_as_another(lease_seconds=30)
    house.clock.now += 30

    with pytest.raises(ReauthRequired) as needed:
        await house.vault.access_token(ALICE)

    assert needed.value.reason == "refresh_ambiguous"
    assert len(house.transport.requests) == 1


@pytest.mark.check("B10")
async def test_after_two_processes_died_while_asking_a_rotating_server_is_not_asked() -> None:
    house = House(rotates=True)
    await house.admit(tokens())
    for _ in range(2):
        await house.claim_as_another(lease_seconds=30)
        house.clock.now += 30

    with pytest.raises(ReauthRequired) as needed:
        await house.vault.access_token(ALICE)

    assert needed.value.reason == "refresh_ambiguous"
    assert house.transport.requests == []
    assert (await house.held()).reauth_reason == "refresh_ambiguous"


@pytest.mark.check("B10")
async def test_after_two_processes_died_while_asking_webex_is_asked() -> None:
    house = House(issued(2), rotates=False)
    await house.admit(tokens())
    for _ in range(2):
        await house.claim_as_another(lease_seconds=30)
        house.clock.now += 30

    assert await house.vault.access_token(ALICE) == SECOND


@pytest.mark.check("B10")
async def test_a_replay_that_is_refused_waits_for_the_tokens_of_the_first() -> None:
    house = House(issued(2, refresh_token="refresh-2"), rotates=True)
    await house.admit(tokens())
    house.transport.gate.clear()
    slow = asyncio.create_task(house.vault.access_token(ALICE))
    await begun(house.transport)
    house.clock.now += 31
    refused = ScriptedTransport.opened(INVALID_GRANT)
    replay = asyncio.create_task(house.another_vault(transport=refused).access_token(ALICE))
    await begun(refused)

    house.transport.gate.set()

    assert [await slow, await replay] == [SECOND, SECOND]
    assert (await house.held()).reauth_reason is None


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
    house = House(*first, line)
    await house.admit(tokens("access-0", refresh="refresh-0" if before else "refresh-1"))
    for _ in (*first, line):
        await house.vault.refreshed(ALICE, (await house.held()).tokens.access_token)

    assert (await house.held()).rotates is after


@pytest.mark.check("B10")
async def test_what_was_learned_counts_more_than_what_the_server_is_known_for() -> None:
    house = House(issued(2, refresh_token="refresh-2", expires_in=1), SLOW, SLOW, rotates=False)
    await house.admit(tokens())

    outcomes = list(await persist(house, 4))

    assert outcomes == ["token", "later", "refresh_ambiguous", "refresh_ambiguous"]
    assert house.transport.presented() == ["refresh-1", "refresh-2", "refresh-2"]


@pytest.mark.check("B10")
async def test_what_one_grant_has_shown_counts_for_those_that_have_shown_nothing() -> None:
    house = House(issued(2, expires_in=1), *[SLOW] * 4, issued(3), rotates=None)
    await house.admit(tokens())
    await house.vault.access_token(ALICE)
    await house.admit(tokens())
    assert (await house.held()).rotates is None

    assert list(await persist(house, 5)) == [*["later"] * 4, "token"]


@pytest.mark.check("B10")
async def test_a_server_that_was_seen_to_rotate_is_never_taken_for_another() -> None:
    first, second = issued(2, refresh_token="refresh-2", expires_in=1), issued(3, expires_in=1)
    house = House(first, second, *[SLOW] * 4, rotates=None)
    await house.admit(tokens())
    for _ in range(2):
        await house.vault.access_token(ALICE)
        await house.admit(tokens())

    outcomes = list(await persist(house, 4))

    assert outcomes[-1] == "refresh_ambiguous"
    assert len(house.transport.requests) == 4
