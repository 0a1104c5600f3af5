"""What a store does with attempts."""

import asyncio

import pytest
from contracts.rows import LIFETIME_SECONDS, NOW, admission, attempt, name

from webex_oauth.errors import AttemptForeign, AttemptInProgress, AttemptUnknown, StoreConflict
from webex_oauth.vault.attempts import TOMBSTONE_SECONDS
from webex_oauth.vault.records import AttemptRecord, FinishedAttempt
from webex_oauth.vault.store import Store

pytestmark = pytest.mark.anyio

STATE = name("state", 1)
BROWSER = name("browser", 1)
MANY = 100


async def test_an_attempt_comes_back_as_it_was_added(store: Store) -> None:
    await store.add_attempt(attempt(), at_most=MANY, now=NOW)

    taken = await store.take_attempt(STATE, BROWSER, NOW)

    assert taken == attempt()


async def test_a_state_that_was_never_given_out_is_unknown(store: Store) -> None:
    await store.add_attempt(attempt(), at_most=MANY, now=NOW)

    with pytest.raises(AttemptUnknown):
        await store.take_attempt(name("state", 2), BROWSER, NOW)


async def test_two_attempts_cannot_have_one_state(store: Store) -> None:
    await store.add_attempt(attempt(browser=1), at_most=MANY, now=NOW)

    with pytest.raises(StoreConflict):
        await store.add_attempt(attempt(browser=2), at_most=MANY, now=NOW)

    assert await store.take_attempt(STATE, BROWSER, NOW) == attempt(browser=1)


@pytest.mark.check("A05")
async def test_an_attempt_expires(store: Store) -> None:
    await store.add_attempt(attempt(), at_most=MANY, now=NOW)

    with pytest.raises(AttemptUnknown):
        await store.take_attempt(STATE, BROWSER, NOW + LIFETIME_SECONDS)


async def test_an_attempt_lives_until_its_last_second(store: Store) -> None:
    await store.add_attempt(attempt(), at_most=MANY, now=NOW)

    assert await store.take_attempt(STATE, BROWSER, NOW + LIFETIME_SECONDS - 1) == attempt()


@pytest.mark.check("A02")
async def test_another_browser_cannot_take_an_attempt(store: Store) -> None:
    await store.add_attempt(attempt(), at_most=MANY, now=NOW)

    with pytest.raises(AttemptForeign):
        await store.take_attempt(STATE, name("browser", 2), NOW)


async def test_another_browser_cannot_spend_an_attempt(store: Store) -> None:
    await store.add_attempt(attempt(), at_most=MANY, now=NOW)
    with pytest.raises(AttemptForeign):
        await store.take_attempt(STATE, name("browser", 2), NOW)

    assert await store.take_attempt(STATE, BROWSER, NOW) == attempt()


async def test_another_browser_learns_nothing_of_a_finished_attempt(store: Store) -> None:
    await store.add_attempt(attempt(), at_most=MANY, now=NOW)
    await store.take_attempt(STATE, BROWSER, NOW)
    await store.admit(admission())

    with pytest.raises(AttemptForeign):
        await store.take_attempt(STATE, name("browser", 2), NOW)


async def test_a_taken_attempt_is_in_progress(store: Store) -> None:
    await store.add_attempt(attempt(), at_most=MANY, now=NOW)
    await store.take_attempt(STATE, BROWSER, NOW)

    with pytest.raises(AttemptInProgress):
        await store.take_attempt(STATE, BROWSER, NOW)


@pytest.mark.check("A03")
async def test_of_200_who_take_an_attempt_one_gets_it(store: Store) -> None:
    await store.add_attempt(attempt(), at_most=MANY, now=NOW)

    outcomes = await asyncio.gather(
        *(store.take_attempt(STATE, BROWSER, NOW) for _ in range(200)), return_exceptions=True
    )

    assert [outcome for outcome in outcomes if isinstance(outcome, AttemptRecord)] == [attempt()]
    assert sum(isinstance(outcome, AttemptInProgress) for outcome in outcomes) == 199


async def test_a_finished_attempt_names_its_session(store: Store) -> None:
    await store.add_attempt(attempt(), at_most=MANY, now=NOW)
    await store.take_attempt(STATE, BROWSER, NOW)
    await store.admit(admission())

    again = await store.take_attempt(STATE, BROWSER, NOW)

    assert again == FinishedAttempt(attempt(), name("session", 1))


async def test_a_finished_attempt_stays_finished_however_often_it_is_asked_for(
    store: Store,
) -> None:
    await store.add_attempt(attempt(), at_most=MANY, now=NOW)
    await store.take_attempt(STATE, BROWSER, NOW)
    await store.admit(admission())
    await store.take_attempt(STATE, BROWSER, NOW + 1)

    again = await store.take_attempt(STATE, BROWSER, NOW + 2)

    assert again == FinishedAttempt(attempt(), name("session", 1))


async def test_an_abandoned_attempt_is_finished_without_a_session(store: Store) -> None:
    await store.add_attempt(attempt(), at_most=MANY, now=NOW)
    await store.take_attempt(STATE, BROWSER, NOW)
    await store.abandon_attempt(STATE)

    again = await store.take_attempt(STATE, BROWSER, NOW)

    assert again == FinishedAttempt(attempt(), None)


async def test_an_open_attempt_cannot_be_abandoned(store: Store) -> None:
    await store.add_attempt(attempt(), at_most=MANY, now=NOW)

    await store.abandon_attempt(STATE)

    assert await store.take_attempt(STATE, BROWSER, NOW) == attempt()


async def test_a_session_outlives_a_late_wish_to_abandon_its_attempt(store: Store) -> None:
    await store.add_attempt(attempt(), at_most=MANY, now=NOW)
    await store.take_attempt(STATE, BROWSER, NOW)
    await store.admit(admission())

    await store.abandon_attempt(STATE)

    again = await store.take_attempt(STATE, BROWSER, NOW)
    assert again == FinishedAttempt(attempt(), name("session", 1))


async def test_a_finished_attempt_is_remembered_from_when_it_was_taken(store: Store) -> None:
    taken_at = NOW + LIFETIME_SECONDS - 1
    await store.add_attempt(attempt(), at_most=MANY, now=NOW)
    await store.take_attempt(STATE, BROWSER, taken_at)
    await store.abandon_attempt(STATE)

    again = await store.take_attempt(STATE, BROWSER, taken_at + TOMBSTONE_SECONDS - 1)

    assert again == FinishedAttempt(attempt(), None)


async def test_a_finished_attempt_is_forgotten(store: Store) -> None:
    await store.add_attempt(attempt(), at_most=MANY, now=NOW)
    await store.take_attempt(STATE, BROWSER, NOW)
    await store.abandon_attempt(STATE)

    with pytest.raises(AttemptUnknown):
        await store.take_attempt(STATE, BROWSER, NOW + TOMBSTONE_SECONDS)


@pytest.mark.check("A05")
async def test_beyond_the_bound_the_oldest_attempt_goes(store: Store) -> None:
    for number in range(1, 5):
        await store.add_attempt(attempt(number, started_at=NOW + number), at_most=3, now=NOW)

    with pytest.raises(AttemptUnknown):
        await store.take_attempt(STATE, BROWSER, NOW)
    for number in range(2, 5):
        taken = await store.take_attempt(name("state", number), BROWSER, NOW)
        assert isinstance(taken, AttemptRecord)


async def test_a_smaller_bound_holds_at_once(store: Store) -> None:
    for number in range(1, 9):
        await store.add_attempt(attempt(number, started_at=NOW + number), at_most=8, now=NOW)

    await store.add_attempt(attempt(9, started_at=NOW + 9), at_most=2, now=NOW)

    assert await store.sweep(now=NOW + 10 * LIFETIME_SECONDS, idle_seconds=1) == 2


async def test_expired_attempts_make_room_before_open_ones_go(store: Store) -> None:
    await store.add_attempt(attempt(1), at_most=2, now=NOW)
    later = NOW + LIFETIME_SECONDS
    await store.add_attempt(attempt(2, started_at=later), at_most=2, now=later)
    await store.add_attempt(attempt(3, started_at=later), at_most=2, now=later)

    taken = await store.take_attempt(name("state", 2), BROWSER, later)

    assert taken == attempt(2, started_at=later)
