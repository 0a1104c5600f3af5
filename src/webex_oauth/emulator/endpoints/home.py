"""The emulator's own front page, which both origins lead to, and static files."""

from http import HTTPStatus
from pathlib import Path

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from webex_oauth.emulator.pages.rendering import Pages
from webex_oauth.emulator.pages.sign_in import people_choices
from webex_oauth.emulator.pages.views import HomePage, IntegrationLine
from webex_oauth.emulator.state import State

_STATIC = Path(__file__).parent.parent / "pages" / "static"


class Home:
    """Tell visitors what runs here."""

    def __init__(self, state: State, pages: Pages) -> None:
        self._state = state
        self._pages = pages

    def routes(self) -> list[BaseRoute]:
        """List the paths of the page and its files."""
        return [Route("/", self.show), _static_files()]

    async def show(self, request: Request) -> Response:
        """Show the page."""
        lines = tuple(
            IntegrationLine(one.name, one.client_id, one.redirect_uris, one.scopes)
            for one in self._state.integrations
        )
        origins = self._state.origins
        page = HomePage(
            origin=origins.front_door.as_asked(request.scope),
            broker_origin=origins.broker.beside(request.scope),
            integrations=lines,
            people=people_choices(self._state),
        )
        return self._pages.answer(page)


class BrokerHome:
    """Lead visitors of the broker's bare address to the front page."""

    def __init__(self, state: State) -> None:
        self._front_door = state.origins.front_door

    def routes(self) -> list[BaseRoute]:
        """List the path, and those of the static files."""
        return [Route("/", self.lead_on), _static_files()]

    async def lead_on(self, request: Request) -> Response:
        """Redirect to the front page."""
        return RedirectResponse(f"{self._front_door.beside(request.scope)}/", HTTPStatus.FOUND)


def _static_files() -> Mount:
    return Mount("/_static", StaticFiles(directory=_STATIC))
