"""The pages of a sign-in, filled from the state of the emulator."""

from webex_oauth.emulator.identity.scopes import scope_words
from webex_oauth.emulator.identity.transactions import Transaction
from webex_oauth.emulator.pages.views import ConsentPage, PersonChoice, PersonPage, ScopeLine
from webex_oauth.emulator.state import State
from webex_oauth.emulator.world.people import Person, avatar_url


def person_page(state: State, transaction: Transaction, complaint: str = "") -> PersonPage:
    """Offer everyone who can sign in, the hinted one first."""
    hint = transaction.request.login_hint
    choices = people_choices(state, hint)
    return PersonPage(
        transaction_id=transaction.id,
        integration_name=transaction.request.address.integration.name,
        people=tuple(sorted(choices, key=_comes_later)),
        complaint=complaint,
    )


def consent_page(transaction: Transaction, person: Person) -> ConsentPage:
    """Say who asks for what, in the scopes' plain words."""
    asked = transaction.request
    return ConsentPage(
        transaction_id=transaction.id,
        integration_name=asked.address.integration.name,
        client_id=asked.address.integration.client_id,
        redirect_uri=asked.address.redirect_uri,
        person=_choice(person, ""),
        scopes=tuple(ScopeLine(name, scope_words(name)) for name in asked.scopes),
        is_pkce_used=asked.challenge is not None,
    )


def people_choices(state: State, hint: str = "") -> tuple[PersonChoice, ...]:
    """List everyone who can sign in."""
    return tuple(_choice(one, hint) for one in state.world.people if one.can_sign_in)


def _choice(person: Person, hint: str) -> PersonChoice:
    return PersonChoice(
        uuid=person.uuid,
        display_name=person.display_name,
        email=person.email,
        about=person.about,
        avatar_url=avatar_url(person, ""),
        initial=person.first_name[:1].upper(),
        is_hinted=bool(hint) and person.email.casefold() == hint.casefold(),
    )


def _comes_later(choice: PersonChoice) -> bool:
    return not choice.is_hinted
