"""Grants of people: found, listed, used and revoked."""

import json
from typing import Any

import pytest
from library.people import LUCA, MIRA, World, cookies_of

from webex_oauth import (
    ApiError,
    AsyncIntegration,
    GrantNotFound,
    MissingScope,
    ReauthRequired,
    Secret,
    TemporaryError,
)
from webex_oauth.emulator import Answer
from webex_oauth.errors import RateLimited
from webex_oauth.webex import people, rooms

pytestmark = pytest.mark.anyio

TOKEN_PATH = "/v1/access_token"
FIFTEEN_DAYS = 15 * 86_400


async def test_a_grant_knows_its_person(world: World) -> None:
    async with AsyncIntegration(world.settings) as webex:
        adopted = await world.adopt(webex, LUCA)
        again = await webex.grants.get(adopted.person_id)

    assert (again.display_name, again.email, again.status) == ("Luca Moretti", LUCA, "active")
    assert again.scopes == set(world.settings.scopes)
    assert again == adopted
    assert "_key" not in repr(again)


async def test_nobody_is_named_for_who_never_came(world: World) -> None:
    async with AsyncIntegration(world.settings) as webex:
        with pytest.raises(GrantNotFound, match=r"nobody has signed in; .*webex-oauth login"):
            await webex.grants.one()
        with pytest.raises(LookupError, match="nothing is kept"):
            await webex.grants.get("Y2lzY29")
        with pytest.raises(GrantNotFound, match="find\\(email"):
            await webex.grants.get(LUCA)
        assert await webex.grants.find(email=LUCA) is None


async def test_the_only_grant_is_the_one_and_of_several_the_candidates_are_named(
    world: World,
) -> None:
    async with AsyncIntegration(world.settings) as webex:
        luca = await world.adopt(webex, LUCA)
        assert await webex.grants.one() == luca
        mira = await world.adopt(webex, MIRA)
        with pytest.raises(GrantNotFound, match="WEBEX_PERSON") as refused:
            await webex.grants.one()

        assert set(refused.value.candidates) == {LUCA, MIRA}
        assert await webex.grants.find(email=MIRA.upper()) == mira
        assert {grant.email async for grant in webex.grants.list()} == {LUCA, MIRA}
        assert [g async for g in webex.grants.list(status="reauth_required")] == []
        assert {g.email async for g in webex.grants.list(org_id=mira.org_id)} >= {MIRA}


async def test_the_settings_may_name_the_person(world: World) -> None:
    async with AsyncIntegration(world.settings) as webex:
        await world.adopt(webex, LUCA)
        mira = await world.adopt(webex, MIRA)
        for named in (MIRA, mira.person_id):
            world.env_file.write_text(world.env_file.read_text() + f"\nWEBEX_PERSON={named}\n")
            other = AsyncIntegration(type(world.settings).from_env(world.env_file, {}))
            async with other:
                assert (await other.grants.one()).email == MIRA


async def test_a_grant_calls_webex_in_three_ways(world: World) -> None:
    async with AsyncIntegration(world.settings) as webex:
        grant = await world.adopt(webex, LUCA)

        me = await grant.call(people.me())
        titles = [room.title async for room in grant.items(rooms.listing())]
        answer = await grant.request("GET", "rooms", params={"max": "1"})

    assert me.display_name == "Luca Moretti"
    assert len(titles) == 3
    assert [room["title"] for room in answer.json()["items"]] == titles[:1]
    assert json.loads(answer.text) == answer.json()


@pytest.mark.check("B12")
@pytest.mark.parametrize(
    "path",
    [
        "https://elsewhere.example/v1/people/me",
        "../people/me",
        "a/%2e%2e/%2e%2e/idb",
        "a\\..\\b",
        "people/me HTTP/1.1\r\nx: y",
        "//elsewhere.example/x",
    ],
)
async def test_a_token_goes_nowhere_but_to_the_api(world: World, path: str) -> None:
    async with AsyncIntegration(world.settings) as webex:
        grant = await world.adopt(webex, LUCA)
        world.emulator.journal.clear()
        with pytest.raises((ValueError, ApiError)):
            await grant.request("GET", path)

    paths = [one.path for one in world.emulator.journal.entries]
    assert [path for path in paths if not path.startswith("/v1/")] == []


@pytest.mark.parametrize(
    ("name", "value"),
    [("Authorization", "Bearer x"), ("host", "x"), ("x", "a\r\nb: c"), ("a b", "c")],
)
async def test_headers_that_would_change_the_request_are_refused(
    world: World, name: str, value: str
) -> None:
    async with AsyncIntegration(world.settings) as webex:
        grant = await world.adopt(webex, LUCA)
        with pytest.raises(ValueError, match="cannot be set"):
            await grant.request("GET", "people/me", headers={name: value})


async def test_the_head_of_an_answer_comes_alone(world: World) -> None:
    async with AsyncIntegration(world.settings) as webex:
        grant = await world.adopt(webex, LUCA)
        head = await grant.request("HEAD", "people/me")
        whole = await grant.request("GET", "people/me")

    assert (head.status, head.content) == (200, b"")
    assert head.headers["content-length"] == str(len(whole.content))


async def test_a_call_waits_as_long_as_webex_says_within_the_callers_bound(world: World) -> None:
    async with AsyncIntegration(world.settings) as webex:
        grant = await world.adopt(webex, LUCA)
        busy = Answer(status=429, headers={"Retry-After": "1"})
        world.emulator.faults.add("GET", "/v1/people/me", busy)
        assert (await grant.call(people.me())).display_name == "Luca Moretti"

        world.emulator.faults.add(
            "GET", "/v1/people/me", Answer(status=429, headers={"Retry-After": "9"})
        )
        with pytest.raises(TemporaryError) as refused:
            await grant.call(people.me(), wait_seconds=5)

    assert isinstance(refused.value, RateLimited)
    assert refused.value.retry_after_seconds == 9


async def test_a_token_that_ended_is_refreshed_once(world: World) -> None:
    async with AsyncIntegration(world.settings) as webex:
        grant = await world.adopt(webex, LUCA)
        before = await grant.access_token()
        after = await grant.access_token(refused=before)
        assert after != before
        assert await grant.access_token(refused=before) == after

    assert len(world.emulator.journal.matching("POST", TOKEN_PATH)) == 1


async def test_who_withdraws_is_named_in_the_error(world: World) -> None:
    async with AsyncIntegration(world.settings) as webex:
        grant = await world.adopt(webex, LUCA)
        world.emulator.tokens.clear()
        with pytest.raises(ReauthRequired) as refused:
            await grant.call(people.me())

        assert refused.value.person_id == grant.person_id
        assert (await webex.grants.get(grant.person_id)).status == "reauth_required"
        with pytest.raises(ReauthRequired):
            await grant.access_token()


async def test_a_missing_scope_is_named(world: World) -> None:
    async with AsyncIntegration(world.settings) as webex:
        grant = await world.adopt(webex, LUCA)

    assert grant.require(*grant.scopes) is grant
    with pytest.raises(MissingScope, match="spark:messages_write") as refused:
        grant.require("spark:people_read", "spark:messages_write")
    assert (refused.value.scopes, refused.value.person_id) == (
        ("spark:messages_write",),
        grant.person_id,
    )


async def test_a_revoked_grant_is_gone_here_and_at_webex(world: World) -> None:
    async with AsyncIntegration(world.settings) as webex:
        grant = await world.adopt(webex, LUCA)
        await grant.revoke()
        with pytest.raises(GrantNotFound):
            await webex.grants.get(grant.person_id)
        with pytest.raises(ReauthRequired):
            await grant.access_token()

    assert world.emulator.journal.count("POST", "/v1/revoke") == 2


async def test_a_sign_in_without_a_session_keeps_the_grant(world: World) -> None:
    async with AsyncIntegration(world.settings) as webex:
        start = await webex.sign_in.begin(return_to="/after?x=1", login_hint=LUCA)
        cookies = cookies_of(start.set_cookies)
        query = world.callback(start.url, LUCA)
        end = await webex.sign_in.complete(query, cookies)
        again = await webex.sign_in.complete(query, cookies)

        assert end.grant is not None
        assert (end.grant.email, end.return_to, end.set_cookies) == (LUCA, "/after?x=1", ())
        assert (again.grant, again.return_to) == (None, "/after?x=1")
        assert await webex.grants.one() == end.grant


async def test_a_session_is_known_by_its_cookie_until_it_is_signed_out(world: World) -> None:
    async with AsyncIntegration(world.settings) as webex:
        start = await webex.sign_in.begin()
        query = world.callback(start.url, LUCA)
        end = await webex.sign_in.complete(query, cookies_of(start.set_cookies), session=True)
        browser = cookies_of(end.set_cookies)

        current = await webex.sign_in.current(browser)
        assert current is not None
        assert current.email == LUCA
        assert await webex.sign_in.current({}) is None
        gone = await webex.sign_in.sign_out(browser)

        assert all("Max-Age=0" in cookie for cookie in gone)
        assert await webex.sign_in.current(browser) is None


async def test_more_scopes_can_be_asked_for(world: World) -> None:
    more = "spark:messages_read"
    async with AsyncIntegration(world.settings) as webex:
        start = await webex.sign_in.begin(scopes=[more])
        assert more.replace(":", "%3A") in start.url
        with pytest.raises(TypeError, match="give a list"):
            await webex.sign_in.begin(scopes=more)


async def test_a_wrong_type_is_refused_at_once(world: World) -> None:
    async with AsyncIntegration(world.settings) as webex:
        with pytest.raises(TypeError, match="a person id is text"):
            await webex.grants.get(7)  # type: ignore[arg-type]
        with pytest.raises(TypeError, match="Secret"):
            await webex.grants.adopt("token", Secret("x"), scopes=[])  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="settings are a Settings"):
        AsyncIntegration("settings")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "wrong",
    [
        {"scopes": "spark:all"},
        {"scopes": [1]},
        {"scopes": ["two words"]},
        {"expires_in": "soon"},
        {"refresh_token": []},
        {"refresh_token": ""},
    ],
)
async def test_wrong_arguments_do_not_replace_a_grant(world: World, wrong: dict[str, Any]) -> None:
    async with AsyncIntegration(world.settings) as webex:
        grant = await world.adopt(webex, LUCA)
        access_token, refresh_token = world.issued(LUCA)
        right: dict[str, Any] = {"refresh_token": refresh_token, "scopes": world.settings.scopes}
        with pytest.raises((TypeError, ValueError)):
            await webex.grants.adopt(access_token, **(right | wrong))

        assert await webex.grants.one() == grant


async def test_seconds_may_be_the_difference_of_two_instants(world: World) -> None:
    async with AsyncIntegration(world.settings) as webex:
        left_seconds: Any = 3600.5
        scopes = world.settings.scopes
        await webex.grants.adopt(*world.issued(LUCA), scopes=scopes, expires_in=left_seconds)

        assert (await webex.grants.one()).email == LUCA
