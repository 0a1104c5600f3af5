"""People as a database holds them: a grant and a session each, found by a serial number."""

from collections.abc import Iterator
from dataclasses import dataclass

import psycopg
from psycopg import sql

from bench.world import ORGANISATION, PERSON_NAME, SCOPES, Account, webex_id
from webex_oauth.oauth.token import TokenSet
from webex_oauth.secret import Secret
from webex_oauth.stores.memory import MemoryRows
from webex_oauth.stores.postgres.url import read_postgres_url
from webex_oauth.vault.grants import Grant, new_version
from webex_oauth.vault.ledger import Admission, Ledger
from webex_oauth.vault.records import Profile, Session, digest
from webex_oauth.vault.rows import Change, Kind, Row, Rows
from webex_oauth.vault.sealing import Sealer

AT_ONCE = 250
ACCESS_SECONDS = 14 * 86_400
REFRESH_SECONDS = 90 * 86_400
SESSION_SECONDS = 30 * 86_400
SEEN_AHEAD_SECONDS = 12 * 3_600
"""Sessions were last seen in the future: else a read would now and then write when it was."""


@dataclass(frozen=True, slots=True)
class Seals:
    """How an application seals what it keeps, and what its people sign in at."""

    sealer: Sealer
    idle_seconds: int
    issuer: str


def session_id(serial: int) -> Secret:
    """Return the session id of a person."""
    return Secret(f"bench-session-{serial}")


def subject(serial: int) -> str:
    """Return whose the grant is."""
    return f"person {serial}"


def token(serial: int) -> Secret:
    """Return a person's token as the stub spells it: for access and for refreshing alike."""
    return Secret(f"{Account(100, 0, serial).code}_PF84_{ORGANISATION}")


async def fill(rows: Rows, seals: Seals, serials: range, now: int) -> None:
    """Put people into a database as if they had all just signed in; none may be there yet."""
    for some in _batches(serials):
        changes = [Change(row, 0) for row in await sealed_rows(seals, some, now)]
        if not await rows.apply(changes, durably=False):
            raise LookupError(f"some of the people from {some.start} on are there already")


def vacuum(store_url: str) -> None:
    """Tidy up PostgreSQL after it was filled, as it would in its own time, during a measure."""
    if not store_url.startswith("postgresql:"):
        return
    read = read_postgres_url(store_url)
    table = sql.Identifier(read.schema, "rows")
    with psycopg.connect(read.conninfo.reveal(), autocommit=True) as connection:
        connection.execute(sql.SQL("VACUUM (ANALYZE) {}").format(table))


async def sealed_rows(seals: Seals, serials: range, now: int) -> list[Row]:
    """Return the grants and sessions that are kept once these people have signed in."""
    rows = MemoryRows()
    ledger = Ledger(rows, seals.sealer, seals.idle_seconds)
    for serial in serials:
        grant = new_version(_grant(seals.issuer, serial, now), None, seals.sealer.randomness)
        state_digest = digest(Secret(f"bench-state-{serial}"))
        admission = Admission(
            mark=await ledger.take_state(state_digest, now + 1, now),
            state_digest=state_digest,
            grant=grant,
            over=0,
            session=_session(grant.key, serial, now),
            earlier=None,
            replaced_session=None,
            keeps_grants=False,
        )
        await ledger.admit(admission)
    kinds = (Kind.GRANT, Kind.SESSION)
    return [row for kind in kinds for row in await rows.by_name(kind, b"", len(serials))]


def _batches(serials: range) -> Iterator[range]:
    for first in range(serials.start, serials.stop, AT_ONCE):
        yield range(first, min(first + AT_ONCE, serials.stop))


def _grant(issuer: str, serial: int, now: int) -> Grant:
    scopes = frozenset(SCOPES.split())
    return Grant(
        issuer=issuer,
        subject=subject(serial),
        tokens=TokenSet(
            access_token=token(serial),
            access_expires_at=now + ACCESS_SECONDS,
            refresh_token=token(serial),
            refresh_expires_at=now + REFRESH_SECONDS,
            scopes=scopes,
        ),
        scopes=scopes,
        issued_at=now,
    )


def _session(grant_key: bytes, serial: int, now: int) -> Session:
    return Session(
        digest=digest(session_id(serial)),
        grant_key=grant_key,
        profile=Profile(
            person_id=webex_id("PEOPLE", str(serial)),
            display_name=PERSON_NAME,
            email=f"mira.{serial}@acme.example",
            org_id=webex_id("ORGANIZATION", ORGANISATION),
        ),
        created_at=now,
        seen_at=now + SEEN_AHEAD_SECONDS,
        expires_at=now + SESSION_SECONDS,
    )
