"""Unused grants are kept alive."""

from typing import Any

import pytest
from ledgers import events
from unit.vault.fakes import ALICE, INVALID_GRANT, NOW, SECOND, VaultFixture, issued, signed_in

from webex_oauth.errors import RequestNotSent
from webex_oauth.oauth.http import HttpResponse
from webex_oauth.vault.records import Profile
from webex_oauth.vault.vault import Kept

pytestmark = pytest.mark.anyio

DUE = 700_000


async def due(*script: Any, **options: Any) -> VaultFixture:
    """Sign alice in, and let so much time pass that her grant is due."""
    fixture = await signed_in(*script, lives_for=800_000, issued_at=NOW, **options)
    fixture.clock.now += DUE
    return fixture


async def test_a_grant_that_is_due_is_renewed_once_although_its_token_lives() -> None:
    fixture = await due(issued(2))

    assert await fixture.vault.keep(ALICE) is Kept.RENEWED
    assert await fixture.vault.keep(ALICE) is Kept.NOT_DUE

    stored = await fixture.stored()
    assert stored.tokens.access_token == SECOND
    assert (stored.keep_at or 0) > fixture.clock.now


async def test_a_grant_that_another_keeper_renewed_meanwhile_is_counted_there_alone() -> None:
    fixture = await due(issued(2))
    another, kept = fixture.another_vault(), list[Kept]()

    async def overtake() -> None:
        kept.append(await another.keep(ALICE))

    fixture.rows.before["claim"] = [overtake]

    assert await fixture.vault.keep(ALICE) is Kept.NOT_DUE
    assert kept == [Kept.RENEWED]
    assert len(fixture.endpoint.requests) == 1


async def test_a_grant_that_is_gone_is_not_due() -> None:
    assert await VaultFixture().vault.keep(ALICE) is Kept.NOT_DUE


async def test_a_grant_that_is_ended_meanwhile_is_not_due() -> None:
    fixture = await due(issued(2))
    fixture.endpoint.before_answer = lambda: fixture.rows.drop(ALICE)

    assert await fixture.vault.keep(ALICE) is Kept.NOT_DUE


@pytest.mark.parametrize(
    "line", [HttpResponse(429), HttpResponse(503), RequestNotSent("no connection")]
)
async def test_a_failure_postpones(line: HttpResponse | Exception) -> None:
    fixture = await due(line)

    assert await fixture.vault.keep(ALICE) is Kept.POSTPONED
    assert await fixture.vault.keep(ALICE) is Kept.POSTPONED

    assert len(fixture.endpoint.requests) == 1
    assert await fixture.ledger.due_grants(fixture.clock.now, 5) == []


async def test_a_grant_that_another_process_refreshes_is_postponed() -> None:
    fixture = await due()
    await fixture.claim_as_another()

    assert await fixture.vault.keep(ALICE) is Kept.POSTPONED


@pytest.mark.check("B13")
@pytest.mark.parametrize(
    ("now", "reason"),
    [(NOW + DUE, "refresh_token_refused"), (NOW + 1_000_000, "refresh_token_expired")],
)
async def test_a_grant_that_is_refused_needs_the_person_and_is_not_due_again(
    now: int, reason: str
) -> None:
    fixture = await due(INVALID_GRANT)
    fixture.clock.now = now

    assert await fixture.vault.keep(ALICE) is Kept.NEEDS_PERSON
    assert await fixture.vault.keep(ALICE) is Kept.NOT_DUE

    stored = await fixture.stored()
    assert (stored.reauth_reason, stored.keep_at) == (reason, None)
    assert len(fixture.endpoint.requests) == 1


async def test_a_grant_with_nothing_to_renew_needs_the_person_and_is_not_due_again() -> None:
    fixture = await due(refresh=None)
    await fixture.change(keep_at=NOW)

    assert await fixture.vault.keep(ALICE) is Kept.NEEDS_PERSON

    assert (await fixture.stored()).keep_at is None
    assert fixture.endpoint.requests == []


@pytest.mark.check("B06")
async def test_a_refresh_token_that_is_over_by_a_wrong_clock_is_renewed() -> None:
    fixture = await due(issued(2))
    fixture.clock.now = NOW + 400 * 86_400

    assert await fixture.vault.keep(ALICE) is Kept.RENEWED

    stored = await fixture.stored()
    assert stored.reauth_reason is None
    assert stored.keep_at is not None


@pytest.mark.check("B10")
async def test_a_grant_whose_answers_were_lost_needs_the_person() -> None:
    fixture = await due(rotates=True)
    for _ in range(2):
        await fixture.claim_as_another(lease_seconds=1)
        fixture.clock.now += 1

    assert await fixture.vault.keep(ALICE) is Kept.NEEDS_PERSON

    assert (await fixture.stored()).reauth_reason == "refresh_ambiguous"
    assert fixture.endpoint.requests == []


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (issued(2), ("grant.refreshed", None)),
        (INVALID_GRANT, ("grant.reauth_required", "refresh_token_refused")),
    ],
)
async def test_what_became_of_a_grant_that_was_due_is_an_event_of_its_person(
    answer: HttpResponse, told: tuple[str, str | None]
) -> None:
    fixture = await due(answer)
    await fixture.change(profile=Profile("id of alice"))

    await fixture.vault.keep(ALICE)

    *_, event = await events(fixture.ledger)
    assert ((event.kind, event.reason), event.person_id) == (told, "id of alice")
    assert event.at == fixture.clock.now
