"""Rendering: pages to HTML, with the headers that keep them harmless."""

from http import HTTPStatus
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import HTMLResponse, Response

from webex_oauth.emulator.pages.views import Page

_FOLDER = Path(__file__).parent
# No form-action: browsers hold it against every redirect that follows a form, and how many origins
# an application leads through after its callback is not known here.
_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; frame-ancestors 'none'"
)


class Pages:
    """Render pages from their templates."""

    def __init__(self) -> None:
        self._templates = Environment(
            loader=FileSystemLoader(_FOLDER / "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )

    def answer(self, page: Page, status: int = HTTPStatus.OK) -> Response:
        """Answer with a page."""
        html = self._templates.get_template(page.template).render(page=page)
        return self.protected(HTMLResponse(html, status))

    def protected(self, response: Response) -> Response:
        """Add the headers that every answer to a browser carries."""
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
