"""A code becomes a grant and a session, or nothing is kept and nothing is left at Webex."""

import secrets

import pytest
from msgspec.structs import replace
from unit.flows.fixtures import (
    ABSOLUTE_SECONDS,
    CLIENT,
    NOW,
    PERSON_URL,
    PLATFORM,
    REVOCATION_URL,
    SCOPES,
    TOKEN_URL,
    FlowFixture,
    answer,
    issued,
)

from webex_oauth.errors import (
    AccessTokenRefused,
    AttemptUnknown,
    InvalidGrant,
    InvalidResponse,
    RequestNotSent,
    StoreConflict,
    WebexOAuthError,
)
from webex_oauth.flows.code_redemption import Browser, TakenAttempt
from webex_oauth.oauth.authorization import AuthorizationCode, code_verifier
from webex_oauth.secret import Secret
from webex_oauth.vault.ledger import Admission, Ledger
from webex_oauth.vault.records import (
    Attempt,
    EndedSession,
    Profile,
    digest,
    digest_of_terms,
    grant_key,
)
from webex_oauth.vault.rows import Change, Kind, Row

pytestmark = pytest.mark.anyio

CODE = AuthorizationCode(Secret("the-code"))
ATTEMPT = Attempt(
    verifier=code_verifier(bytes(range(32))),
    return_to="/",
    terms=digest_of_terms(PLATFORM.server.issuer, CLIENT.redirect_uri, SCOPES),
    expires_at=NOW + 600,
)
ALICES = grant_key(PLATFORM.server.issuer, "id-of-alice")
FORBIDDEN = answer({"message": "no"}, 403)


async def taken(fixture: FlowFixture, attempt: Attempt = ATTEMPT) -> TakenAttempt:
    state_digest = secrets.token_bytes(32)
    mark = await fixture.ledger.take_state(state_digest, attempt.expires_at, NOW)
    return TakenAttempt(state_digest, attempt, mark)


async def redeem(fixture: FlowFixture, replaced: Secret | None = None) -> Secret:
    browser = Browser(digest(replaced) if replaced else None, "Firefox on Linux")
    admitted = await fixture.redemption.redeem(await taken(fixture), CODE, browser)
    assert admitted.session_id is not None
    return admitted.session_id


async def test_a_code_becomes_a_session_with_its_persons_profile() -> None:
    fixture = FlowFixture()

    session = await fixture.sessions.find(await redeem(fixture))

    assert session is not None
    assert session.grant_key == ALICES
    assert session.profile == Profile("id-of-alice", "Alice", "alice@acme.example", None, None)


async def test_the_grant_is_kept_sealed_with_what_was_granted() -> None:
    fixture = FlowFixture()
    fixture.webex.script(TOKEN_URL, issued(scope="spark:people_read"))

    await redeem(fixture)

    grant = await fixture.vault.grant(ALICES)
    assert grant.scopes == frozenset({"spark:people_read"})
    assert grant.tokens.access_token == Secret("access-token-1")
    assert grant.tokens.access_expires_at == NOW + 1_209_599


async def test_an_answer_without_scopes_granted_what_was_asked() -> None:
    fixture = FlowFixture()
    fixture.webex.script(TOKEN_URL, issued(scope=None))

    await redeem(fixture)

    assert (await fixture.vault.grant(ALICES)).scopes == frozenset(SCOPES)


async def test_a_session_ends_at_its_absolute_end() -> None:
    fixture = FlowFixture()
    session_id = await redeem(fixture)

    found = await fixture.ledger.find_session(digest(session_id))

    assert found
    assert found.record.expires_at == NOW + ABSOLUTE_SECONDS


@pytest.mark.parametrize(
    "terms",
    [
        ("https://idbroker.other.example/idb", CLIENT.redirect_uri, SCOPES),
        (PLATFORM.server.issuer, "http://localhost:8080/other", SCOPES),
        (PLATFORM.server.issuer, CLIENT.redirect_uri, (*SCOPES, "spark:messages_write")),
    ],
    ids=["issuer", "redirect URI", "scopes"],
)
@pytest.mark.check("A09")
async def test_an_attempt_of_another_configuration_is_not_redeemed(
    terms: tuple[str, str, tuple[str, ...]],
) -> None:
    fixture, attempt = FlowFixture(), replace(ATTEMPT, terms=digest_of_terms(*terms))

    with pytest.raises(AttemptUnknown):
        await fixture.redemption.redeem(await taken(fixture, attempt), CODE, Browser(None))

    assert fixture.webex.requests == []


async def test_without_people_read_webex_is_not_asked_who_it_is() -> None:
    fixture = FlowFixture()
    fixture.webex.script(TOKEN_URL, issued(scope="spark:rooms_read"))

    session = await fixture.sessions.find(await redeem(fixture))

    assert session is not None
    assert session.profile == Profile()
    assert [request.url for request in fixture.webex.requests] == [TOKEN_URL]


async def test_a_person_whom_webex_will_not_name_signs_in_all_the_same() -> None:
    fixture = FlowFixture()
    fixture.webex.script(PERSON_URL, FORBIDDEN)

    first, second = await redeem(fixture), await redeem(fixture)

    sessions = [await fixture.sessions.find(one) for one in (first, second)]
    keys = {session.grant_key for session in sessions if session}
    assert len(keys) == 2


@pytest.mark.parametrize(
    ("line", "error"),
    [
        (answer({"message": "no"}, 401), AccessTokenRefused),
        (answer([]), InvalidResponse),
        (RequestNotSent("no connection"), RequestNotSent),
    ],
    ids=["401", "an array", "not sent"],
)
@pytest.mark.check("B02")
async def test_tokens_of_a_failed_sign_in_are_revoked(
    line: Exception, error: type[WebexOAuthError]
) -> None:
    fixture = FlowFixture()
    fixture.webex.script(PERSON_URL, line)

    with pytest.raises(error):
        await redeem(fixture)

    assert fixture.revoked() == ["refresh-token-1", "access-token-1"]
    assert not await fixture.ledger.has_grant(ALICES)
    assert await fixture.queued() == []


@pytest.mark.check("B12")
async def test_tokens_of_a_failed_sign_in_are_queued_if_webex_does_not_revoke_them() -> None:
    fixture = FlowFixture()
    fixture.webex.script(PERSON_URL, RequestNotSent("no connection"))
    fixture.webex.script(REVOCATION_URL, answer({}, 503))

    with pytest.raises(RequestNotSent):
        await redeem(fixture)

    (queued,) = await fixture.queued()
    assert queued.tokens.refresh_token == Secret("refresh-token-1")
    assert queued.due_at == NOW + 30


async def test_a_refused_code_leaves_nothing_to_give_back() -> None:
    fixture = FlowFixture()
    fixture.webex.script(TOKEN_URL, answer({"error": "invalid_grant"}, 400))

    with pytest.raises(InvalidGrant):
        await redeem(fixture)

    assert [request.url for request in fixture.webex.requests] == [TOKEN_URL]


async def test_signing_in_again_replaces_the_tokens_of_the_same_grant() -> None:
    fixture = FlowFixture()
    fixture.webex.script(TOKEN_URL, issued(1), issued(2))

    first, second = await redeem(fixture), await redeem(fixture)

    assert (await fixture.vault.grant(ALICES)).tokens.access_token == Secret("access-token-2")
    assert await fixture.sessions.find(first) is not None
    assert await fixture.sessions.find(second) is not None


@pytest.mark.check("B12")
async def test_signing_in_again_gives_the_earlier_tokens_back_after_the_new_ones_are_kept() -> None:
    fixture = FlowFixture()
    fixture.webex.script(TOKEN_URL, issued(1), issued(2))
    await redeem(fixture)
    await redeem(fixture)
    (queued,) = await fixture.queued()

    await fixture.revocations.deliver_handed_over()

    assert queued.due_at == NOW
    assert fixture.revoked() == ["refresh-token-1", "access-token-1"]
    assert await fixture.queued() == []


@pytest.mark.check("B12")
@pytest.mark.parametrize("same", ["access_token", "refresh_token"])
async def test_earlier_tokens_that_are_still_in_use_are_not_given_back(same: str) -> None:
    fixture = FlowFixture()
    fixture.webex.script(TOKEN_URL, issued(1), issued(2, **{same: f"{same}-1".replace("_", "-")}))

    await redeem(fixture)
    await redeem(fixture)

    assert await fixture.queued() == []


async def test_earlier_tokens_whose_seal_is_broken_stop_no_sign_in() -> None:
    fixture = FlowFixture()
    await redeem(fixture)
    (row,) = await fixture.rows.read(Row(Kind.GRANT, ALICES))
    broken = Row(Kind.GRANT, ALICES, row.rev + 1, bytes(len(row.body)))
    await fixture.rows.apply([Change(broken, row.rev)], durably=False)

    session = await fixture.sessions.find(await redeem(fixture))

    assert session is not None
    assert await fixture.queued() == []


async def test_a_session_remembers_the_browser_in_which_it_was_begun() -> None:
    fixture = FlowFixture()

    session = await fixture.sessions.find(await redeem(fixture))

    assert session
    (listed,) = await fixture.sessions.of_person(session)
    assert listed.browser == "Firefox on Linux"


@pytest.mark.check("D02")
async def test_the_session_that_the_browser_had_ends_and_its_lonely_tokens_too() -> None:
    fixture = FlowFixture()
    old = await redeem(fixture)
    bob = answer({"id": "id-of-bob", "displayName": "Bob"})
    fixture.webex.script(PERSON_URL, bob)
    fixture.webex.script(TOKEN_URL, issued(2))

    new = await redeem(fixture, replaced=old)

    assert await fixture.sessions.find(old) is None
    assert await fixture.sessions.find(new) is not None
    await fixture.revocations.deliver_handed_over()
    assert fixture.revoked() == ["refresh-token-1", "access-token-1"]


class MovingLedger(Ledger):
    """Refuse some admissions because the grant has moved."""

    conflicts = 4

    async def admit(self, admission: Admission) -> EndedSession | None:
        if self.conflicts:
            self.conflicts -= 1
            raise StoreConflict("the grant moved")
        return await super().admit(admission)


class RestlessLedger(MovingLedger):
    conflicts = 1_000


async def test_a_grant_that_moves_meanwhile_is_sealed_anew() -> None:
    fixture = FlowFixture(ledger_type=MovingLedger)

    assert await fixture.sessions.find(await redeem(fixture)) is not None


async def test_a_grant_that_never_rests_ends_the_sign_in_and_gives_the_tokens_back() -> None:
    fixture = FlowFixture(ledger_type=RestlessLedger)

    with pytest.raises(StoreConflict):
        await redeem(fixture)

    assert len(fixture.revoked()) == 2
