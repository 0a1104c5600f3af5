"""Tables: the kinds of records that the ledger keeps, and by what each of them is listed."""

from msgspec import Struct

from webex_oauth.vault.events import (
    KEPT_SECONDS,
    MOST_IN_ROW,
    NAME_BYTES,
    Event,
    EventKind,
    Happened,
    Hub,
    Told,
    first_id,
)
from webex_oauth.vault.records import Grant, Lease, Mark, Profile, Revocation, Session
from webex_oauth.vault.rows import Change, Kind, Row, Rows, Table
from webex_oauth.vault.sealing import Sealer

STEP_SHIFT = 15
"""Leaves room for 32,000 rows of events of one process in a second."""


class Cursor(Struct, frozen=True):
    """How far a follower has come: all rows before the number `start`, and some from there on.

    `lease` says which process has it, None if none does.
    """

    start: int = 0
    delivered: tuple[int, ...] = ()
    lease: Lease | None = None
    written_at: int = 0


class Draft(Struct, frozen=True):
    """Changes that are to be applied together, and what is told of them, at one instant."""

    at: int
    changes: list[Change] = []
    told: list[Told] = []

    def tell(
        self, kind: EventKind, profile: Profile | None = None, reason: str | None = None
    ) -> "Draft":
        """Tell something about the person of *profile*; return this draft."""
        self.told.append((kind, (profile and profile.person_id) or "", reason))
        return self


class Tables:
    """Records in *rows*, sealed by *sealer*, and `hub`, which tells of what was written.

    A session that is not used for *idle_seconds* is over.
    """

    def __init__(self, rows: Rows, sealer: Sealer, idle_seconds: int) -> None:
        self.rows = rows
        self.hub = Hub()
        self.idle_seconds = idle_seconds
        self._sealer = sealer
        self._last_number = 0
        self.states = Table(
            rows, sealer, Kind.STATE, Mark, lambda mark: (b"", None, mark.kept_until)
        )
        self.sessions = Table(
            rows,
            sealer,
            Kind.SESSION,
            Session,
            lambda one: (one.grant_key, one.seen_at, one.over_at(idle_seconds)),
        )
        self.grants = Table(
            rows,
            sealer,
            Kind.GRANT,
            Grant,
            lambda grant: (self._group(grant), grant.due_at, grant.ends_at),
        )
        self.revocations = Table(
            rows, sealer, Kind.REVOCATION, Revocation, lambda one: (b"", one.due_at, one.ends_at)
        )
        self.events = Table(
            rows, sealer, Kind.EVENT, Happened, lambda one: (b"", None, one.kept_until)
        )
        self.cursors = Table(
            rows,
            sealer,
            Kind.CURSOR,
            Cursor,
            lambda cursor: (b"", None, cursor.written_at + KEPT_SECONDS),
        )

    async def write(self, draft: Draft, *, durably: bool) -> bool:
        """Apply the changes of *draft* with what it tells, and tell it here, or do nothing.

        Tokens that are queued for revocation already stay as they are.
        """
        rows = self._rows_of(draft)
        added = [self.events.put(n.to_bytes(NAME_BYTES, "big"), one) for n, one in rows]
        changes = [*draft.changes, *added]
        is_done = await self.rows.apply(changes, durably=durably)
        if not is_done:
            new = [change for change in changes if not await self._is_queued(change.row)]
            is_done = len(new) < len(changes) and await self.rows.apply(new, durably=durably)
        if is_done:
            self._tell(rows)
        return is_done

    def tell(self, draft: Draft) -> None:
        """Tell what *draft* tells in this process alone."""
        self._tell(self._rows_of(draft))

    def events_in(self, row: Row) -> list[Event]:
        """Return the events of a row; raise SealBroken or KeyUnavailable."""
        return self.events.open(row).record.events(int.from_bytes(row.name, "big"))

    async def _is_queued(self, row: Row) -> bool:
        return row.kind is Kind.REVOCATION and (await self.revocations.row(row.name)).rev > 0

    def _tell(self, rows: list[tuple[int, Happened]]) -> None:
        if self.hub.listeners:
            for number, happened in rows:
                for event in happened.events(number):
                    self.hub.tell(event)

    def _rows_of(self, draft: Draft) -> list[tuple[int, Happened]]:
        told, starts = draft.told, range(0, len(draft.told), MOST_IN_ROW)
        return [
            (self._next_number(draft.at), Happened(draft.at, tuple(told[at : at + MOST_IN_ROW])))
            for at in starts
        ]

    def _next_number(self, now: int) -> int:
        """Return a number for a row of events of *now*, behind the one before."""
        first, random = first_id(now), int.from_bytes(self._sealer.randomness(4), "big")
        if first <= self._last_number < first_id(now + 1):
            number = self._last_number + MOST_IN_ROW + (random >> STEP_SHIFT)
        else:
            number = first + (random >> 1)
        self._last_number = number - number % MOST_IN_ROW
        return self._last_number

    def _group(self, grant: Grant) -> bytes:
        """Return by what a grant is found: a digest of the address, which gives it to nobody."""
        email = email_of(grant)
        return b"" if email is None else self._sealer.keys.primary.index(email)


def email_of(grant: Grant) -> str | None:
    """Return the address of a grant's person, in the case in which addresses are compared."""
    return grant.profile.email and grant.profile.email.casefold()
