"""Rendering: pages to HTML, with the headers that keep them harmless."""

import re
from http import HTTPStatus
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import HTMLResponse, Response

from webex_oauth.emulator.pages.views import Page

_FOLDER = Path(__file__).parent
# An origin of the web, or the scheme of anything else, such as `aperio:`.
_SOURCE = re.compile(r"https?://[A-Za-z0-9.:\[\]-]+(?=[/?]|$)|(?!https?:)[a-z][a-z0-9+.-]*:")


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

    def answer(self, page: Page, status: int = HTTPStatus.OK, *, form_target: str = "") -> Response:
        """Answer with a page; its forms may lead to the origin of *form_target*."""
        html = self._templates.get_template(page.template).render(page=page)
        return self.protected(HTMLResponse(html, status), form_target=form_target)

    def protected(self, response: Response, *, form_target: str = "") -> Response:
        """Add the headers that every answer to a browser carries."""
        response.headers.update(
            {
                "Cache-Control": "no-store",
                "Content-Security-Policy": _policy(form_target),
                "Cross-Origin-Opener-Policy": "same-origin",
                "Referrer-Policy": "no-referrer",
                "X-Content-Type-Options": "nosniff",
            }
        )
        return response


def _policy(form_target: str) -> str:
    # A browser checks form-action for the redirect that answers a form, too.
    targets = " ".join(one for one in ("'self'", _source(form_target)) if one)
    return (
        "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; "
        f"frame-ancestors 'none'; form-action {targets}"
    )


def _source(url: str) -> str:
    form = _SOURCE.match(url)
    return form[0] if form else ""
