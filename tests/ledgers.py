"""What a ledger holds, for tests that look at more than one row."""

from typing import TypeVar

from webex_oauth.errors import VaultError
from webex_oauth.vault.event_log import rows_from
from webex_oauth.vault.events import Event
from webex_oauth.vault.ledger import Ledger
from webex_oauth.vault.records import Grant, Mark, Revocation, Session
from webex_oauth.vault.rows import Table

T = TypeVar("T")
PAGE = 1_000


async def marks(ledger: Ledger) -> list[Mark]:
    return await _records(ledger, ledger.states)


async def sessions(ledger: Ledger) -> list[Session]:
    return await _records(ledger, ledger.sessions)


async def grants(ledger: Ledger) -> list[Grant]:
    return await _records(ledger, ledger.grants)


async def revocations(ledger: Ledger) -> list[Revocation]:
    return await _records(ledger, ledger.revocations)


async def events(ledger: Ledger) -> list[Event]:
    found: list[Event] = []
    async for row in rows_from(ledger, 0):
        found += ledger.events_in(row)
    return found


async def _records(ledger: Ledger, table: Table[T]) -> list[T]:
    """Return all records of *table* in the order of their names, without those that do not open."""
    found: list[T] = []
    after = b""
    while rows := await ledger.rows.by_name(table.kind, after, PAGE):
        for row in rows:
            try:
                found.append(table.open(row).record)
            except VaultError:
                continue
        after = rows[-1].name
    return found
