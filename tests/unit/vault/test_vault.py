"""How the vault keeps tokens alive."""

import asyncio
import logging
from typing import Any

import pytest
from msgspec.structs import replace
from unit.vault.fakes import (
    ALICE,
    FIRST,
    INVALID_GRANT,
    NOW,
    SCOPES,
    SECOND,
    SIGN_IN_URL,
    THIRD,
    Answer,
    VaultFixture,
    answer,
    issued,
    signed_in,
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
from webex_oauth.vault.records import NO_TROUBLE
from webex_oauth.vault.vault import Kept

pytestmark = pytest.mark.anyio

transient = pytest.mark.parametrize(
    ("line", "error"),
    [
        (RequestNotSent("no connection"), RequestNotSent),
        (AnswerLost("reset"), AnswerLost),
        (HttpResponse(429, {"retry-after": "7"}, b"<html>"), RateLimited),
        (HttpResponse(503, {}, b""), ServerFailed),
        (HttpResponse(200, {"content-type": "text/html"}, b"<html>"), InvalidResponse),
        (answer(401, {"error": "invalid_client"}), InvalidClient),
    ],
)


async def asked_by(fixture: VaultFixture, count: int) -> list[Any]:
    """Let callers ask at the same time; return what each of them got."""
    fixture.endpoint.gate.clear()
    callers = [asyncio.create_task(fixture.vault.access_token(ALICE)) for _ in range(count)]
    await fixture.endpoint.reached()
    fixture.endpoint.gate.set()
    return await asyncio.gather(*callers, return_exceptions=True)


async def refusal(fixture: VaultFixture, refused: Secret | None = None) -> ReauthRequired:
    """Ask for a token that cannot be had without the person; return the error."""
    vault = fixture.vault
    use = vault.access_token(ALICE) if refused is None else vault.refreshed(ALICE, refused)
    with pytest.raises(ReauthRequired) as caught:
        await use
    return caught.value


@pytest.mark.parametrize("lives_for", [61, None])
async def test_a_token_that_lives_is_served_without_a_request(lives_for: int | None) -> None:
    fixture = await signed_in(lives_for=lives_for)

    assert await fixture.vault.access_token(ALICE, min_ttl_seconds=60) == FIRST
    assert fixture.endpoint.requests == []


@pytest.mark.parametrize("lives_for", [-1, 600])
async def test_a_token_too_short_lived_for_its_caller_is_refreshed_and_stored(
    lives_for: int,
) -> None:
    fixture = await signed_in(issued(2), lives_for=lives_for)

    assert await fixture.vault.access_token(ALICE, min_ttl_seconds=600) == SECOND
    assert (await fixture.stored()).tokens.access_token == SECOND
    assert fixture.endpoint.presented() == ["refresh-1"]


async def test_a_refresh_reads_the_row_once_and_writes_it_twice() -> None:
    fixture = await signed_in(issued(2))
    fixture.rows.calls.clear()

    await fixture.vault.access_token(ALICE)

    assert fixture.rows.calls == ["read", "claim", "tokens"]


async def test_two_hundred_callers_cause_one_request() -> None:
    fixture = await signed_in(issued(2))

    assert await asked_by(fixture, 200) == [SECOND] * 200
    assert len(fixture.endpoint.requests) == 1


async def test_mixed_callers_share_one_request() -> None:
    fixture = await signed_in(issued(2))
    fixture.endpoint.gate.clear()
    expired = asyncio.create_task(fixture.vault.access_token(ALICE))
    refused = asyncio.create_task(fixture.vault.refreshed(ALICE, FIRST))
    await fixture.endpoint.reached()

    fixture.endpoint.gate.set()

    assert {await expired, await refused} == {SECOND}
    assert len(fixture.endpoint.requests) == 1


@transient
async def test_a_transient_failure_loses_nothing(
    line: Answer, error: type[WebexOAuthError]
) -> None:
    fixture = await signed_in(line, issued(2))
    before = await fixture.stored()

    with pytest.raises(error):
        await fixture.vault.access_token(ALICE)

    assert replace(await fixture.stored(), trouble=NO_TROUBLE) == before
    fixture.clock.now += 10
    assert await fixture.vault.access_token(ALICE) == SECOND


@transient
async def test_a_transient_failure_goes_unnoticed_while_the_old_token_lives(
    line: Answer, error: type[WebexOAuthError], caplog: pytest.LogCaptureFixture
) -> None:
    fixture = await signed_in(line, lives_for=30)

    with caplog.at_level(logging.DEBUG, "webex_oauth.vault.vault"):
        assert await fixture.vault.access_token(ALICE) == FIRST

    assert "serving the old token" in caplog.text
    assert issubclass(error, WebexOAuthError)


async def test_an_old_token_that_ended_during_the_refresh_is_not_served() -> None:
    fixture = await signed_in(HttpResponse(503), lives_for=5)
    fixture.endpoint.before_answer = lambda: setattr(fixture.clock, "now", NOW + 5)

    with pytest.raises(ServerFailed):
        await fixture.vault.access_token(ALICE)


async def test_a_refused_token_is_refreshed_however_long_it_had_to_live() -> None:
    fixture = await signed_in(issued(2), lives_for=1_000)

    assert await fixture.vault.refreshed(ALICE, FIRST) == SECOND


async def test_a_refresh_survives_the_cancellation_of_all_its_callers() -> None:
    fixture = await signed_in(issued(2))
    fixture.endpoint.gate.clear()
    caller = asyncio.create_task(fixture.vault.access_token(ALICE))
    await fixture.endpoint.reached()

    caller.cancel()
    await asyncio.wait([caller])
    fixture.endpoint.gate.set()
    await fixture.vault.close()

    assert (await fixture.stored()).tokens.access_token == SECOND


async def test_a_closed_vault_hands_out_nothing() -> None:
    fixture = await signed_in(lives_for=30)
    vault = fixture.vault
    await vault.close()

    for use in (
        vault.access_token(ALICE),
        vault.refreshed(ALICE, FIRST),
        vault.refuse(ALICE, FIRST),
        vault.grant(ALICE),
    ):
        with pytest.raises(RuntimeError, match="the vault is closed: use an integration inside"):
            await use
    fixture.clock.now += 60 * 86_400
    assert await vault.keep(ALICE) is Kept.POSTPONED


NO_KEYS = ["mira@acme.example", None, b"", b"mira@acme.example", 7, ALICE.hex(), bytearray(ALICE)]


@pytest.mark.parametrize("key", NO_KEYS, ids=repr)
async def test_what_cannot_be_a_key_is_refused_at_once(key: Any) -> None:
    vault = VaultFixture().vault

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
async def test_a_token_that_is_no_secret_is_refused_at_once(token: Any) -> None:
    fixture = await signed_in(lives_for=30)

    with pytest.raises(TypeError, match="a token or session id is a "):
        await fixture.vault.refreshed(ALICE, token)


async def test_lifetimes_count_from_when_the_request_was_made() -> None:
    fixture = await signed_in(issued(2, expires_in=1_000, refresh_token_expires_in=2_000))
    fixture.endpoint.before_answer = lambda: setattr(fixture.clock, "now", NOW + 9)

    await fixture.vault.access_token(ALICE)

    stored = (await fixture.stored()).tokens
    assert (stored.access_expires_at, stored.refresh_expires_at) == (NOW + 1_000, NOW + 2_000)


async def test_a_refresh_token_that_is_not_repeated_is_kept() -> None:
    fixture = await signed_in(issued(2, refresh_token=None, refresh_token_expires_in=None))

    await fixture.vault.access_token(ALICE)

    stored = (await fixture.stored()).tokens
    assert stored.refresh_token == Secret("refresh-1")
    assert stored.refresh_expires_at == NOW + 1_000_000


async def test_scopes_are_kept_unless_the_answer_names_others() -> None:
    fixture = await signed_in(issued(2, expires_in=1), issued(3, scope="spark:people_read"))

    for scopes in (SCOPES, {"spark:people_read"}):
        await fixture.vault.access_token(ALICE)
        assert (await fixture.vault.grant(ALICE)).scopes == scopes


async def test_a_refused_refresh_token_needs_the_person_and_is_not_presented_again() -> None:
    fixture = await signed_in(INVALID_GRANT)

    for refused in (None, None, None, FIRST):
        needed = await refusal(fixture, refused)
        assert needed.reason == ReauthReason.REFRESH_TOKEN_REFUSED

    assert fixture.endpoint.presented() == ["refresh-1"]
    stored = await fixture.stored()
    assert stored.reauth_reason == "refresh_token_refused"
    assert stored.tokens == tokens()


@pytest.mark.parametrize("line", [INVALID_GRANT, issued(2)], ids=["refusal", "answer"])
async def test_newer_tokens_that_were_stored_meanwhile_are_adopted(line: Answer) -> None:
    fixture = await signed_in(line)
    newer = tokens("access-3", lives_for=1_000, refresh="refresh-3")
    fixture.endpoint.before_answer = lambda: fixture.admit(newer)

    assert await fixture.vault.access_token(ALICE) == THIRD

    stored = await fixture.stored()
    assert (stored.tokens, stored.reauth_reason) == (newer, None)


async def test_an_answer_does_not_bring_back_a_grant_that_was_signed_out() -> None:
    fixture = await signed_in(issued(2))
    fixture.endpoint.before_answer = lambda: fixture.rows.drop(ALICE)

    assert (await refusal(fixture)).reason == ReauthReason.GRANT_ENDED
    assert await fixture.ledger.find_grant(ALICE) is None


async def test_a_caller_who_read_before_a_refresh_gets_its_token_without_another() -> None:
    fixture = await signed_in(issued(2))
    other = fixture.another_vault()
    fixture.rows.after["read"] = [lambda: other.access_token(ALICE)]

    assert await fixture.vault.access_token(ALICE) == SECOND
    assert len(fixture.endpoint.requests) == 1


async def test_a_caller_who_read_before_a_sign_in_whose_token_ended_too_gets_a_good_one() -> None:
    fixture = await signed_in(issued(3))
    fixture.rows.after["read"] = [lambda: fixture.admit(tokens("access-2"))]

    assert await fixture.vault.access_token(ALICE) == THIRD


async def test_a_grant_that_never_was_needs_the_person_who_is_told_where_to_go() -> None:
    needed = await refusal(VaultFixture())

    assert needed.reason == ReauthReason.GRANT_ENDED
    assert needed.sign_in_url == SIGN_IN_URL
    assert needed.grant == ALICE.hex()[:12]
    assert needed.grant in str(needed)


@pytest.mark.parametrize(("lives_for", "refused"), [(-1, None), (1_000, FIRST)])
async def test_without_a_refresh_token_the_person_is_needed(
    lives_for: int, refused: Secret | None
) -> None:
    fixture = await signed_in(refresh=None, lives_for=lives_for)

    assert (await refusal(fixture, refused)).reason == ReauthReason.REFRESH_TOKEN_MISSING


async def test_no_token_reaches_the_log(caplog: pytest.LogCaptureFixture) -> None:
    fixture = await signed_in(
        HttpResponse(503), issued(2, expires_in=1), INVALID_GRANT, lives_for=30
    )

    with caplog.at_level(logging.DEBUG):
        await fixture.vault.access_token(ALICE)
        fixture.clock.now += 40
        await fixture.vault.access_token(ALICE)
        fixture.clock.now += 40
        await refusal(fixture)

    assert "access-" not in caplog.text
    assert "refresh-" not in caplog.text
    logged = [str(vars(one)) for one in caplog.records if one.name.startswith("webex_oauth.")]
    assert logged
    assert not any("access-" in line or "refresh-" in line for line in logged)
    assert all(ALICE.hex()[:12] in line for line in logged)


async def test_a_plain_log_says_what_failed_whose_it_is_and_what_to_do(
    caplog: pytest.LogCaptureFixture,
) -> None:
    fixture = await signed_in(HttpResponse(503, {"retry-after": "9"}))

    with pytest.raises(ServerFailed):
        await fixture.vault.access_token(ALICE)

    [line] = [one.getMessage() for one in caplog.records if one.levelno == logging.WARNING]
    whose = ALICE.hex()[:12]
    assert line == f"the refresh of grant {whose} failed: Webex answered 503; come back in 9 s"
