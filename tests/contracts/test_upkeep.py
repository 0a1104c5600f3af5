"""Upkeep: what is over goes, what a row says outside its seal is put right."""

import pytest
from contracts.records import (
    ABSOLUTE_SECONDS,
    ATTEMPT_SECONDS,
    IDLE_SECONDS,
    KEY,
    NOW,
    end,
    found_grant,
    found_session,
    grant,
    key_of,
    revocation,
    sign_in,
    state,
    taken,
    touch,
)
from msgspec.structs import replace

from webex_oauth.flows.housekeeping import EVERYTHING
from webex_oauth.vault.ledger import Ledger
from webex_oauth.vault.records import LONGEST_WAIT_SECONDS, MARK_KEPT_SECONDS, Trouble
from webex_oauth.vault.rows import Kind
from webex_oauth.vault.upkeep import Upkeep

pytestmark = pytest.mark.anyio

FAR = NOW + LONGEST_WAIT_SECONDS + 1
MARKS_GO_AT = NOW + ATTEMPT_SECONDS + MARK_KEPT_SECONDS


async def sweep(ledger: Ledger, now: int, *kinds: Kind) -> int:
    return await Upkeep(ledger).sweep(now, kinds or EVERYTHING)


async def mend(ledger: Ledger, kind: Kind) -> None:
    after = await Upkeep(ledger).mend(kind, b"", NOW, limit=2)
    while after:
        after = await Upkeep(ledger).mend(kind, after, NOW, limit=2)


async def test_what_is_live_stays(ledger: Ledger) -> None:
    assert await sweep(ledger, NOW) == 0
    await sign_in(ledger, ends_at=NOW + 1)

    assert await sweep(ledger, NOW) == 0


@pytest.mark.bound("marks of taken states")
async def test_marks_go_when_no_reload_can_ask_for_them(ledger: Ledger) -> None:
    await ledger.take_state(state(), NOW + ATTEMPT_SECONDS, NOW)

    assert await sweep(ledger, MARKS_GO_AT - 1) == 0
    assert await sweep(ledger, MARKS_GO_AT) == 1


async def test_idle_sessions_go_and_used_ones_stay(ledger: Ledger) -> None:
    await sign_in(ledger, 1)
    await sign_in(ledger, 2, version=2)
    await touch(ledger, 2, NOW + 60)

    assert await sweep(ledger, NOW + IDLE_SECONDS, Kind.SESSION) == 1
    assert await found_session(ledger, 1) is None
    assert await found_session(ledger, 2) is not None


async def test_sessions_past_their_end_go_however_busy(ledger: Ledger) -> None:
    await sign_in(ledger)
    await touch(ledger, 1, NOW + ABSOLUTE_SECONDS)

    assert await sweep(ledger, NOW + ABSOLUTE_SECONDS, Kind.SESSION) == 1


async def test_a_grant_without_a_session_goes_when_its_last_token_ended(ledger: Ledger) -> None:
    await sign_in(ledger, ends_at=NOW + 9)
    await end(ledger, keeps_grants=True)

    assert await sweep(ledger, NOW + 8) == 0
    assert await sweep(ledger, NOW + 9) == 1
    assert await found_grant(ledger) is None
    assert await taken(ledger) == []


async def test_a_grant_of_unknown_end_stays(ledger: Ledger) -> None:
    await sign_in(ledger, ends_at=None)

    await sweep(ledger, NOW + 100 * ABSOLUTE_SECONDS)

    assert await found_grant(ledger) == grant()


async def test_grants_in_use_stay_and_hold_up_nothing_behind_them(ledger: Ledger) -> None:
    await sign_in(ledger, 1, ends_at=NOW)
    await sign_in(ledger, 2, of=2, ends_at=NOW + 1)
    await end(ledger, 2, keeps_grants=True)

    swept = [await Upkeep(ledger).sweep(NOW + 1, [Kind.GRANT], limit=1) for _ in range(3)]

    assert swept == [0, 1, 0]
    assert await found_grant(ledger, 1) is not None
    assert await found_session(ledger, 1) is not None
    assert await found_grant(ledger, 2) is None


async def test_revocations_go_when_their_tokens_have_ended(ledger: Ledger) -> None:
    for number, ends_at in ((1, NOW), (2, NOW + 1), (3, None)):
        await ledger.add_revocation(replace(revocation(number), ends_at=ends_at))

    assert await sweep(ledger, NOW) == 1

    assert {one.grant_key for one in await taken(ledger)} == {key_of(2), key_of(3)}


@pytest.mark.bound("wait until a grant is renewed")
@pytest.mark.check("H13")
@pytest.mark.parametrize("trouble", [Trouble(), Trouble(0, 1, FAR)], ids=["kept", "cooling down"])
async def test_a_grant_that_a_wrong_clock_lets_wait_is_due(
    ledger: Ledger, trouble: Trouble
) -> None:
    for number in range(5):
        await sign_in(ledger, number, of=number, keep_at=NOW if trouble.retry_at else FAR)
        seen = await ledger.find_grant(key_of(number))
        assert seen is not None
        waiting = replace(seen.record, trouble=trouble)
        assert await ledger.replace_grant(seen, waiting, durably=False)
    assert await ledger.due_grants(NOW, 9) == []

    await mend(ledger, Kind.GRANT)

    assert set(await ledger.due_grants(NOW, 9)) == {key_of(number) for number in range(5)}


@pytest.mark.check("H13")
async def test_a_revocation_that_a_wrong_clock_lets_wait_is_due(ledger: Ledger) -> None:
    await ledger.add_revocation(revocation(due_at=FAR))

    await mend(ledger, Kind.REVOCATION)

    assert [one.grant_key for one in await taken(ledger)] == [KEY]


async def test_waits_within_reason_stay(ledger: Ledger) -> None:
    await sign_in(ledger, keep_at=FAR - 1)
    await ledger.add_revocation(revocation(2, due_at=FAR - 1))

    await mend(ledger, Kind.GRANT)
    await mend(ledger, Kind.REVOCATION)

    assert await ledger.due_grants(FAR - 2, 9) == []
    assert await ledger.due_grants(FAR - 1, 9) == [KEY]
    assert await taken(ledger, FAR - 2) == []
