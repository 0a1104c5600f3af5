"""Sign-in with Webex in applications of Starlette and FastAPI."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any

import msgspec
import pytest
from doors.browsing import ORIGIN, PAGE, TEAMS, browsing, opened, settings_of
from fastapi import Depends, FastAPI, Security
from library.people import LUCA, MIRA, World
from starlette.applications import Starlette
from starlette.exceptions import HTTPException, WebSocketException
from starlette.middleware import Middleware
from starlette.middleware.sessions import SessionMiddleware
from starlette.requests import HTTPConnection, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Mount, Route, Router
from starlette.types import Message
from starlette.websockets import WebSocket

from webex_oauth import AsyncGrant, AsyncIntegration, WebexOAuthError
from webex_oauth.fastapi import WebexAuth
from webex_oauth.frameworks.answers import MOST_IN_A_ROW
from webex_oauth.starlette import WebexAuth as StarletteAuth
from webex_oauth.webex import rooms

pytestmark = pytest.mark.anyio

ROOMS = "spark:rooms_read"
PRIVATE_HOST = [Middleware(SessionMiddleware, secret_key="of-the-test")]


def fastapi_app(webex: WebexAuth, app: FastAPI) -> FastAPI:
    @app.get("/me")
    async def me(grant: Annotated[AsyncGrant, Security(webex)]) -> str | None:
        return grant.email

    @app.get("/rooms")
    async def my_rooms(grant: Annotated[AsyncGrant, Security(webex, scopes=[ROOMS])]) -> int:
        return len([room async for room in grant.items(rooms.listing())])

    @app.get("/teams")
    async def teams(grant: Annotated[AsyncGrant, Security(webex, scopes=[TEAMS])]) -> bool:
        return TEAMS in grant.scopes

    @app.get("/anybody")
    async def anybody(grant: Annotated[AsyncGrant | None, Depends(webex.optional)]) -> str | None:
        return grant.email if grant else None

    @app.post("/change")
    async def change(grant: Annotated[AsyncGrant, Security(webex)]) -> str | None:
        return grant.email

    return app


def application(world: World, **choices: Any) -> FastAPI:
    app = FastAPI()
    app.state.webex = WebexAuth(app, **({"settings": world.settings} | choices))
    return fastapi_app(app.state.webex, app)


def webex_of(app: FastAPI) -> WebexAuth:
    webex = app.state.webex
    assert isinstance(webex, WebexAuth)
    return webex


async def test_a_person_signs_in_comes_back_reloads_and_signs_out(world: World) -> None:
    async with browsing(application(world)) as browser:
        sent = await browser.visit("/rooms?x=1")
        assert sent.headers["location"] == "/login?return_to=%2Frooms%3Fx%3D1"
        assert (await browser.get("/rooms")).json()["error"] == "GrantNotFound"

        back = await browser.sign_in(MIRA, sent.headers["location"])
        again = await browser.get(str(back.url))

        assert back.headers["location"] == again.headers["location"] == "/rooms?x=1"
        assert (await browser.get("/rooms")).json() == 250
        assert (await browser.get("/anybody")).json() == MIRA
        told = (await browser.get("/session")).json()
        assert (told["signed_in"], told["display_name"]) == (True, "Mira Ito")
        assert ROOMS in told["scopes"]

        asks = await browser.get("/logout?return_to=/anybody", headers=PAGE)
        assert 'action="/logout?return_to=/anybody"' in asks.text
        out = await browser.post("/logout?return_to=/anybody", headers={"origin": ORIGIN})

        assert out.headers["location"] == "/anybody"
        assert (await browser.get("/me")).status_code == 401
        assert (await browser.get("/anybody")).json() is None
        nobody: dict[str, object] = {"signed_in": False, "display_name": None, "scopes": []}
        assert (await browser.get("/session")).json() == nobody
    assert world.emulator.journal.count("POST", "/v1/access_token") == 1


@pytest.mark.check("D14")
async def test_no_cache_gives_the_answer_for_one_person_to_another(world: World) -> None:
    app = application(world)

    @app.get("/public")
    async def public() -> str:
        return "for everybody"

    @app.get("/kept")
    async def kept(grant: Annotated[AsyncGrant, Security(webex_of(app))], answer: Response) -> str:
        answer.headers["cache-control"] = "private, max-age=60"
        return grant.person_id

    async with browsing(app) as browser:
        nobody = await browser.get("/anybody")
        await browser.sign_in()
        mine, public_answer = await browser.get("/me"), await browser.get("/public")
        kept_answer = await browser.get("/kept")

    for answer in (nobody, mine):
        assert (answer.headers["cache-control"], answer.headers["vary"]) == ("no-store", "Cookie")
    assert kept_answer.headers["cache-control"] == "private, max-age=60"
    assert "cache-control" not in public_answer.headers


async def test_starlette_alone_knows_the_person_of_a_request(world: World) -> None:
    async def me(request: Request) -> Response:
        return PlainTextResponse((await webex.grant(request, ROOMS)).email)

    app = Starlette(routes=[Route("/me", me)])
    webex = StarletteAuth(app, settings=world.settings)

    async with browsing(app) as browser:
        back = await browser.sign_in(path=(await browser.visit("/me")).headers["location"])

        assert back.headers["location"] == "/me"
        assert (await browser.get("/me")).text == LUCA


async def test_the_parts_can_be_given_by_hand(world: World) -> None:
    webex = WebexAuth(settings=world.settings)
    app = fastapi_app(webex, FastAPI(lifespan=webex.lifespan))
    app.include_router(webex.router)
    app.add_exception_handler(WebexOAuthError, webex.answer_error)

    async with browsing(app) as browser:
        await browser.sign_in()

        assert (await browser.get("/me")).json() == LUCA
        assert (await browser.get("/teams")).status_code == 403


async def test_the_applications_own_lifespan_stays(world: World) -> None:
    lives = []

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[dict[str, int]]:
        lives.append("began")
        yield {"answer": 42}
        lives.append("ended")

    app = FastAPI(lifespan=lifespan)
    WebexAuth(app, settings=world.settings)

    async with app.router.lifespan_context(app) as state:
        assert state == {"answer": 42}
    assert lives == ["began", "ended"]


async def test_an_integration_of_the_host_is_shared_and_left_open(world: World) -> None:
    async with AsyncIntegration(world.settings) as webex:
        app = FastAPI()
        fastapi_app(WebexAuth(app, integration=webex), app)
        async with browsing(app) as browser:
            await browser.sign_in()
        assert (await webex.grants.one()).email == LUCA


async def test_the_openapi_document_names_the_cookie(world: World) -> None:
    async with browsing(application(world)) as browser:
        document = (await browser.get("/openapi.json")).json()

    scheme = document["components"]["securitySchemes"]["Webex"]
    assert (scheme["type"], scheme["in"]) == ("apiKey", "cookie")
    assert document["paths"]["/teams"]["get"]["security"] == [{"Webex": [TEAMS]}]
    assert "/login" not in document["paths"]


@pytest.mark.check("A17")
async def test_a_missing_scope_starts_a_sign_in_for_it_and_for_all_that_was_granted(
    world: World,
) -> None:
    async with browsing(application(world, settings=settings_of(world))) as browser:
        await browser.sign_in()
        assert (await browser.get("/teams")).json()["error"] == "MissingScope"
        start = await browser.get((await browser.visit("/teams")).headers["location"])
        assert TEAMS.replace(":", "%3A") in start.headers["location"]

        back = await browser.come_back(start)

        assert back.headers["location"] == "/teams"
        assert (await browser.get("/teams")).json() is True
        later = await browser.get("/login")
        assert TEAMS.replace(":", "%3A") in later.headers["location"]


@pytest.mark.check("A17")
async def test_a_scope_that_webex_does_not_grant_leads_to_a_page_and_not_round_and_round(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    fewer = msgspec.structs.replace(
        world.emulator.options, granted_scopes=("spark:people_read", ROOMS)
    )
    monkeypatch.setattr(world.emulator, "options", fewer)
    async with browsing(application(world, settings=settings_of(world))) as browser:
        await browser.sign_in()
        page = await browser.sign_in(path=(await browser.visit("/teams")).headers["location"])

        assert page.status_code == 403
        assert TEAMS in page.text
        assert "spark%3Ateams_read" in page.text  # the button asks for it again
        assert (await browser.get("/me")).json() == LUCA


@pytest.mark.bound("sign-ins of a browser in a row")
async def test_whoever_is_sent_to_sign_in_again_and_again_is_asked(world: World) -> None:
    async with browsing(application(world)) as browser:
        for _ in range(MOST_IN_A_ROW):
            assert (await browser.get("/login")).status_code == 303

        page = await browser.get("/login?return_to=/me&scope=a+b")

        assert page.status_code == 200
        assert 'action="/login?return_to=%2Fme&amp;scope=a+b"' in page.text
        assert (await browser.post("/login?return_to=/me")).status_code == 303


async def test_a_person_who_withdrew_the_application_signs_in_again(world: World) -> None:
    async with browsing(application(world)) as browser:
        await browser.sign_in()
        person = world.emulator.world.person_by_email(LUCA)
        assert person
        world.emulator.withdraw(person, integration=world.registered)

        refused = await browser.get("/rooms")

        assert (refused.status_code, refused.json()["error"]) == (401, "ReauthRequired")
        assert (await browser.get("/session")).json()["signed_in"] is False
        sent = await browser.visit("/rooms")
        assert (await browser.sign_in(path=sent.headers["location"])).status_code == 303
        assert (await browser.get("/rooms")).json() == 3


async def test_a_person_who_declines_can_try_again(world: World) -> None:
    async with browsing(application(world)) as browser:
        start = await browser.get("/login?return_to=/me")

        page = await browser.come_back(start, declines=True)

        assert page.status_code == 403
        assert 'action="/login?return_to=%2Fme"' in page.text
        assert page.headers["referrer-policy"] == "strict-origin"


@pytest.mark.check("A02")
async def test_a_callback_counts_in_the_browser_that_began_it_alone(world: World) -> None:
    app = application(world)
    async with browsing(app) as browser, opened(app) as victim:
        start = await browser.get("/login")
        url = browser.visitor.sign_in(start.headers["location"], LUCA)

        page = await victim.get(url)

        assert page.status_code == 400
        assert (await victim.get("/me")).status_code == 401
    assert world.emulator.journal.count("POST", "/v1/access_token") == 0


@pytest.mark.check("A03")
async def test_of_callbacks_at_once_one_redeems_the_code_and_all_land(world: World) -> None:
    async with browsing(application(world)) as browser:
        start = await browser.get("/login?return_to=/me")
        url = browser.visitor.sign_in(start.headers["location"], LUCA)

        answers = await asyncio.gather(*(browser.get(url) for _ in range(10)))

        assert {answer.headers["location"] for answer in answers} == {"/me"}
        assert (await browser.get("/me")).json() == LUCA
    assert world.emulator.journal.count("POST", "/v1/access_token") == 1


async def test_an_old_callback_of_somebody_who_is_signed_in_says_so(world: World) -> None:
    async with browsing(application(world)) as browser:
        await browser.sign_in()

        page = await browser.visit("/oauth?code=abc&state=" + "x" * 43)

        assert "already" in page.text


@pytest.mark.check("A16")
@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"}, 200),
        ({"sec-purpose": "prefetch"}, 204),
        ({"sec-fetch-mode": "no-cors", "sec-fetch-dest": "image"}, 204),
    ],
)
async def test_a_sign_in_that_no_person_asked_for_does_not_begin(
    world: World, headers: dict[str, str], status: int
) -> None:
    async with browsing(application(world)) as browser:
        answer = await browser.get("/login?return_to=/me", headers=headers)
        forged = await browser.post("/login", headers={"origin": "https://evil"})
        alone = await browser.head("/login")

    assert [answer.status_code, forged.status_code, alone.status_code] == [status, 403, 204]
    assert not browser.cookies


@pytest.mark.check("D09")
@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil"},
        {"origin": "null", "sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site", "origin": ORIGIN},
    ],
)
async def test_another_site_cannot_change_anything_as_the_person(
    world: World, headers: dict[str, str]
) -> None:
    async with browsing(application(world)) as browser:
        await browser.sign_in()

        assert (await browser.post("/change", headers=headers)).status_code == 403
        assert (await browser.post("/logout", headers=headers)).status_code == 403
        assert (await browser.get("/logout", headers=PAGE | headers)).status_code == 200
        assert (await browser.post("/change", headers={"origin": ORIGIN})).json() == LUCA
        assert (await browser.post("/change")).json() == LUCA  # a program


@pytest.mark.parametrize("origin", ["https://evil", "null"])
async def test_a_socket_that_another_site_opens_is_refused(world: World, origin: str) -> None:
    webex = WebexAuth(settings=world.settings)
    scope = {"type": "websocket", "headers": [(b"origin", origin.encode())]}

    with pytest.raises(WebSocketException):
        await webex.optional(HTTPConnection(scope))


async def test_a_socket_of_nobody_is_closed_and_nothing_more(world: World) -> None:
    app = application(world)

    @app.websocket("/socket")
    async def socket(_: WebSocket, grant: Annotated[AsyncGrant, Security(webex_of(app))]) -> None:
        raise AssertionError(grant)

    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    async def receive() -> Message:
        return {"type": "websocket.connect"}

    async with webex_of(app).lifespan(app):
        scope = {"type": "websocket", "path": "/socket", "headers": [], "query_string": b""}
        await app(scope, receive, send)

    assert sent == [{"type": "websocket.close", "code": 1008, "reason": "GrantNotFound"}]


async def test_people_of_other_organizations_are_refused_and_nothing_is_kept(
    world: World,
) -> None:
    app = application(world, allowed_orgs=["an-organization-of-others"])
    async with browsing(app) as browser:
        page = await browser.sign_in()

        assert page.status_code == 403
        assert "other organizations" in page.text
        assert (await browser.get("/me")).status_code == 401
    async with AsyncIntegration(world.settings) as webex:
        assert [grant async for grant in webex.grants.list()] == []


async def test_a_session_counts_no_more_once_its_organization_is_not_allowed(
    world: World,
) -> None:
    async with browsing(application(world)) as browser:
        await browser.sign_in()
        cookies = browser.cookies
    async with browsing(application(world, allowed_orgs=["others"])) as browser:
        browser.cookies = cookies

        assert (await browser.get("/me")).status_code == 401


def host_app(world: World, **choices: Any) -> FastAPI:
    app = FastAPI(middleware=PRIVATE_HOST)
    webex = WebexAuth(app, settings=world.settings, session="host", **choices)

    @app.get("/session-of-host")
    async def look(request: Request) -> dict[str, Any]:
        return request.session

    @app.get("/plant")
    async def plant(request: Request) -> None:
        request.session["planted"] = "before the sign-in"

    return fastapi_app(webex, app)


async def test_the_hosts_session_can_carry_the_person(world: World) -> None:
    async with browsing(host_app(world)) as browser:
        await browser.get("/plant")
        await browser.sign_in()

        (key,) = (await browser.get("/session-of-host")).json()
        assert key == "webex_person_id"
        assert (await browser.get("/me")).json() == LUCA
        await browser.get("/plant")
        await browser.sign_in()
        assert len((await browser.get("/session-of-host")).json()) == 2
        await browser.post("/logout")
        assert (await browser.get("/session-of-host")).json() == {}
        assert (await browser.get("/me")).status_code == 401
    async with AsyncIntegration(world.settings) as webex:
        assert (await webex.grants.one()).email == LUCA  # it lives until somebody revokes it


async def test_a_person_whom_on_sign_in_refuses_is_not_signed_in(world: World) -> None:
    async def refuse(_: Request, __: AsyncGrant) -> None:
        raise HTTPException(403)

    async with browsing(host_app(world, on_sign_in=refuse)) as browser:
        assert (await browser.sign_in()).status_code == 403
        assert (await browser.get("/session-of-host")).json() == {}


async def test_a_host_without_sessions_is_told_before_anybody_goes_to_webex(world: World) -> None:
    async with browsing(application(world, session="host")) as browser:
        with pytest.raises(RuntimeError, match="SessionMiddleware"):
            await browser.get("/login")


SCOPE = {"type": "http", "path": "/", "query_string": b"", "headers": []}


async def test_a_host_with_users_of_its_own_hears_of_each_sign_in(world: World) -> None:
    heard = []

    async def remember(request: Request, grant: AsyncGrant) -> Response | None:
        heard.append(grant.email)
        return JSONResponse("linked") if request.url.path and len(heard) == 2 else None

    app = FastAPI()
    webex = WebexAuth(
        app, settings=world.settings, session=None, login_path="/connect", on_sign_in=remember
    )
    async with browsing(app) as browser:
        first = await browser.sign_in(path="/connect?return_to=/profile")
        second = await browser.sign_in(path="/connect")

        assert first.headers["location"] == "/profile"
        assert second.json() == "linked"
        assert heard == [LUCA, LUCA]
        assert (await webex.integration.grants.one()).email == LUCA
        assert (await browser.get("/logout")).status_code == 404
        with pytest.raises(RuntimeError, match="session=None"):
            await webex.optional(
                HTTPConnection({"type": "http", "path": "/", "query_string": b"", "headers": []})
            )


@pytest.mark.parametrize("login_path", ["/login", "/sub/login"])
@pytest.mark.parametrize("is_mounted", [True, False])
async def test_below_a_prefix_every_path_has_it(
    world: World,
    *,
    is_mounted: bool,
    login_path: str,
) -> None:
    settings, inner = settings_of(world, "/sub/oauth"), FastAPI()
    webex = WebexAuth(inner, settings=settings, login_path=login_path)
    fastapi_app(webex, inner)

    async def deeper(request: Request) -> Response:
        return PlainTextResponse((await webex.grant(request)).email)

    inner.mount("/deeper", Router([Route("/me", deeper)]))
    outer = Starlette(routes=[Mount("/sub", inner)], lifespan=webex.lifespan)
    app, root_path = (outer, "") if is_mounted else (inner, "/sub")
    base = "/sub" if is_mounted else ""

    async with browsing(app, root_path) as browser:
        assert (await browser.get(f"{base}/me")).json()["sign_in_url"] == (
            f"{ORIGIN}/sub/login?return_to=%2Fsub%2F"
        )
        sent = await browser.visit("/sub/deeper/me")
        assert sent.headers["location"] == "/sub/login?return_to=%2Fsub%2Fdeeper%2Fme"
        back = await browser.sign_in(path=sent.headers["location"])

        assert back.headers["location"] == "/sub/deeper/me"
        assert (await browser.get("/sub/deeper/me")).text == LUCA
        assert 'href="/sub/"' in (await browser.visit("/sub/logout")).text
        assert (await browser.post("/sub/logout")).headers["location"] == "/sub/"
        assert (await browser.get(f"{base}/me")).status_code == 401


@pytest.mark.parametrize(
    "choices", [{"session": "other"}, {"session": None}, {"allowed_orgs": "one-id"}]
)
async def test_a_choice_that_cannot_be_is_refused_at_once(
    world: World, choices: dict[str, Any]
) -> None:
    with pytest.raises((TypeError, ValueError)):
        WebexAuth(settings=world.settings, **choices)


def test_the_door_for_starlette_needs_nothing_but_starlette() -> None:
    forbidden = (
        "fastapi",
        "jinja2",
        "multipart",
        "python_multipart",
        "uvicorn",
        "structlog",
        "click",
    )
    program = (
        f"import sys; sys.modules.update(dict.fromkeys({forbidden}))\n"
        "from webex_oauth.starlette import WebexAuth"
    )

    subprocess.run([sys.executable, "-c", program], check=True)
