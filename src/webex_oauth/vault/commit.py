"""Commit: all that a refresh writes into the row of its grant, compare-and-swap.

Any writer moves the row's revision. If it moved, the row is read again, and the version in it says
whether it still is the grant that the refresh began with: only tokens and reasons move the version.
What cannot be written is noted, so that at least this process goes by it.

The lease is the right of one process to refresh a grant. It lapses seconds after its holder died,
and so it does if the holder stands still: what that one writes later meets another version.
"""

import asyncio
import logging
from collections.abc import Callable, Hashable
from functools import partial
from typing import Self, TypeAlias, TypeVar

from msgspec.structs import replace

from webex_oauth.errors import StoreConflict, StoreError, StoreUnavailable, VaultError
from webex_oauth.ports import Clock, Randomness
from webex_oauth.secret import Secret
from webex_oauth.vault.events import EventKind
from webex_oauth.vault.ledger import Ledger
from webex_oauth.vault.plan import COMMIT_TRIES, Timing
from webex_oauth.vault.records import Grant, Lease, Trouble, digest, new_version, revocation_of
from webex_oauth.vault.rows import Entry
from webex_oauth.vault.tables import Draft

OWNER_BYTES = 16
MOST_NOTES = 1_000
MOST_REMEMBERED = 10_000

T = TypeVar("T")
Rule: TypeAlias = Callable[[Grant], Grant | None]
"""Returns what becomes of a grant; None if nothing does."""

log = logging.getLogger(__name__)


class Notes(dict[Hashable, T]):
    """Notes by name, at most *at_most* of them: those that were written last."""

    def __init__(self, at_most: int = MOST_NOTES) -> None:
        super().__init__()
        self._at_most = at_most

    def __setitem__(self, name: Hashable, note: T) -> None:
        self.pop(name, None)
        super().__setitem__(name, note)
        if len(self) > self._at_most:
            del self[next(iter(self))]


class Commit:
    """Write grants; what another process wrote meanwhile is adopted, never overwritten.

    `owner` is the name of this process on leases.
    """

    def __init__(
        self,
        ledger: Ledger,
        clock: Clock,
        randomness: Randomness,
        timing: Timing | None = None,
    ) -> None:
        self._ledger = ledger
        self._clock = clock
        self._randomness = randomness
        self._timing = timing or Timing()
        self.owner = randomness(OWNER_BYTES)
        self._troubles: Notes[Trouble] = Notes()
        self._reasons: Notes[str] = Notes()
        self._refused: Notes[bool] = Notes(MOST_REMEMBERED)

    async def change(
        self, found: Entry[Grant], rule: Rule, *, durably: bool, event: EventKind | None = None
    ) -> Entry[Grant] | None:
        """Write what *rule* makes of a grant; it is asked again about a row that moved.

        An *event* tells of it. Returns what the row holds afterwards, None if it is gone. Raises
        StoreError or VaultError.
        """
        current: Entry[Grant] | None = found
        for _ in range(COMMIT_TRIES):
            if current is None:
                return None
            changed = rule(current.record)
            if changed is None:
                return current
            happened = Draft(self._clock())
            if event is not None:
                happened.tell(event, changed.profile, changed.reauth_reason)
            written = await self._ledger.replace_grant(current, changed, happened, durably=durably)
            if written is not None:
                return written
            current = await self._ledger.find_grant(found.record.key)
        raise StoreConflict("the grant kept moving")

    # The lease

    async def claim(self, found: Entry[Grant]) -> "HeldLease | None":
        """Take the right to present this refresh token once; None if the row moved.

        The claim is on the disk before it is returned: it is the lock, and the mark that the token
        is about to be presented.
        """
        grant, name = found.record, version_name(found.record)
        presented = replace(grant.trouble, presented_count=grant.trouble.presented_count + 1)
        claim = replace(grant, lease=self._new_lease(), trouble=presented)
        try:
            claimed = await self._ledger.replace_grant(found, claim, durably=True)
        except StoreUnavailable:
            # It may have been taken all the same; nothing was presented under it.
            self._troubles[name] = grant.trouble
            raise
        if claimed is None:
            return None
        self._troubles.pop(name, None)
        return HeldLease(self, claimed, self._clock, self._timing)

    async def renew(self, claimed: Entry[Grant]) -> Entry[Grant] | None:
        """Move the end of a lease forward; None if it is not ours any more."""
        version, lease = claimed.record.version, self._new_lease()

        def renewed(grant: Grant) -> Grant | None:
            return replace(grant, lease=lease) if self._owns(grant, version) else None

        current = await self.change(claimed, renewed, durably=False)
        return current if current and self._owns(current.record, version) else None

    async def release(self, claimed: Entry[Grant], trouble: Trouble) -> None:
        """Give a lease back if it is still ours; note *trouble* if the store cannot be reached."""
        name = version_name(claimed.record)
        try:
            await self._release(claimed, trouble)
        except (StoreError, VaultError) as error:
            self._troubles[name] = trouble
            log.warning(
                "the lease of grant %(grant)s could not be given back and lapses by itself: "
                "%(error)s",
                {"grant": claimed.record.name, "error": str(error)},
            )
        else:
            self._troubles.pop(name, None)

    async def take_back(self, found: Entry[Grant]) -> None:
        """Give back a lease that an earlier refresh of this process left behind; raise StoreError.

        The trouble that it left behind is what was noted, or else what the row says.
        """
        name = version_name(found.record)
        await self._release(found, self._troubles.get(name) or found.record.trouble)
        self._troubles.pop(name, None)

    async def _release(self, claimed: Entry[Grant], trouble: Trouble) -> None:
        version = claimed.record.version

        def released(grant: Grant) -> Grant | None:
            if not self._owns(grant, version):
                return None
            return replace(grant, lease=None, trouble=trouble)

        await self.change(claimed, released, durably=False)

    def _new_lease(self) -> Lease:
        return Lease(self.owner, self._clock() + self._timing.lease_seconds)

    def _owns(self, grant: Grant, version: int) -> bool:
        lease = grant.lease
        return grant.version == version and lease is not None and lease.owner == self.owner

    # Tokens

    async def tokens(self, fresh: Grant, over: Entry[Grant] | None = None) -> Grant | None:
        """Write *fresh*, the version that follows the one it came from; *over* is what was read.

        Returns what the row holds afterwards: these tokens, or newer ones. A row that says that the
        person is needed gives way. None if the row is gone: the tokens are queued for revocation.
        """
        found = over or await self._ledger.find_grant(fresh.key)
        rule = partial(_succeeding, fresh)
        written = found and await self.change(found, rule, durably=True, event="grant.refreshed")
        if written is None:
            await self._give_back(fresh)
            return None
        if not written.record.has(fresh.tokens.access_token):
            log.info(
                "grant %(grant)s has newer tokens of another process, which are used",
                {"grant": fresh.name},
            )
        return written.record

    async def _give_back(self, fresh: Grant) -> None:
        log.info(
            "tokens came for grant %(grant)s, which was ended: they are revoked",
            {"grant": fresh.name},
        )
        await self._ledger.add_revocation(revocation_of(fresh, self._clock()))

    # Reasons why the person is needed

    async def reason(self, found: Entry[Grant], reason: str | None) -> Grant | None:
        """Write that the person is needed, and why, unless the version moved.

        With None for a reason there is only nothing to keep alive. Returns what the row holds
        afterwards, None if it is gone. Raises StoreError, and notes the reason, if that is not
        possible.
        """
        grant = found.record

        def ended(current: Grant) -> Grant | None:
            if current.version != grant.version or current.reauth_reason is not None:
                return None
            return new_version(replace(current, reauth_reason=reason), current, self._randomness)

        try:
            kind: EventKind | None = "grant.reauth_required" if reason else None
            current = await self.change(found, ended, durably=True, event=kind)
        except StoreError:
            if reason is not None:
                self.note_reason(grant, reason)
            raise
        self._reasons.pop(version_name(grant), None)
        if current is not None and current.record.reauth_reason is not None:
            log.warning(
                "the person of grant %(grant)s has to sign in again: %(reason)s",
                {"grant": grant.name, "reason": reason},
            )
        return None if current is None else current.record

    def note_reason(self, grant: Grant, reason: str) -> None:
        """Remember a reason that cannot be written."""
        self._reasons[version_name(grant)] = reason

    def noted_reason(self, grant: Grant) -> str | None:
        """Return the reason that this version should hold and does not."""
        return self._reasons.get(version_name(grant))

    # Access tokens that the API refused: never handed out again, by any process on the store

    def is_refused(self, grant: Grant) -> bool:
        """Check whether the API refused the access token of *grant*."""
        if grant.is_access_refused or not self._refused:
            return grant.is_access_refused
        return digest(grant.tokens.access_token) in self._refused

    def note_refused(self, access_token: Secret) -> None:
        """Hand out *access_token* no more in this process."""
        self._refused[digest(access_token)] = True

    async def refused(self, found: Entry[Grant]) -> Entry[Grant] | None:
        """Write that the access token of a grant was refused.

        The version and the lease stay as they are: a refresh under way is not disturbed, and what
        it commits replaces the mark together with the token. Returns what the row holds afterwards,
        None if it is gone. Raises StoreError or VaultError.
        """
        token = found.record.tokens.access_token

        def refused(grant: Grant) -> Grant | None:
            if grant.is_access_refused or not grant.has(token):
                return None
            return replace(grant, is_access_refused=True)

        marked = await self.change(found, refused, durably=False)
        if not found.record.is_access_refused and marked and marked.record.is_access_refused:
            log.info(
                "the API refused the access token of grant %(grant)s", {"grant": marked.record.name}
            )
        return marked


class HeldLease:
    """A lease that is renewed for as long as the block lasts.

    `entry` is the grant as it was written last.
    """

    def __init__(self, commit: Commit, entry: Entry[Grant], clock: Clock, timing: Timing) -> None:
        self._commit = commit
        self._clock = clock
        self._timing = timing
        self.entry = entry

    @property
    def grant(self) -> Grant:
        """The grant that was claimed."""
        return self.entry.record

    @property
    def is_steady(self) -> bool:
        """Whether it lasts until the next renewal; not if this process stood still."""
        lease = self.grant.lease
        return lease is not None and self._clock() + self._timing.store_seconds <= lease.until

    async def release(self, trouble: Trouble) -> None:
        """Give it back, and leave *trouble* behind for the next refresh."""
        await self._commit.release(self.entry, trouble)

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
            await asyncio.sleep(self._timing.beat_seconds)
            try:
                renewed = await self._commit.renew(self.entry)
            except (StoreError, VaultError) as error:
                log.debug(
                    "the lease of grant %(grant)s was not renewed: %(error)s",
                    {"grant": self.grant.name, "error": str(error)},
                )
                continue
            if renewed is None:
                return
            self.entry = renewed


def version_name(grant: Grant) -> Hashable:
    """Return the name under which to note something about one version of a grant."""
    return grant.key, grant.version


def _succeeding(fresh: Grant, current: Grant) -> Grant | None:
    """Return *fresh* as the version after *current*; None if it came too late, or is there."""
    if current.version == fresh.version - 1:
        return fresh
    if current.has(fresh.tokens.access_token) or current.reauth_reason is None:
        return None  # a write whose answer was lost, or another process was quicker
    return replace(fresh, version=current.version + 1)
