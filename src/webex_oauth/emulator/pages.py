"""What each page shows (one dataclass for each template), rendered with harmless headers."""

from collections.abc import Iterable
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import ClassVar

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import HTMLResponse, Response

from webex_oauth.emulator.identity.integrations import Integration, scope_words
from webex_oauth.emulator.identity.sign_ins import Transaction
from webex_oauth.emulator.world import Person

_FOLDER = Path(__file__).parent
# No form-action: browsers hold it against every redirect that follows a form, and how many origins
# an application leads through after its callback is not known here.
_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; frame-ancestors 'none'"
)


@dataclass(frozen=True, slots=True)
class PersonPage:
    """Choose who signs in; the person whom the application suggests comes first."""

    template: ClassVar[str] = "person.html"
    title: ClassVar[str] = "Who is signing in?"

    transaction: Transaction
    everyone: Iterable[Person]
    complaint: str

    @property
    def people(self) -> list[Person]:
        """The people in the order in which they are offered."""
        return sorted(self.everyone, key=self.is_suggested, reverse=True)

    def is_suggested(self, person: Person) -> bool:
        """Return whether the application suggested this person."""
        return person.email.casefold() == self.transaction.request.login_hint.casefold()


@dataclass(frozen=True, slots=True)
class ConsentPage:
    """Decide about a request."""

    template: ClassVar[str] = "consent.html"
    title: ClassVar[str] = "Allow access?"

    transaction: Transaction
    person: Person

    @property
    def scopes(self) -> list[tuple[str, str]]:
        """The permissions that are asked for: their names, and what they mean."""
        return [(name, scope_words(name)) for name in self.transaction.request.scopes]


@dataclass(frozen=True, slots=True)
class RefusalPage:
    """A request that ends here."""

    template: ClassVar[str] = "refusal.html"
    title: ClassVar[str] = "Sign-in stopped"

    error: str
    description: str
    tracking_id: str


@dataclass(frozen=True, slots=True)
class SignedOutPage:
    """The browser is signed out."""

    template: ClassVar[str] = "signed_out.html"
    title: ClassVar[str] = "Signed out"

    is_goto_refused: bool


@dataclass(frozen=True, slots=True)
class HomePage:
    """What runs here; the secrets of the integrations are not shown."""

    template: ClassVar[str] = "home.html"
    title: ClassVar[str] = "A local Webex"

    origin: str
    broker_origin: str
    endpoints: tuple[str, ...]
    broker_endpoints: tuple[str, ...]
    integrations: Iterable[Integration]
    people: Iterable[Person]


Page = PersonPage | ConsentPage | RefusalPage | SignedOutPage | HomePage


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
