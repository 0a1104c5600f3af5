"""Sign-ins: under way, ended in a code (RFC 6749 section 4.1.2), remembered by the browser."""

from dataclasses import dataclass, replace

from webex_oauth.emulator.bounded_dict import BoundedDict
from webex_oauth.emulator.conditions import Conditions
from webex_oauth.emulator.identity.authorization import (
    AuthorizationRequest,
    OAuthRefusal,
    check_verifier,
)
from webex_oauth.emulator.world import Person

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
    person_uuid: str = ""


@dataclass(frozen=True, slots=True)
class AuthorizationCode:
    """What a code stands for, and which grant it became when it was used."""

    value: str
    request: AuthorizationRequest
    person_uuid: str
    scopes: tuple[str, ...]
    expires_at: int
    is_used: bool = False
    grant_id: str = ""


class CodeReused(OAuthRefusal):
    """A code that was presented a second time, with the grant it became the first time."""

    def __init__(self, grant_id: str) -> None:
        super().__init__("invalid_grant", "The authorization code was used before.")
        self.grant_id = grant_id


class SignIns:
    """The transactions under way, the codes that were issued, and the signed-in browsers."""

    def __init__(self, conditions: Conditions) -> None:
        self._conditions = conditions
        self._transaction_by_id: BoundedDict[str, Transaction] = BoundedDict(_CAPACITY)
        self._code_by_value: BoundedDict[str, AuthorizationCode] = BoundedDict(_CAPACITY)
        self.browsers: BoundedDict[str, BrowserSession] = BoundedDict(_CAPACITY)

    def begin(self, request: AuthorizationRequest, person: Person | None) -> Transaction:
        """Start a transaction, for a person if it is already known which one."""
        transaction = Transaction(
            id=self._conditions.randomness.hex(24),
            request=request,
            expires_at=self._expiry(self._conditions.options.transaction_lifetime_seconds),
            person_uuid=person.uuid if person else "",
        )
        self._transaction_by_id[transaction.id] = transaction
        return transaction

    def find(self, transaction_id: str) -> Transaction | None:
        """Return a transaction that has not ended."""
        transaction = self._transaction_by_id.get(transaction_id)
        is_alive = transaction and transaction.expires_at > self._conditions.clock.now()
        return transaction if is_alive else None

    def choose_person(self, transaction: Transaction, person: Person) -> BrowserSession:
        """Record who decides; return the session that lets the browser skip this next time."""
        chosen = replace(transaction, person_uuid=person.uuid)
        self._transaction_by_id[chosen.id] = chosen
        now = self._conditions.clock.now()
        session = BrowserSession(self._conditions.randomness.hex(24), person.uuid, now)
        self.browsers[session.id] = session
        return session

    def finish(self, transaction: Transaction) -> None:
        """End a transaction that has been decided."""
        self._transaction_by_id.pop(transaction.id, None)

    def issue_code(
        self, request: AuthorizationRequest, person: Person, scopes: tuple[str, ...]
    ) -> AuthorizationCode:
        """Issue a code for what a person granted."""
        code = AuthorizationCode(
            value=self._conditions.randomness.opaque(person.organization_uuid),
            request=request,
            person_uuid=person.uuid,
            scopes=scopes,
            expires_at=self._expiry(self._conditions.options.code_lifetime_seconds),
        )
        self._code_by_value[code.value] = code
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
            raise OAuthRefusal("invalid_grant", "The authorization code is unknown.")
        if code.is_used:
            raise CodeReused(code.grant_id)
        self._code_by_value[value] = replace(code, is_used=True)
        if code.expires_at <= self._conditions.clock.now():
            raise OAuthRefusal("invalid_grant", "The authorization code has expired.")
        address = code.request.address
        may_be_absent = not address.is_redirect_uri_sent
        if redirect_uri != address.redirect_uri and not (redirect_uri is None and may_be_absent):
            message = "The redirect_uri is not the one that the code was requested with."
            raise OAuthRefusal("invalid_grant", message)
        check_verifier(code.request.challenge, verifier)
        return code

    def note_grant(self, code: AuthorizationCode, grant_id: str) -> None:
        """Remember which grant a code became."""
        self._code_by_value[code.value] = replace(code, is_used=True, grant_id=grant_id)

    def clear(self) -> None:
        """Forget all transactions, codes and browsers."""
        self._transaction_by_id.clear()
        self._code_by_value.clear()
        self.browsers.clear()

    def _expiry(self, lifetime_seconds: int) -> int:
        return self._conditions.clock.now() + lifetime_seconds
