"""How the vault keeps tokens alive."""

import asyncio
import logging
from functools import partial
from typing import Any

import pytest
from unit.vault.scripted import (
    ALICE,
    INVALID_GRANT,
    NOW,
    SCOPES,
    SIGN_IN_URL,
    Answer,
    House,
    PausingStore,
    answer,
    begun,
    issued,
    tokens,
)

from webex_oauth.errors import (
    AnswerLost,
    InvalidClient,
    InvalidResponse,
    RateLimited,
    ReauthReason,
    ReauthRequired,
    RequestNotSent,
    ServerFailed,
    WebexOAuthError,
)
from webex_oauth.oauth.http import HttpResponse
from webex_oauth.secret import Secret
from webex_oauth.vault.vault import Kept

pytestmark = pytest.mark.anyio

FIRST, SECOND = Secret("access-1"), Secret("access-2")
TRANSIENT: list[tuple[Answer, type[WebexOAuthError]]] = [
    (RequestNotSent("no connection"), RequestNotSent),
    (AnswerLost("reset"), AnswerLost),
    (HttpResponse(429, {"retry-after": "7"}, b"<html>"), RateLimited),
    (HttpResponse(503, {}, b""), ServerFailed),
    (HttpResponse(200, {"content-type": "text/html"}, b"<html>"), InvalidResponse),
    (answer(401, {"error": "invalid_client"}), InvalidClient),
]


async def test_a_token_that_lives_is_served_without_a_request() -> None:
    house = House()
    await house.admit(tokens(lives_for=61))

    assert await house.vault.access_token(ALICE, min_ttl_seconds=60) == FIRST
    assert house.transport.requests == []


async def test_a_token_without_an_end_is_served() -> None:
    house = House()
    await house.admit(tokens(lives_for=None))

    assert await house.vault.access_token(ALICE) == FIRST


async def test_an_expired_token_is_refreshed_and_kept() -> None:
    house = House(issued(2))
    await house.admit(tokens())

    assert await house.vault.access_token(ALICE) == SECOND
    assert (await house.held()).tokens.access_token == SECOND
    assert house.transport.presented() == ["refresh-1"]


async def test_a_token_too_short_lived_for_its_caller_is_refreshed() -> None:
    house = House(issued(2))
    await house.admit(tokens(lives_for=600))

    assert await house.vault.access_token(ALICE, min_ttl_seconds=600) == SECOND


async def test_two_hundred_callers_cause_one_request() -> None:
    house = House(issued(2))
    await house.admit(tokens())
    house.transport.gate.clear()
    callers = [asyncio.create_task(house.vault.access_token(ALICE)) for _ in range(200)]
    await begun(house.transport)

    house.transport.gate.set()

    assert await asyncio.gather(*callers) == [SECOND] * 200
    assert len(house.transport.requests) == 1


@pytest.mark.parametrize(("line", "error"), TRANSIENT)
async def test_two_hundred_callers_share_one_failure(
    line: Answer, error: type[WebexOAuthError]
) -> None:
    house = House(line)
    await house.admit(tokens())
    house.transport.gate.clear()
    callers = [asyncio.create_task(house.vault.access_token(ALICE)) for _ in range(200)]
    await begun(house.transport)

    house.transport.gate.set()

    outcomes = await asyncio.gather(*callers, return_exceptions=True)
    assert {type(outcome) for outcome in outcomes} == {error}
    assert len(house.transport.requests) == 1


async def test_mixed_callers_share_one_request() -> None:
    house = House(issued(2))
    await house.admit(tokens())
    house.transport.gate.clear()
    expired = asyncio.create_task(house.vault.access_token(ALICE))
    refused = asyncio.create_task(house.vault.refreshed(ALICE, FIRST))
    await begun(house.transport)

    house.transport.gate.set()

    assert {await expired, await refused} == {SECOND}
    assert len(house.transport.requests) == 1


@pytest.mark.parametrize(("line", "error"), TRANSIENT)
async def test_a_transient_failure_loses_nothing(
    line: Answer, error: type[WebexOAuthError]
) -> None:
    house = House(line, issued(2))
    await house.admit(tokens())
    before = await house.held()

    with pytest.raises(error):
        await house.vault.access_token(ALICE)

    assert await house.held() == before
    house.clock.now += 10
    assert await house.vault.access_token(ALICE) == SECOND


@pytest.mark.parametrize(("line", "error"), TRANSIENT)
async def test_a_transient_failure_goes_unnoticed_while_the_old_token_lives(
    line: Answer, error: type[WebexOAuthError], caplog: pytest.LogCaptureFixture
) -> None:
    house = House(line)
    await house.admit(tokens(lives_for=30))

    with caplog.at_level(logging.DEBUG, "webex_oauth.vault.vault"):
        assert await house.vault.access_token(ALICE) == FIRST

    assert "serving the old token" in caplog.text
    assert issubclass(error, WebexOAuthError)


async def test_an_old_token_that_ended_during_the_refresh_is_not_served() -> None:
    house = House(HttpResponse(503))
    await house.admit(tokens(lives_for=5))
    house.transport.before_answer = lambda: setattr(house.clock, "now", NOW + 5)

    with pytest.raises(ServerFailed):
        await house.vault.access_token(ALICE)


@pytest.mark.parametrize(("line", "error"), TRANSIENT)
async def test_a_refused_token_is_not_served_again_after_a_transient_failure(
    line: Answer, error: type[WebexOAuthError]
) -> None:
    house = House(line)
    await house.admit(tokens(lives_for=1_000))

    with pytest.raises(error):
        await house.vault.refreshed(ALICE, FIRST)


async def test_a_refused_token_is_refreshed_however_long_it_had_to_live() -> None:
    house = House(issued(2))
    await house.admit(tokens(lives_for=1_000))

    assert await house.vault.refreshed(ALICE, FIRST) == SECOND


async def test_a_token_refused_after_somebody_refreshed_causes_no_request() -> None:
    house = House()
    await house.admit(tokens("access-2", lives_for=1_000))

    assert await house.vault.refreshed(ALICE, FIRST) == SECOND
    assert house.transport.requests == []


async def test_a_newer_token_that_ended_too_is_refreshed() -> None:
    house = House(issued(3))
    await house.admit(tokens("access-2"))

    assert await house.vault.refreshed(ALICE, FIRST) == Secret("access-3")


async def test_a_refresh_survives_the_cancellation_of_all_its_callers() -> None:
    house = House(issued(2))
    await house.admit(tokens())
    house.transport.gate.clear()
    caller = asyncio.create_task(house.vault.access_token(ALICE))
    await begun(house.transport)

    caller.cancel()
    await asyncio.wait([caller])
    house.transport.gate.set()
    await house.vault.close()

    assert (await house.held()).tokens.access_token == SECOND


async def test_a_closed_vault_hands_out_nothing() -> None:
    house = House()
    await house.admit(tokens(lives_for=30))
    vault = house.vault
    await vault.close()

    for use in (
        vault.access_token(ALICE),
        vault.refreshed(ALICE, FIRST),
        vault.refuse(ALICE, FIRST),
        vault.grant(ALICE),
    ):
        with pytest.raises(RuntimeError, match="the vault is closed: use an integration inside"):
            await use
    house.clock.now += 60 * 86_400
    assert await vault.keep(ALICE) is Kept.POSTPONED


NO_KEYS = ["mira@acme.example", None, b"", b"mira@acme.example", 7, ALICE.hex(), bytearray(ALICE)]


@pytest.mark.parametrize("key", NO_KEYS, ids=repr)
async def test_what_is_no_key_is_told_at_once(key: Any) -> None:
    vault = House().vault

    for use in (
        vault.access_token(key),
        vault.refreshed(key, FIRST),
        vault.refuse(key, FIRST),
        vault.grant(key),
        vault.keep(key),
    ):
        with pytest.raises(TypeError, match="a grant's key is 32 bytes, not "):
            await use


@pytest.mark.parametrize("token", ["access-1", None, b"access-1"], ids=repr)
async def test_a_token_that_is_no_secret_is_told_at_once(token: Any) -> None:
    house = House()
    await house.admit(tokens(lives_for=30))

    with pytest.raises(TypeError, match="a token or session id is a "):
        await house.vault.refreshed(ALICE, token)


async def test_lifetimes_count_from_when_the_request_was_made() -> None:
    house = House(issued(2, expires_in=1_000, refresh_token_expires_in=2_000))
    await house.admit(tokens())
    house.transport.before_answer = lambda: setattr(house.clock, "now", NOW + 9)

    await house.vault.access_token(ALICE)

    held = (await house.held()).tokens
    assert (held.access_expires_at, held.refresh_expires_at) == (NOW + 1_000, NOW + 2_000)


async def test_a_refresh_token_that_is_not_repeated_is_kept() -> None:
    house = House(issued(2, refresh_token=None, refresh_token_expires_in=None))
    await house.admit(tokens())

    await house.vault.access_token(ALICE)

    held = (await house.held()).tokens
    assert held.refresh_token == Secret("refresh-1")
    assert held.refresh_expires_at == NOW + 1_000_000


async def test_a_rotated_refresh_token_replaces_the_old_one() -> None:
    house = House(issued(2, refresh_token="refresh-2", expires_in=1), issued(3))
    await house.admit(tokens())

    await house.vault.access_token(ALICE)
    await house.vault.access_token(ALICE)

    assert house.transport.presented() == ["refresh-1", "refresh-2"]


async def test_scopes_are_kept_unless_the_answer_names_others() -> None:
    house = House(issued(2, expires_in=1), issued(3, scope="spark:people_read"))
    await house.admit(tokens())

    await house.vault.access_token(ALICE)
    assert (await house.vault.grant(ALICE)).scopes == SCOPES

    await house.vault.access_token(ALICE)
    assert (await house.vault.grant(ALICE)).scopes == {"spark:people_read"}


async def test_a_refused_refresh_token_needs_the_person() -> None:
    house = House(INVALID_GRANT)
    await house.admit(tokens())

    with pytest.raises(ReauthRequired) as refusal:
        await house.vault.access_token(ALICE)

    assert refusal.value.reason == ReauthReason.REFRESH_TOKEN_REFUSED


async def test_a_refused_refresh_token_is_not_presented_again() -> None:
    house = House(INVALID_GRANT)
    await house.admit(tokens())

    for _ in range(3):
        with pytest.raises(ReauthRequired):
            await house.vault.access_token(ALICE)
    with pytest.raises(ReauthRequired):
        await house.vault.refreshed(ALICE, FIRST)

    assert house.transport.presented() == ["refresh-1"]


async def test_a_refused_grant_is_marked_and_not_deleted() -> None:
    house = House(INVALID_GRANT)
    await house.admit(tokens())

    with pytest.raises(ReauthRequired):
        await house.vault.access_token(ALICE)

    held = await house.held()
    assert held.reauth_reason == "refresh_token_refused"
    assert held.tokens == tokens()


async def test_signing_in_again_makes_a_refused_grant_good() -> None:
    house = House(INVALID_GRANT)
    await house.admit(tokens())
    with pytest.raises(ReauthRequired):
        await house.vault.access_token(ALICE)

    await house.admit(tokens("access-2", lives_for=1_000))

    assert await house.vault.access_token(ALICE) == SECOND


async def test_a_refusal_adopts_the_tokens_that_somebody_else_stored() -> None:
    house = House(INVALID_GRANT)
    await house.admit(tokens())
    house.transport.gate.clear()
    caller = asyncio.create_task(house.vault.access_token(ALICE))
    await begun(house.transport)

    await house.admit(tokens("access-2", lives_for=1_000, refresh="refresh-2"))
    house.transport.gate.set()

    assert await caller == SECOND
    assert (await house.held()).reauth_reason is None


async def test_an_answer_does_not_overwrite_newer_tokens() -> None:
    house = House(issued(2))
    await house.admit(tokens())
    house.transport.gate.clear()
    caller = asyncio.create_task(house.vault.access_token(ALICE))
    await begun(house.transport)

    newer = tokens("access-3", lives_for=1_000, refresh="refresh-3")
    await house.admit(newer)
    house.transport.gate.set()

    assert await caller == Secret("access-3")
    assert (await house.held()).tokens == newer


async def test_an_answer_does_not_bring_back_a_grant_that_was_signed_out() -> None:
    house = House(issued(2))
    await house.admit(tokens())
    house.transport.before_answer = partial(house.store._grants.pop, ALICE)

    with pytest.raises(ReauthRequired) as refusal:
        await house.vault.access_token(ALICE)

    assert refusal.value.reason == ReauthReason.GRANT_ENDED
    assert await house.store.find_grant(ALICE) is None


async def test_a_caller_who_read_before_a_refresh_gets_its_token_without_another() -> None:
    store = PausingStore()
    house = House(issued(2), store=store)
    await house.admit(tokens())
    late = asyncio.create_task(house.vault.access_token(ALICE))
    await store.paused.wait()
    await house.vault.access_token(ALICE)

    store.gate.set()

    assert await late == SECOND
    assert len(house.transport.requests) == 1


async def test_a_caller_who_read_before_a_sign_in_whose_token_ended_too_gets_a_good_one() -> None:
    store = PausingStore()
    house = House(issued(3), store=store)
    await house.admit(tokens())
    late = asyncio.create_task(house.vault.access_token(ALICE))
    await store.paused.wait()
    await house.admit(tokens("access-2"))

    store.gate.set()

    assert await late == Secret("access-3")


async def test_a_grant_that_never_was_needs_the_person() -> None:
    house = House()

    with pytest.raises(ReauthRequired) as refusal:
        await house.vault.access_token(ALICE)

    assert refusal.value.reason == ReauthReason.GRANT_ENDED


async def test_an_expired_grant_without_a_refresh_token_needs_the_person() -> None:
    house = House()
    await house.admit(tokens(refresh=None))

    with pytest.raises(ReauthRequired) as refusal:
        await house.vault.access_token(ALICE)

    assert refusal.value.reason == ReauthReason.REFRESH_TOKEN_MISSING


async def test_a_refused_token_without_a_refresh_token_needs_the_person() -> None:
    house = House()
    await house.admit(tokens(lives_for=1_000, refresh=None))

    with pytest.raises(ReauthRequired) as refusal:
        await house.vault.refreshed(ALICE, FIRST)

    assert refusal.value.reason == ReauthReason.REFRESH_TOKEN_MISSING


async def test_no_token_reaches_the_log(caplog: pytest.LogCaptureFixture) -> None:
    house = House(HttpResponse(503), issued(2, expires_in=1), INVALID_GRANT)
    await house.admit(tokens(lives_for=30))

    with caplog.at_level(logging.DEBUG):
        await house.vault.access_token(ALICE)
        house.clock.now += 40
        await house.vault.access_token(ALICE)
        house.clock.now += 40
        with pytest.raises(ReauthRequired):
            await house.vault.access_token(ALICE)

    assert "access-" not in caplog.text
    assert "refresh-" not in caplog.text
    ours = [one for one in caplog.records if one.name.startswith("webex_oauth.")]
    told = [str(vars(record)) for record in ours]
    assert not any("access-" in line or "refresh-" in line for line in told)
    assert told
    assert all(ALICE.hex()[:12] in line for line in told)


async def test_a_plain_log_says_what_failed_whose_it_is_and_what_to_do(
    caplog: pytest.LogCaptureFixture,
) -> None:
    house = House(HttpResponse(503, {"retry-after": "9"}))
    await house.admit(tokens())

    with pytest.raises(ServerFailed):
        await house.vault.access_token(ALICE)

    [line] = [one.getMessage() for one in caplog.records if one.levelno == logging.WARNING]
    whose = ALICE.hex()[:12]
    assert line == f"the refresh of grant {whose} failed: Webex answered 503; come back in 9 s"


async def test_who_is_needed_is_told_where_to_go() -> None:
    house = House()

    with pytest.raises(ReauthRequired) as refusal:
        await house.vault.access_token(ALICE)

    assert refusal.value.grant == ALICE.hex()[:12]
    assert refusal.value.grant in str(refusal.value)
    assert refusal.value.sign_in_url == SIGN_IN_URL
    assert refusal.value.grant == ALICE.hex()[:12]
