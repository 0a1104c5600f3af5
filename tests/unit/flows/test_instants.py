"""How long a second delivery is recognised, and a session seen in the future lasts."""

import pytest
from unit.flows.signing_in import callback_query, sign_in
from unit.flows.workshop import IDLE_SECONDS, NOW, Workshop

from webex_oauth.flows.sign_in import ATTEMPT_SECONDS, HOME, SentOn, SignedIn
from webex_oauth.oauth.authorization import read_callback
from webex_oauth.secret import Secret
from webex_oauth.vault.records import MARK_KEPT_SECONDS, digest

pytestmark = pytest.mark.anyio

FAR = NOW + 400 * 86_400


async def touch(workshop: Workshop, session_id: Secret, now: int) -> None:
    found = await workshop.ledger.find_session(digest(session_id))
    assert found
    await workshop.ledger.touch_session(found, now)


@pytest.mark.parametrize(("after", "is_sent_on"), [(0, True), (1, False)])
async def test_a_second_delivery_is_answered_until_some_minutes_after_that_end(
    after: int, *, is_sent_on: bool
) -> None:
    workshop = Workshop()
    started = workshop.sign_in.begin(HOME)
    callback = read_callback(callback_query(started))
    first = await workshop.sign_in.complete(callback, attempt=started.attempt, session_id=None)
    assert isinstance(first, SignedIn)
    workshop.now += ATTEMPT_SECONDS + MARK_KEPT_SECONDS - 1 + after
    await touch(workshop, first.session_id, workshop.now)

    again = await workshop.sign_in.complete(
        callback, attempt=started.attempt, session_id=first.session_id
    )

    assert isinstance(again, SentOn) is is_sent_on


async def test_a_session_that_was_seen_in_the_future_is_idle_all_the_same() -> None:
    workshop = Workshop()
    session = await sign_in(workshop)
    await touch(workshop, session.session_id, FAR)
    assert await workshop.sessions.find(session.session_id) is not None
    workshop.now += IDLE_SECONDS

    assert await workshop.sessions.find(session.session_id) is None
