"""The peer in Starlette: Authlib signs in, httpx calls Webex, sessions in memory, uvicorn."""

import os
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
from authlib.integrations.starlette_client import OAuth, OAuthError
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.sessions import SessionMiddleware
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route
from starlette.templating import Jinja2Templates

WEBEX_ORIGIN = os.environ["WEBEX_ORIGIN"]
AUTHORIZE_URL = urlsplit(os.environ["AUTH_INIT_URL"])
PARAMETERS = {name: values[0] for name, values in parse_qs(AUTHORIZE_URL.query).items()}
API = f"{WEBEX_ORIGIN}/v1"

templates = Jinja2Templates(Path(__file__).parent.parent / "flask_app" / "templates")
tokens: dict[str, str] = {}
webex = httpx.AsyncClient()
oauth = OAuth()
oauth.register(
    "webex",
    client_id=PARAMETERS["client_id"],
    client_secret=os.environ["CLIENT_SECRET"],
    authorize_url=f"{API}/authorize",
    access_token_url=f"{API}/access_token",
    client_kwargs={
        "scope": PARAMETERS["scope"],
        "code_challenge_method": "S256",
        "token_endpoint_auth_method": "client_secret_post",
    },
)


async def ask_webex(url: str, token: str) -> httpx.Response:
    """Call the API as a person."""
    response = await webex.get(url, headers={"authorization": f"Bearer {token}"})
    return response.raise_for_status()


def session_token(request: Request) -> str | None:
    """Look up the token of this browser's session."""
    return tokens.get(request.session.get("id", ""))


async def person_page(request: Request, token: str) -> Response:
    """Greet the person."""
    person = (await ask_webex(f"{API}/people/me", token)).json()
    context = {"display_name": person["displayName"]}
    return templates.TemplateResponse(request, "person.html", context)


async def root(_: Request) -> Response:
    """Lead to the home page, as the sample does."""
    return RedirectResponse("/index.html")


async def home(request: Request) -> Response:
    """Offer the sign-in, or greet the person."""
    token = session_token(request)
    if token:
        return await person_page(request, token)
    return templates.TemplateResponse(request, "home.html", {"link": "/login"})


async def login(request: Request) -> Response:
    """Lead to Webex."""
    redirect: Response = await oauth.webex.authorize_redirect(request, PARAMETERS["redirect_uri"])
    return redirect


async def callback(request: Request) -> Response:
    """Take the callback."""
    try:
        answer = await oauth.webex.authorize_access_token(request)
    except OAuthError as error:
        context = {"reason": error.error}
        return templates.TemplateResponse(request, "error.html", context, status_code=400)
    request.session["id"] = secrets.token_urlsafe(32)
    tokens[request.session["id"]] = answer["access_token"]
    return await person_page(request, answer["access_token"])


async def list_rooms(request: Request) -> Response:
    """Show the first page of rooms."""
    token = session_token(request)
    if not token:
        return RedirectResponse("/")
    rooms = (await ask_webex(f"{API}/rooms", token)).json()["items"]
    return templates.TemplateResponse(request, "rooms.html", {"rooms": rooms})


async def list_all_rooms(request: Request) -> Response:
    """Show every room."""
    token = session_token(request)
    if not token:
        return RedirectResponse("/")
    rooms: list[dict[str, Any]] = []
    url: str | None = f"{API}/rooms?max=1000"
    while url:
        response = await ask_webex(url, token)
        rooms += response.json()["items"]
        url = response.links.get("next", {}).get("url")
    return templates.TemplateResponse(request, "rooms.html", {"rooms": rooms})


@asynccontextmanager
async def lifespan(_: Starlette) -> AsyncIterator[None]:
    """Close the pool at the end."""
    async with webex:
        yield


app = Starlette(
    routes=[
        Route("/", root),
        Route("/index.html", home),
        Route("/login", login),
        Route("/oauth", callback),
        Route("/listrooms", list_rooms),
        Route("/listrooms/all", list_all_rooms),
    ],
    middleware=[Middleware(SessionMiddleware, secret_key=secrets.token_hex(64))],
    lifespan=lifespan,
)
