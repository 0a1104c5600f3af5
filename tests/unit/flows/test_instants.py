"""What is sealed decides how long an attempt and a session last, not the row beside it."""

from dataclasses import replace

import pytest
from unit.flows.signing_in import callback_query, sign_in
from unit.flows.workshop import IDLE_SECONDS, NOW, Workshop

from webex_oauth.errors import AttemptUnknown
from webex_oauth.flows.return_to import HOME
from webex_oauth.flows.sign_in import ATTEMPT_SECONDS, NotSignedIn, SentOn, SignedIn
from webex_oauth.oauth.authorization import read_callback
from webex_oauth.vault.attempts import TOMBSTONE_SECONDS
from webex_oauth.vault.records import digest

pytestmark = pytest.mark.anyio

FAR = NOW + 400 * 86_400


def keep_attempts(workshop: Workshop) -> None:
    """Move the ends of all attempts behind the store's back."""
    held = workshop.store._attempts
    for name, one in held.items():
        held[name] = replace(one, kept_until=FAR)


async def test_an_attempt_is_over_at_its_sealed_end_whatever_the_row_says() -> None:
    workshop = Workshop()
    started = await workshop.sign_in.begin(HOME)
    keep_attempts(workshop)
    workshop.now += ATTEMPT_SECONDS

    outcome = await workshop.sign_in.complete(
        read_callback(callback_query(started)),
        browser_secret=started.browser_secret,
        session_id=None,
    )

    assert isinstance(outcome, NotSignedIn)
    assert isinstance(outcome.error, AttemptUnknown)
    assert workshop.webex.requests == []


@pytest.mark.parametrize(("after", "is_sent_on"), [(0, True), (1, False)])
async def test_a_second_delivery_is_answered_until_some_minutes_after_that_end(
    after: int, *, is_sent_on: bool
) -> None:
    workshop = Workshop()
    started = await workshop.sign_in.begin(HOME)
    callback = read_callback(callback_query(started))
    first = await workshop.sign_in.complete(
        callback, browser_secret=started.browser_secret, session_id=None
    )
    assert isinstance(first, SignedIn)
    keep_attempts(workshop)
    workshop.now += ATTEMPT_SECONDS + TOMBSTONE_SECONDS - 1 + after
    await workshop.store.touch_session(digest(first.session_id), workshop.now)

    again = await workshop.sign_in.complete(
        callback, browser_secret=started.browser_secret, session_id=first.session_id
    )

    assert isinstance(again, SentOn) is is_sent_on


async def test_a_session_that_was_seen_in_the_future_is_idle_all_the_same() -> None:
    workshop = Workshop()
    session = await sign_in(workshop)
    await workshop.store.touch_session(digest(session.session_id), FAR)
    assert await workshop.sessions.find(session.session_id) is not None
    workshop.now += IDLE_SECONDS

    assert await workshop.sessions.find(session.session_id) is None
