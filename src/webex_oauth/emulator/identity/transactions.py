"""Sign-ins: authorization requests while a person decides, and browsers that are signed in."""

from dataclasses import dataclass, replace

from webex_oauth.emulator.clock import MovableClock
from webex_oauth.emulator.identity.authorization import AuthorizationRequest
from webex_oauth.emulator.options import Switchboard
from webex_oauth.emulator.randomness import Randomness
from webex_oauth.emulator.shelf import Shelf

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
