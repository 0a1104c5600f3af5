"""The lease: the right of one process to refresh a grant, renewed by a heartbeat.

It lapses seconds after its holder died. A holder that stands still loses it as well: what it writes
afterwards goes over a version that has moved, and is dropped.
"""

import asyncio
import logging
from dataclasses import dataclass, replace
from typing import Self

from webex_oauth.errors import StoreError, StoreUnavailable, VaultError
from webex_oauth.ports import TOKEN_LIMITS, Clock
from webex_oauth.vault.commit import COMMIT_TRIES, Commit, Notes, version_name
from webex_oauth.vault.grants import Grant, Lease, Trouble
from webex_oauth.vault.ledger import Entry, Ledger
from webex_oauth.vault.rescue import SPOOL_SECONDS

CLOCK_SECONDS = 1
"""What a clock that counts whole seconds may be behind."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Timing:
    """How long the steps of a refresh may take, in seconds.

    A lease lasts `lease_seconds` and is renewed every `beat_seconds` while its holder lives: it
    outlives a step that is held up. `takeover_seconds` is how long the next holder waits for tokens
    that the one before it may be about to write. `store_seconds` is what one call of a store takes
    at most, `look_again_seconds` how long a refusal waits for tokens that another process may be
    about to write, `wait_seconds` how long a caller waits for another process; it looks first after
    `first_poll_seconds`, then ever less often up to `last_poll_seconds`.
    """

    lease_seconds: int = 5
    beat_seconds: float = 1.0
    takeover_seconds: float = 1.5
    request_seconds: float = TOKEN_LIMITS.deadline_seconds
    store_seconds: float = 2.0
    look_again_seconds: float = 2.0
    wait_seconds: float = 2.0
    first_poll_seconds: float = 0.05
    last_poll_seconds: float = 0.5

    def __post_init__(self) -> None:
        renewal_seconds = self.beat_seconds + self.store_seconds + CLOCK_SECONDS
        if self.lease_seconds <= renewal_seconds:
            raise ValueError(
                f"a lease of {self.lease_seconds} s ends before a renewal that takes up to "
                f"{renewal_seconds:g} s"
            )

    @property
    def flight_seconds(self) -> float:
        """Everything at most: waiting, then two claims, the second for a replay."""
        return self.wait_seconds + 2 * (self.store_seconds + self._claim_seconds)

    @property
    def _claim_seconds(self) -> float:
        """From asking for the lease to the last write under it."""
        writing_seconds = 2 * COMMIT_TRIES * self.store_seconds
        before_seconds = 2 * self.store_seconds + self.takeover_seconds
        after_seconds = self.look_again_seconds + writing_seconds + SPOOL_SECONDS
        return before_seconds + self.request_seconds + after_seconds


class Leases:
    """The leases of one process, which is called *owner* on them.

    One that could not be given back is noted with what its refresh left behind.
    """

    def __init__(
        self, ledger: Ledger, commit: Commit, clock: Clock, timing: Timing, owner: bytes
    ) -> None:
        self._ledger = ledger
        self._commit = commit
        self._clock = clock
        self._timing = timing
        self._unwritten: Notes[Trouble] = Notes()
        self.owner = owner

    async def claim(self, found: Entry[Grant]) -> "HeldLease | None":
        """Take the right to present this refresh token once; None if the row moved.

        The claim is on the disk before it is returned: it is the lock, and the mark that the token
        is about to be presented.
        """
        grant, name = found.record, version_name(found.record)
        presented = replace(grant.trouble, presented_count=grant.trouble.presented_count + 1)
        claim = replace(grant, lease=self._lease(), trouble=presented)
        try:
            claimed = await self._ledger.replace_grant(found, claim, durably=True)
        except StoreUnavailable:
            # It may have been taken all the same; nothing was presented under it.
            self._unwritten.add(name, grant.trouble)
            raise
        if claimed is None:
            return None
        self._unwritten.drop(name)
        return HeldLease(self, claimed, self._timing.beat_seconds)

    async def renew(self, claimed: Entry[Grant]) -> Entry[Grant] | None:
        """Move the end of a lease forward; None if it is not ours any more."""
        version, lease = claimed.record.version, self._lease()

        def renewed(grant: Grant) -> Grant | None:
            return replace(grant, lease=lease) if self._owns(grant, version) else None

        current = await self._commit.change(claimed, renewed, durably=False)
        return current if current and self._owns(current.record, version) else None

    async def release(self, claimed: Entry[Grant], trouble: Trouble) -> None:
        """Give a lease back if it is still ours; note *trouble* if the store cannot be reached."""
        name = version_name(claimed.record)
        try:
            await self._release(claimed, trouble)
        except (StoreError, VaultError) as error:
            self._unwritten.add(name, trouble)
            log.warning(
                "the lease of grant %(grant)s could not be given back and lapses by itself: "
                "%(error)s",
                {"grant": claimed.record.name, "error": str(error)},
            )
        else:
            self._unwritten.drop(name)

    async def take_back(self, found: Entry[Grant]) -> None:
        """Give back a lease that an earlier refresh of this process left behind.

        What that refresh left behind is what was noted, or else what the row says. Raises
        StoreError.
        """
        name = version_name(found.record)
        await self._release(found, self._unwritten.find(name) or found.record.trouble)
        self._unwritten.drop(name)

    def is_steady(self, claimed: Entry[Grant]) -> bool:
        """Check that a lease lasts until its next renewal; not if this process stood still."""
        lease = claimed.record.lease
        return lease is not None and self._clock() + self._timing.store_seconds <= lease.until

    async def _release(self, claimed: Entry[Grant], trouble: Trouble) -> None:
        version = claimed.record.version

        def released(grant: Grant) -> Grant | None:
            if not self._owns(grant, version):
                return None
            return replace(grant, lease=None, trouble=trouble)

        await self._commit.change(claimed, released, durably=False)

    def _lease(self) -> Lease:
        return Lease(self.owner, self._clock() + self._timing.lease_seconds)

    def _owns(self, grant: Grant, version: int) -> bool:
        lease = grant.lease
        return grant.version == version and lease is not None and lease.owner == self.owner


class HeldLease:
    """A lease that is renewed for as long as the block lasts.

    `entry` is the grant as it was written last.
    """

    def __init__(self, leases: Leases, entry: Entry[Grant], beat_seconds: float) -> None:
        self._leases = leases
        self._beat_seconds = beat_seconds
        self.entry = entry

    @property
    def grant(self) -> Grant:
        """The grant that was claimed."""
        return self.entry.record

    @property
    def is_steady(self) -> bool:
        """Whether it lasts until the next renewal."""
        return self._leases.is_steady(self.entry)

    async def release(self, trouble: Trouble) -> None:
        """Give it back, and leave *trouble* behind for the next refresh."""
        await self._leases.release(self.entry, trouble)

    async def __aenter__(self) -> Self:
        """Start to renew."""
        self._beating = asyncio.create_task(self._beat())
        return self

    async def __aexit__(self, *_: object) -> None:
        """Stop, and wait until no renewal is under way."""
        self._beating.cancel()
        await asyncio.wait([self._beating])

    async def _beat(self) -> None:
        """Renew until the lease is gone; a store that is away may be back for the next beat."""
        while True:
            await asyncio.sleep(self._beat_seconds)
            try:
                renewed = await self._leases.renew(self.entry)
            except (StoreError, VaultError) as error:
                log.debug(
                    "the lease of grant %(grant)s was not renewed: %(error)s",
                    {"grant": self.grant.name, "error": str(error)},
                )
                continue
            if renewed is None:
                return
            self.entry = renewed
