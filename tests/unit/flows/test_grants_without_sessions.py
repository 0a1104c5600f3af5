"""A grant for a program: signed in without a session, adopted, asked for with more scopes."""

import asyncio
from base64 import b64encode
from collections.abc import Collection

import pytest
from ledgers import grants, marks, sessions
from unit.flows.fixtures import (
    ALICE as ALICE_SAYS,
    NOW,
    PERSON_URL,
    REVOCATION_URL,
    SCOPES,
    TOKEN_URL,
    FlowFixture,
    Line,
    answer,
    issued,
)
from unit.flows.signing_in import callback_query, sign_in

from webex_oauth.errors import (
    AccessForbidden,
    AccessTokenRefused,
    AttemptUnknown,
    OrganizationRefused,
    ReauthRequired,
    ServerFailed,
)
from webex_oauth.flows.sessions import TokenFate
from webex_oauth.flows.sign_in import (
    HOME,
    MAX_LOGIN_HINT_CHARACTERS,
    MAX_RETURN_TO_CHARACTERS,
    NotSignedIn,
    Outcome,
    ReturnTo,
    SentOn,
    SignedIn,
    StartedSignIn,
)
from webex_oauth.oauth.authorization import MAX_MORE_SCOPES_CHARACTERS, read_callback
from webex_oauth.secret import Secret
from webex_oauth.vault.records import Profile
from webex_oauth.webex.scopes import SCOPES as ALL_SCOPES

pytestmark = pytest.mark.anyio

ALICE = Profile("id-of-alice", "Alice", "alice@acme.example")
ACCESS, REFRESH = Secret("access-from-elsewhere"), Secret("refresh-from-elsewhere")


async def complete(
    fixture: FlowFixture,
    started: StartedSignIn,
    *,
    session_id: Secret | None = None,
    wants_session: bool = False,
    allowed_orgs: Collection[str] = (),
) -> Outcome:
    return await fixture.sign_in.complete(
        read_callback(callback_query(started)),
        attempt=started.attempt,
        session_id=session_id,
        wants_session=wants_session,
        allowed_orgs=allowed_orgs,
    )


async def adopt(
    fixture: FlowFixture,
    access_token: Secret = ACCESS,
    refresh_token: Secret | None = REFRESH,
    expires_in: int | None = 900,
) -> bytes:
    return await fixture.adoption.adopt(
        access_token, refresh_token, scopes=SCOPES, expires_in=expires_in
    )


async def test_a_sign_in_without_a_session_leaves_a_grant_and_a_finished_mark() -> None:
    fixture = FlowFixture()

    outcome = await complete(fixture, fixture.sign_in.begin(ReturnTo("/there")))

    (grant,) = await grants(fixture.ledger)
    assert outcome == SignedIn(None, ReturnTo("/there"), grant.key)
    assert (grant.profile, grant.is_held) == (ALICE, True)
    assert await sessions(fixture.ledger) == []
    assert [mark.is_finished for mark in await marks(fixture.ledger)] == [True]


async def test_a_sign_in_with_a_session_knows_its_grant_and_its_person() -> None:
    fixture = FlowFixture()

    outcome = await complete(fixture, fixture.sign_in.begin(HOME), wants_session=True)

    (grant,) = await grants(fixture.ledger)
    assert isinstance(outcome, SignedIn)
    assert outcome.grant_key == grant.key
    assert (grant.profile, grant.is_held) == (ALICE, False)


async def test_the_browsers_earlier_session_stays_as_it_is() -> None:
    fixture = FlowFixture()
    earlier = await sign_in(fixture, "bob")
    fixture.webex.script(PERSON_URL, answer({"id": "id-of-alice"}))
    (before,) = await sessions(fixture.ledger)

    await complete(fixture, fixture.sign_in.begin(HOME), session_id=earlier.session_id)

    assert await sessions(fixture.ledger) == [before]
    assert len(await grants(fixture.ledger)) == 2


@pytest.mark.check("A06")
@pytest.mark.parametrize("deliveries", [(False, False), (False, True), (True, False)])
async def test_a_second_delivery_is_sent_on_and_spends_nothing(
    deliveries: tuple[bool, bool],
) -> None:
    fixture = FlowFixture()
    started = fixture.sign_in.begin(ReturnTo("/there"))

    first, *others = [
        await complete(fixture, started, wants_session=wants_session)
        for wants_session in deliveries
    ]

    assert isinstance(first, SignedIn)
    assert others == [SentOn(ReturnTo("/there"))]
    assert len(fixture.webex.forms(TOKEN_URL)) == 1


@pytest.mark.check("A03")
async def test_of_deliveries_at_once_one_signs_in_and_all_others_are_sent_on() -> None:
    fixture = FlowFixture()
    started = fixture.sign_in.begin(HOME)

    outcomes = await asyncio.gather(*(complete(fixture, started) for _ in range(20)))

    assert outcomes.count(SentOn(HOME)) == 19
    assert len(fixture.webex.forms(TOKEN_URL)) == 1


async def test_a_second_delivery_of_a_sign_in_that_failed_is_not_sent_on() -> None:
    fixture = FlowFixture()
    fixture.webex.script(TOKEN_URL, answer({"error": "invalid_grant"}, 400))
    started = fixture.sign_in.begin(HOME)
    await complete(fixture, started)

    again = await complete(fixture, started)

    assert isinstance(again, NotSignedIn)
    assert isinstance(again.error, AttemptUnknown)


ORG = "5fb2fd1d-6a4c-4e0a-9a6b-7a1cf5d2b0c1"
ORG_ID = b64encode(f"ciscospark://us/ORGANIZATION/{ORG}".encode()).decode().rstrip("=")


@pytest.mark.parametrize(
    "org_id", [None, "another", b64encode(b"ciscospark://us/PEOPLE/x").decode()]
)
async def test_of_people_of_other_organizations_nothing_is_kept(org_id: str | None) -> None:
    fixture = FlowFixture()
    fixture.webex.script(PERSON_URL, answer({"id": "id-of-alice", "orgId": org_id}))

    outcome = await complete(
        fixture, fixture.sign_in.begin(HOME), wants_session=True, allowed_orgs=[ORG_ID]
    )

    assert isinstance(outcome, NotSignedIn)
    assert isinstance(outcome.error, OrganizationRefused)
    assert not await grants(fixture.ledger)
    assert not await sessions(fixture.ledger)
    assert "refresh-token-1" in fixture.revoked()


@pytest.mark.parametrize("allowed", [ORG, ORG_ID])
async def test_an_allowed_organization_may_be_named_by_id_or_uuid(allowed: str) -> None:
    fixture = FlowFixture()
    fixture.webex.script(PERSON_URL, answer({"id": "id-of-alice", "orgId": ORG_ID}))

    outcome = await complete(fixture, fixture.sign_in.begin(HOME), allowed_orgs=["x", allowed])

    assert isinstance(outcome, SignedIn)


@pytest.mark.check("A17")
async def test_what_was_asked_for_in_particular_and_not_granted_is_told() -> None:
    fixture = FlowFixture()

    outcome = await complete(
        fixture, fixture.sign_in.begin(HOME, scopes=["spark:teams_read", *SCOPES])
    )

    assert isinstance(outcome, SignedIn)
    assert outcome.missing == ("spark:teams_read",)


async def test_a_held_grant_outlives_every_session_until_it_is_disconnected() -> None:
    fixture = FlowFixture()
    outcome = await complete(fixture, fixture.sign_in.begin(HOME))
    assert isinstance(outcome, SignedIn)
    session = await sign_in(fixture, number=2)

    assert await fixture.sessions.sign_out(session.session_id) is TokenFate.KEPT

    (grant,) = await grants(fixture.ledger)
    assert grant.is_held
    assert await fixture.vault.access_token(outcome.grant_key) == Secret("access-token-2")
    assert await fixture.sessions.disconnect(outcome.grant_key) is TokenFate.REVOKED
    assert await grants(fixture.ledger) == []
    await sign_in(fixture, number=3)
    assert [grant.is_held for grant in await grants(fixture.ledger)] == [False]


async def test_a_held_grant_outlives_idle_sessions_and_sign_ins_of_others() -> None:
    fixture = FlowFixture()
    await adopt(fixture)
    idle = await sign_in(fixture, number=2)
    fixture.now += 10_000

    assert await fixture.sessions.end_over(fixture.now, 9) == 1
    await sign_in(fixture, "bob", number=3, session_id=idle.session_id)

    assert {one.subject for one in await grants(fixture.ledger)} == {"id-of-alice", "id-of-bob"}


# Scopes and the hint


def asked_scopes(started: StartedSignIn) -> list[str]:
    scope = started.authorization_url.partition("&scope=")[2].partition("&")[0]
    return scope.replace("%3A", ":").split("%20")


async def test_a_sign_in_asks_for_more_scopes_and_keeps_the_ones_that_were_granted() -> None:
    fixture = FlowFixture()
    started = fixture.sign_in.begin(HOME, scopes=["spark:kms", "spark:all", *SCOPES])
    assert asked_scopes(started) == [*SCOPES, "spark:all", "spark:kms"]
    fixture.webex.script(TOKEN_URL, issued(scope="spark:people_read spark:kms"))

    assert isinstance(await complete(fixture, started), SignedIn)

    (grant,) = await grants(fixture.ledger)
    assert grant.scopes == {"spark:people_read", "spark:kms"}


async def test_an_answer_without_scopes_granted_the_ones_that_were_asked_for_too() -> None:
    fixture = FlowFixture()
    fixture.webex.script(TOKEN_URL, issued(scope=None))

    await complete(fixture, fixture.sign_in.begin(HOME, scopes=["spark:kms"]))

    assert [grant.scopes for grant in await grants(fixture.ledger)] == [{*SCOPES, "spark:kms"}]


@pytest.mark.bound("scopes that one sign-in adds")
@pytest.mark.parametrize("scope", ["", "two words", 'a"b', "a\\b", "é", "a\nb"])
def test_scopes_that_cannot_be_are_refused_and_so_are_more_than_a_cookie_holds(scope: str) -> None:
    fixture = FlowFixture()

    with pytest.raises(ValueError, match="a scope is a word"):
        fixture.sign_in.begin(HOME, scopes=[scope])
    with pytest.raises(ValueError, match="ask for them there"):
        fixture.sign_in.begin(HOME, scopes=sorted(ALL_SCOPES))
    fullest = fixture.sign_in.begin(
        ReturnTo("/".ljust(MAX_RETURN_TO_CHARACTERS, "x")),
        scopes=["x" * MAX_MORE_SCOPES_CHARACTERS],
    )
    assert len(fullest.attempt.reveal()) < 3_800, "browsers drop a cookie of more than 4 KiB"


@pytest.mark.bound("hint of whom to sign in")
def test_the_hint_of_whom_to_sign_in_goes_to_webex_if_it_can_be_an_address() -> None:
    longest = "a@b.example".rjust(MAX_LOGIN_HINT_CHARACTERS, "x")

    def hint(text: str | None) -> str:
        started = FlowFixture().sign_in.begin(HOME, login_hint=text)
        return started.authorization_url.partition("&login_hint=")[2]

    assert hint("a&b@acme.example") == "a%26b%40acme.example"
    assert hint(longest) == longest.replace("@", "%40")
    assert {hint(one) for one in (None, "", "x" + longest, "a@b\r\nc", "a\x00@b")} == {""}


# Tokens that were issued elsewhere


async def test_adopted_tokens_become_the_held_grant_of_whom_webex_says_they_are() -> None:
    fixture = FlowFixture()

    key = await adopt(fixture)

    (grant,) = await grants(fixture.ledger)
    assert (grant.key, grant.subject) == (key, "id-of-alice")
    assert (grant.profile, grant.is_held, grant.scopes) == (ALICE, True, frozenset(SCOPES))
    assert grant.tokens.access_expires_at == NOW + 900
    assert await fixture.vault.access_token(key) == ACCESS
    assert await marks(fixture.ledger) == []
    assert await sessions(fixture.ledger) == []


async def test_adopted_tokens_replace_the_ones_that_were_kept() -> None:
    fixture = FlowFixture()
    session = await sign_in(fixture)

    assert await adopt(fixture) == session.grant_key

    await fixture.revocations.deliver_handed_over()
    assert fixture.revoked() == ["refresh-token-1", "access-token-1"]


async def test_a_refresh_keeps_whose_grant_it_is_and_that_it_is_held() -> None:
    fixture = FlowFixture()
    key = await adopt(fixture)
    fixture.now += 900

    assert await fixture.vault.access_token(key) == Secret("access-token-1")

    (grant,) = await grants(fixture.ledger)
    assert (grant.profile, grant.is_held) == (ALICE, True)


@pytest.mark.parametrize(
    ("line", "error"),
    [
        (answer({"message": "scope"}, 403), AccessForbidden),
        (answer({}, 502), ServerFailed),
    ],
)
async def test_tokens_of_elsewhere_that_are_not_adopted_are_left_alone(
    line: Line, error: type[Exception]
) -> None:
    fixture = FlowFixture()
    fixture.webex.script(PERSON_URL, line)

    with pytest.raises(error):
        await adopt(fixture)

    assert fixture.webex.forms(REVOCATION_URL) == []
    assert await fixture.queued() == []
    assert await grants(fixture.ledger) == []


EXPIRED = answer({"message": "expired"}, 401)
ENDED = pytest.mark.parametrize("expires_in", [None, 900, 0, -86_400])


@ENDED
async def test_an_access_token_that_has_ended_is_refreshed_before_webex_says_whose_it_is(
    expires_in: int | None,
) -> None:
    fixture = FlowFixture()
    if expires_in is None or expires_in > 0:
        fixture.webex.script(PERSON_URL, EXPIRED, ALICE_SAYS)

    key = await adopt(fixture, expires_in=expires_in)

    (grant,) = await grants(fixture.ledger)
    assert (grant.key, grant.subject, grant.is_held) == (key, "id-of-alice", True)
    assert (grant.profile, grant.scopes) == (ALICE, frozenset(SCOPES))
    assert [form["refresh_token"] for form in fixture.webex.forms(TOKEN_URL)] == [REFRESH.reveal()]
    assert await fixture.vault.access_token(key) == Secret("access-token-1")
    assert grant.tokens.refresh_token == Secret("refresh-token-1")
    assert await fixture.queued() == []


@pytest.mark.check("B09")
async def test_what_a_refresh_brought_is_adopted_by_whoever_tries_again_with_the_spent_tokens() -> (
    None
):
    fixture = FlowFixture()
    fixture.webex.script(PERSON_URL, answer({}, 502), ALICE_SAYS)
    with pytest.raises(ServerFailed):
        await adopt(fixture, expires_in=0)
    fixture.webex.script(TOKEN_URL, answer({"error": "invalid_grant"}, 400))  # it is spent

    key = await adopt(fixture, expires_in=0)

    (grant,) = await grants(fixture.ledger)
    assert (grant.key, grant.profile) == (key, ALICE)
    assert grant.tokens.refresh_token == Secret("refresh-token-1")
    assert len(fixture.webex.forms(TOKEN_URL)) == 1


@ENDED
async def test_an_access_token_that_has_ended_alone_is_refused_with_what_to_do(
    expires_in: int | None,
) -> None:
    fixture = FlowFixture()
    fixture.webex.script(PERSON_URL, EXPIRED)

    with pytest.raises(AccessTokenRefused) as refused:
        await adopt(fixture, refresh_token=None, expires_in=expires_in)

    assert refused.value.remedy == "give the refresh token too, or let the person sign in"
    assert await grants(fixture.ledger) == []


async def test_a_refresh_token_that_is_refused_leaves_nothing_behind_and_is_not_revoked() -> None:
    fixture = FlowFixture()
    key = await adopt(fixture, expires_in=0)
    fixture.webex.script(TOKEN_URL, answer({"error": "invalid_grant"}, 400))  # it is spent

    with pytest.raises(ReauthRequired):
        await adopt(fixture, expires_in=0)

    assert [grant.key for grant in await grants(fixture.ledger)] == [key]
    assert fixture.revoked() == []
    assert await fixture.queued() == []


async def test_what_cannot_be_a_token_is_not_adopted() -> None:
    with pytest.raises(TypeError):
        await adopt(FlowFixture(), "a-token")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="header"):
        await adopt(FlowFixture(), Secret("a token\r\n"))
