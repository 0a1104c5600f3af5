"""Webex's SDKs act for a grant, also when its access token has ended at Webex."""

import asyncio
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import TypeAlias

import certifi
import pytest
from doors.spy import spying
from library.people import LUCA, World
from msgspec.structs import replace

from webex_oauth import AsyncIntegration, Grant, Integration, ReauthRequired
from webex_oauth.emulator import Answer
from webex_oauth.sdks import webexpythonsdk, wxc_sdk, wxc_sdk_async
from webex_oauth.settings.values import changed

ME, TOKEN = "/v1/people/me", "/v1/access_token"
FIFTEEN_DAYS = 15 * 86_400

# wxc_sdk is built in a way that aiohttp discourages.
pytestmark = pytest.mark.filterwarnings("ignore:Inheritance class AsRest:DeprecationWarning")

Ask: TypeAlias = Callable[[World, Grant], str | None]


def ask_webexpythonsdk(_: World, grant: Grant) -> str | None:
    api = webexpythonsdk(grant)
    try:
        return str(api.people.me().displayName)
    finally:
        api._session._req_session.close()


def ask_wxc_sdk(_: World, grant: Grant) -> str | None:
    with wxc_sdk(grant) as api:
        return api.people.me().display_name


def ask_wxc_sdk_async(world: World, grant: Grant) -> str | None:
    async def ask() -> str | None:
        async with AsyncIntegration(world.settings) as webex:
            own = await webex.grants.get(grant.person_id)
            async with wxc_sdk_async(own) as api:
                return (await api.people.me()).display_name

    return asyncio.run(ask())


EACH = pytest.mark.parametrize("ask", [ask_webexpythonsdk, ask_wxc_sdk, ask_wxc_sdk_async])


@pytest.fixture
def luca(world: World) -> Iterator[Grant]:
    with Integration(world.settings) as webex:
        grant = world.adopt_now(webex, LUCA)
        world.emulator.journal.clear()
        yield grant


def counts(world: World) -> tuple[int, int]:
    """Return how often the person and a token were asked for."""
    journal = world.emulator.journal
    return len(journal.matching("GET", ME)), len(journal.matching("POST", TOKEN))


@EACH
def test_an_sdk_acts_for_the_person_at_the_webex_of_the_settings(
    world: World, luca: Grant, ask: Ask
) -> None:
    assert ask(world, luca) == "Luca Moretti"
    assert counts(world) == (1, 0)


@EACH
def test_a_token_that_ended_is_refreshed_once_and_the_call_repeated_once(
    world: World, luca: Grant, ask: Ask
) -> None:
    world.emulator.clock.advance(FIFTEEN_DAYS)
    world.emulator.journal.clear()

    assert ask(world, luca) == "Luca Moretti"
    assert counts(world) == (2, 1)


@EACH
def test_only_the_person_can_help_if_the_refresh_is_refused(
    world: World, luca: Grant, ask: Ask
) -> None:
    world.emulator.tokens.clear()

    with pytest.raises(ReauthRequired):
        ask(world, luca)


@pytest.mark.check("B12")
@EACH
def test_no_token_follows_a_redirect_to_another_server(world: World, luca: Grant, ask: Ask) -> None:
    with spying(404) as spy:
        elsewhere = Answer(status=302, headers={"Location": f"{spy.origin}/"})
        world.emulator.faults.add("GET", ME, elsewhere)
        with pytest.raises(Exception, match="404"):
            ask(world, luca)

    assert len(spy.credentials) == 1
    assert spy.credentials[0] in {None, "Bearer each-request-gets-its-own"}


@EACH
def test_an_sdk_goes_through_the_proxy_of_the_settings_and_no_other(
    world: World, luca: Grant, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    origin = "https://webexapis.test"
    elsewhere = replace(world.settings.platform, origin=origin, api_base_url=f"{origin}/v1/")
    with spying() as spy:
        world.settings = changed(world.settings, platform=elsewhere, proxy=spy.origin)
        with Integration(world.settings) as webex, pytest.raises(Exception, match=r"403|[Pp]roxy"):
            ask(world, webex.grants.get(luca.person_id))

    assert spy.tunnels[0] == "webexapis.test:443"


def test_an_sdk_trusts_the_authorities_of_the_settings(world: World, luca: Grant) -> None:
    named = changed(world.settings, ca_file=certifi.where())
    with Integration(named) as webex, wxc_sdk(webex.grants.get(luca.person_id)) as api:
        assert api.session.verify == certifi.where()
        with wxc_sdk(webex.grants.get(luca.person_id), verify="own.pem") as own:
            assert own.session.verify == "own.pem"


def test_the_wrong_kind_of_grant_is_refused_at_once(world: World, luca: Grant) -> None:
    with pytest.raises(TypeError, match="wxc_sdk one of Integration"):
        wxc_sdk_async(luca)  # type: ignore[arg-type]

    async def mix_up() -> None:
        async with AsyncIntegration(world.settings) as webex:
            grant = await webex.grants.one()
            for sdk in (webexpythonsdk, wxc_sdk):
                with pytest.raises(TypeError, match="takes a Grant"):
                    sdk(grant)  # type: ignore[arg-type]

    asyncio.run(mix_up())


@pytest.mark.parametrize(
    ("module", "package"), [("webexpythonsdk", "webexpythonsdk"), ("wxc_sdk", "wxc-sdk")]
)
def test_a_missing_sdk_is_named(module: str, package: str) -> None:
    code = f"import sys; sys.modules[{module!r}] = None\n"
    code += f"from webex_oauth.sdks import {module} as sdk\nsdk(None)"
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False
    )

    assert f"{package} is not installed: pip install {package}" in run.stderr
