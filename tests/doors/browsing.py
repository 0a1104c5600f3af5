"""A browser at an application that runs in the test's own loop."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import httpx
from library.people import LUCA, World
from starlette.applications import Starlette

from webex_oauth import Settings
from webex_oauth.emulator import Visitor

ORIGIN = "http://localhost:8080"
PAGE = {"accept": "text/html"}
TEAMS = "spark:teams_read"


class Browser(httpx.AsyncClient):
    """A client that keeps cookies; *visitor* is its person at Webex."""

    visitor: Visitor

    async def come_back(
        self, start: httpx.Response, email: str = LUCA, *, declines: bool = False
    ) -> httpx.Response:
        """Decide at Webex, where *start* leads, and visit the callback."""
        assert start.status_code == 303, start.text
        url = start.headers["location"]
        decided = self.visitor.sign_in(url, email, "decline" if declines else "accept")
        return await self.get(decided)

    async def sign_in(self, email: str = LUCA, path: str = "/login") -> httpx.Response:
        return await self.come_back(await self.get(path), email)

    async def visit(self, path: str, headers: Mapping[str, str] = PAGE) -> httpx.Response:
        return await self.get(path, headers=headers)


def settings_of(world: World, path: str = "/oauth") -> Settings:
    """Register an integration that has one scope more than it asks for."""
    scopes = ("spark:people_read", "spark:rooms_read", "spark:messages_write")
    registered = world.emulator.register(f"{ORIGIN}{path}", scopes=(*scopes, TEAMS))
    return Settings(
        client_id=registered.client_id,
        client_secret=registered.client_secret,
        redirect_uri=f"{ORIGIN}{path}",
        scopes=scopes,
        origin=world.emulator.origin,
        store_url=f"sqlite:///{world.folder / 'store'}",
        keys_file=world.folder / "keys",
    )


@asynccontextmanager
async def browsing(app: Starlette, root_path: str = "") -> AsyncIterator[Browser]:
    """Run *app* with its lifespan and open a browser."""
    async with app.router.lifespan_context(app), opened(app, root_path) as browser:
        yield browser


@asynccontextmanager
async def opened(app: Starlette, root_path: str = "") -> AsyncIterator[Browser]:
    """Open one more browser."""
    transport = httpx.ASGITransport(app, root_path=root_path)
    async with Browser(transport=transport, base_url=ORIGIN) as browser:
        browser.visitor = Visitor()
        yield browser
