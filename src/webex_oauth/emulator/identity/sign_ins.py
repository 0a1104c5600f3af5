"""Sign-ins: under way, ended in a code (RFC 6749 section 4.1.2), remembered by the browser."""

from dataclasses import dataclass, replace

from webex_oauth.emulator.conditions import MovableClock, Randomness, Switchboard
from webex_oauth.emulator.identity.authorization import (
    AuthorizationRequest,
    OAuthRefusal,
    check_verifier,
)
from webex_oauth.emulator.shelf import Shelf
from webex_oauth.emulator.world import Person

_CAPACITY = 10_000
_CAPACITY = 10_000


@dataclass(frozen=True, slots=True)
class BrowserSession:
    """A browser that need not choose a person again: who is signed in, and since when."""

    id: str
    person_uuid: str
    authenticated_at: int


@dataclass(frozen=True, slots=True)
class Transaction:
    """One authorization request under way; its id is known to the page that shows it."""

    id: str
    request: AuthorizationRequest
    expires_at: int
    person_uuid: str | None = None


class Transactions:
    """Keep what is under way, for a while and up to a number."""

    def __init__(
        self, clock: MovableClock, randomness: Randomness, switchboard: Switchboard
    ) -> None:
        self._clock = clock
        self._randomness = randomness
        self._switchboard = switchboard
        self._transaction_by_id: Shelf[str, Transaction] = Shelf(_CAPACITY)

    def open(self, request: AuthorizationRequest, person_uuid: str | None) -> Transaction:
        """Start a transaction, for a person if it is known already which one."""
        lifetime_seconds = self._switchboard.options.transaction_lifetime_seconds
        transaction = Transaction(
            id=self._randomness.hex(24),
            request=request,
            expires_at=self._clock.now() + lifetime_seconds,
            person_uuid=person_uuid,
        )
        self._transaction_by_id.put(transaction.id, transaction)
        return transaction

    def find(self, transaction_id: str) -> Transaction | None:
        """Find a transaction that has not ended."""
        transaction = self._transaction_by_id.get(transaction_id)
        if transaction is None or transaction.expires_at <= self._clock.now():
            return None
        return transaction

    def choose_person(self, transaction: Transaction, person_uuid: str) -> Transaction:
        """Note who decides."""
        chosen = replace(transaction, person_uuid=person_uuid)
        self._transaction_by_id.put(chosen.id, chosen)
        return chosen

    def close(self, transaction: Transaction) -> None:
        """End a transaction: it has been decided."""
        self._transaction_by_id.take(transaction.id)

    def clear(self) -> None:
        """Forget every transaction."""
        self._transaction_by_id.clear()


@dataclass(frozen=True, slots=True)
class AuthorizationCode:
    """What a code stands for, and which grant it became when it was used."""

    value: str
    request: AuthorizationRequest
    person_uuid: str
    scopes: tuple[str, ...]
    expires_at: int
    is_used: bool = False
    grant_id: str | None = None


class CodeReused(OAuthRefusal):
    """A code that was presented a second time, with the grant it became the first time."""

    def __init__(self, grant_id: str | None) -> None:
        super().__init__("invalid_grant", "The authorization code was used before.")
        self.grant_id = grant_id


class AuthorizationCodes:
    """The codes that were issued: each can be redeemed once."""

    def __init__(
        self, clock: MovableClock, randomness: Randomness, switchboard: Switchboard
    ) -> None:
        self._clock = clock
        self._randomness = randomness
        self._switchboard = switchboard
        self._code_by_value: Shelf[str, AuthorizationCode] = Shelf(_CAPACITY)

    def issue(
        self, request: AuthorizationRequest, person: Person, scopes: tuple[str, ...]
    ) -> AuthorizationCode:
        """Issue a code for what a person granted."""
        lifetime_seconds = self._switchboard.options.code_lifetime_seconds
        code = AuthorizationCode(
            value=self._randomness.opaque(person.organization_uuid),
            request=request,
            person_uuid=person.uuid,
            scopes=scopes,
            expires_at=self._clock.now() + lifetime_seconds,
        )
        self._code_by_value.put(code.value, code)
        return code

    def redeem(
        self, value: str, *, client_id: str, redirect_uri: str | None, verifier: str | None
    ) -> AuthorizationCode:
        """Redeem a code. RFC 6749 section 4.1.3.

        The first time that its own client presents it spends it, whatever comes of that.
        Raise `CodeReused` for a spent code and `OAuthRefusal` for every other fault.
        """
        code = self._code_by_value.get(value)
        if code is None or code.request.address.integration.client_id != client_id:
            raise _refusal("The authorization code is unknown.")
        if code.is_used:
            raise CodeReused(code.grant_id)
        self._code_by_value.put(value, replace(code, is_used=True))
        if code.expires_at <= self._clock.now():
            raise _refusal("The authorization code has expired.")
        _check_redirect_uri(code, redirect_uri)
        check_verifier(code.request.challenge, verifier)
        return code

    def note_grant(self, code: AuthorizationCode, grant_id: str) -> None:
        """Remember which grant a code became."""
        self._code_by_value.put(code.value, replace(code, is_used=True, grant_id=grant_id))

    def clear(self) -> None:
        """Forget every code."""
        self._code_by_value.clear()


def _check_redirect_uri(code: AuthorizationCode, redirect_uri: str | None) -> None:
    address = code.request.address
    if redirect_uri is None and not address.is_redirect_uri_sent:
        return
    if redirect_uri != address.redirect_uri:
        raise _refusal("The redirect_uri is not the one that the code was asked for with.")


def _refusal(description: str) -> OAuthRefusal:
    return OAuthRefusal("invalid_grant", description)
