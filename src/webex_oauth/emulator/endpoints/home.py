"""The emulator's own front page, which both origins lead to, and static files."""

from collections.abc import Iterable
from http import HTTPStatus
from pathlib import Path

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from webex_oauth.emulator.origins import Origin
from webex_oauth.emulator.pages import HomePage, Pages
from webex_oauth.emulator.state import State

_STATIC = Path(__file__).parent.parent / "static"


class Home:
    """Show visitors what runs here: what both origins answer, who asks, and who can sign in."""

    def __init__(
        self,
        state: State,
        pages: Pages,
        front_door: Iterable[BaseRoute],
        broker: Iterable[BaseRoute],
    ) -> None:
        self._state = state
        self._pages = pages
        self._endpoints = _endpoints(front_door)
        self._broker_endpoints = _endpoints(broker)

    def routes(self) -> list[BaseRoute]:
        """List the paths of the page and its files."""
        return [Route("/", self.show), _static_files()]

    async def show(self, request: Request) -> Response:
        """Show the page."""
        origins = self._state.origins
        page = HomePage(
            origin=origins.front_door.as_asked(request.scope),
            broker_origin=origins.broker.beside(request.scope),
            endpoints=self._endpoints,
            broker_endpoints=self._broker_endpoints,
            integrations=self._state.integrations,
            people=self._state.world.sign_in_people,
        )
        return self._pages.answer(page)


def broker_home_routes(front_door: Origin) -> list[BaseRoute]:
    """List the broker's bare address, which leads to the front page, and the static files."""

    async def lead_on(request: Request) -> Response:
        return RedirectResponse(f"{front_door.beside(request.scope)}/", HTTPStatus.FOUND)

    return [Route("/", lead_on), _static_files()]


def _endpoints(routes: Iterable[BaseRoute]) -> tuple[str, ...]:
    return tuple(
        f"{method} {route.path}"
        for route in routes
        if isinstance(route, Route)
        for method in sorted((route.methods or set()) - {"HEAD"})
    )


def _static_files() -> Mount:
    return Mount("/_static", StaticFiles(directory=_STATIC))
