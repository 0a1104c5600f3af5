"""What each page shows: one dataclass for each template."""

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class PersonChoice:
    """Someone who could sign in."""

    uuid: str
    display_name: str
    email: str
    about: str
    avatar_url: str | None
    initial: str
    is_hinted: bool


@dataclass(frozen=True, slots=True)
class PersonPage:
    """Choose who signs in."""

    template: ClassVar[str] = "person.html"
    title: ClassVar[str] = "Who is signing in?"

    transaction_id: str
    integration_name: str
    people: tuple[PersonChoice, ...]
    complaint: str


@dataclass(frozen=True, slots=True)
class ScopeLine:
    """A permission that is asked for: its name, and what it means."""

    name: str
    words: str


@dataclass(frozen=True, slots=True)
class ConsentPage:
    """Decide about a request."""

    template: ClassVar[str] = "consent.html"
    title: ClassVar[str] = "Allow access?"

    transaction_id: str
    integration_name: str
    client_id: str
    redirect_uri: str
    person: PersonChoice
    scopes: tuple[ScopeLine, ...]
    is_pkce_used: bool


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
class IntegrationLine:
    """A registered integration; its secret is not shown."""

    name: str
    client_id: str
    redirect_uris: tuple[str, ...]
    scopes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class HomePage:
    """What runs here."""

    template: ClassVar[str] = "home.html"
    title: ClassVar[str] = "A local Webex"

    origin: str
    broker_origin: str
    endpoints: tuple[str, ...]
    broker_endpoints: tuple[str, ...]
    integrations: tuple[IntegrationLine, ...]
    people: tuple[PersonChoice, ...]


Page = PersonPage | ConsentPage | RefusalPage | SignedOutPage | HomePage
