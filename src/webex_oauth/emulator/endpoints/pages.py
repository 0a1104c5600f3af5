"""The pages that people see at the local Webex; each says that it is not Webex."""

from collections.abc import Iterable
from http import HTTPStatus
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.staticfiles import StaticFiles

from webex_oauth.emulator.endpoints.wire import Routes
from webex_oauth.emulator.state import State

_FOLDER = Path(__file__).parent.parent
STATIC_FILES = StaticFiles(directory=_FOLDER / "static")
"""The pages' style sheet and icon."""

_TEMPLATES = Environment(
    loader=FileSystemLoader(_FOLDER / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
# No form-action: browsers apply it to all redirects after a form, and how many origins an
# application leads through after its callback is not known here.
_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; frame-ancestors 'none'"
)


def page(template: str, status: int = HTTPStatus.OK, **values: Any) -> Response:
    """Return a page, made from its template."""
    html = _TEMPLATES.get_template(f"{template}.html").render(values)
    return protected(HTMLResponse(html, status))


def redirect(url: str) -> Response:
    """Return a redirect to a URL that is sent exactly as it is."""
    return protected(Response(None, HTTPStatus.FOUND, {"Location": url}))


def protected(response: Response) -> Response:
    """Return an answer to a browser with the headers that protect it."""
    response.headers.update(
        {
            "Cache-Control": "no-store",
            "Content-Security-Policy": _POLICY,
            "Cross-Origin-Opener-Policy": "same-origin",
            "Referrer-Policy": "no-referrer",
            "X-Content-Type-Options": "nosniff",
        }
    )
    return response


def home_routes(front_door: Routes, broker: Routes) -> Routes:
    """Return the route of the front page, which lists what both origins answer."""

    async def show(state: State, request: Request) -> Response:
        return page(
            "home",
            origin=state.origins.front_door.as_asked(request.scope),
            broker_origin=state.origins.broker.beside(request.scope),
            endpoints=_endpoints(front_door),
            broker_endpoints=_endpoints(broker),
            integrations=state.integrations,
            people=state.world.sign_in_people,
        )

    return (("GET", "/", show),)


def _endpoints(routes: Routes) -> Iterable[str]:
    return [f"{methods} {path}" for methods, path, _ in routes if not path.startswith("/_")]


async def _lead_to_the_front_page(state: State, request: Request) -> Response:
    return RedirectResponse(f"{state.origins.front_door.beside(request.scope)}/", HTTPStatus.FOUND)


BROKER_HOME: Routes = (("GET", "/", _lead_to_the_front_page),)
