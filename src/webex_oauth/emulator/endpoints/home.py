"""The emulator's own front page and static files."""

from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response
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
        return [Route("/", self.show), Mount("/_static", StaticFiles(directory=_STATIC))]

    async def show(self, _: Request) -> Response:
        """Show the page."""
        lines = tuple(
            IntegrationLine(one.name, one.client_id, one.redirect_uris, one.scopes)
            for one in self._state.integrations
        )
        return self._pages.answer(HomePage(self._state.origin, lines, people_choices(self._state)))
