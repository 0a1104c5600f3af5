"""Tables: the kinds of records that the ledger keeps, and by what each of them is listed."""

from dataclasses import dataclass, field

from webex_oauth.vault.events import KEPT_SECONDS, Event, EventKind, Hub, first_id
from webex_oauth.vault.records import Grant, Lease, Mark, Profile, Revocation, Session
from webex_oauth.vault.rows import Change, Kind, Rows, Table
from webex_oauth.vault.sealing import Sealer

STEP_SHIFT = 16
"""Leaves room for 32,000 events of one process in a second; more of them count into the next."""


@dataclass(frozen=True, slots=True)
class Cursor:
    """How far a follower has come: to what instant, and which events from shortly before it on.

    `lease` says which process has it, None if none does.
    """

    position: int = 0
    delivered: tuple[int, ...] = ()
    lease: Lease | None = None
    written_at: int = 0


@dataclass(frozen=True, slots=True)
class Draft:
    """Changes that are to be applied together, and the events that tell of them."""

    changes: list[Change] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)


class Tables:
    """Records in *rows*, sealed by *sealer*, and `hub`, which tells of what was written.

    A session that is not used for *idle_seconds* is over.
    """

    def __init__(self, rows: Rows, sealer: Sealer, idle_seconds: int) -> None:
        self.rows = rows
        self.hub = Hub()
        self.idle_seconds = idle_seconds
        self._sealer = sealer
        self._last_event = 0
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
            rows, sealer, Kind.EVENT, Event, lambda event: (b"", None, event.kept_until)
        )
        self.cursors = Table(
            rows,
            sealer,
            Kind.CURSOR,
            Cursor,
            lambda cursor: (b"", None, cursor.written_at + KEPT_SECONDS),
        )

    def event(
        self, kind: EventKind, now: int, profile: Profile | None = None, reason: str | None = None
    ) -> Event:
        """Make an event of *now* about the person of *profile*, behind the one before."""
        first, random = first_id(now), int.from_bytes(self._sealer.randomness(4), "big")
        if first <= self._last_event < first_id(now + 1):
            number = self._last_event + 1 + (random >> STEP_SHIFT)
        else:
            number = first + (random >> 1)
        self._last_event = number
        person_id = (profile and profile.person_id) or ""
        return Event(number, kind, person_id, now, reason)

    async def write(self, draft: Draft, *, durably: bool) -> bool:
        """Apply the changes of *draft* with its events, and tell of these, or do nothing."""
        added = [self.events.put(event.name, event) for event in draft.events]
        is_done = await self.rows.apply([*draft.changes, *added], durably=durably)
        if is_done:
            for event in draft.events:
                self.hub.tell(event)
        return is_done

    def _group(self, grant: Grant) -> bytes:
        """Return by what a grant is found: a digest of the address, which gives it to nobody."""
        email = email_of(grant)
        return b"" if email is None else self._sealer.keys.primary.index(email)


def email_of(grant: Grant) -> str | None:
    """Return the address of a grant's person, in the case in which addresses are compared."""
    return grant.profile.email and grant.profile.email.casefold()
