"""What each page shows: one dataclass for each template."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

from webex_oauth.emulator.identity.integrations import Integration
from webex_oauth.emulator.identity.scopes import scope_words
from webex_oauth.emulator.identity.transactions import Transaction
from webex_oauth.emulator.world.people import Person


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
