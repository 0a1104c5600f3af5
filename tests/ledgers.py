"""What a ledger holds, for tests that look at more than one row."""

from typing import Any

from webex_oauth.errors import VaultError
from webex_oauth.vault.grants import Grant
from webex_oauth.vault.ledger import _TABLES, Ledger
from webex_oauth.vault.records import Mark, Revocation, Session
from webex_oauth.vault.rows import Kind

PAGE = 1_000


async def marks(ledger: Ledger) -> list[Mark]:
    return await _records(ledger, Kind.STATE)


async def sessions(ledger: Ledger) -> list[Session]:
    return await _records(ledger, Kind.SESSION)


async def grants(ledger: Ledger) -> list[Grant]:
    return await _records(ledger, Kind.GRANT)


async def revocations(ledger: Ledger) -> list[Revocation]:
    return await _records(ledger, Kind.REVOCATION)


async def _records(ledger: Ledger, kind: Kind) -> list[Any]:
    """Return all records of *kind* in the order of their names, without those that do not open."""
    found, after = [], b""
    while rows := await ledger.rows.by_name(kind, after, PAGE):
        for row in rows:
            try:
                found.append(ledger._open(_TABLES[kind], row).record)
            except VaultError:
                continue
        after = rows[-1].name
    return found
