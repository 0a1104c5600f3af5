"""Reasons for which only the person can help: written into the row, or at least remembered."""

import logging

from webex_oauth.errors import StoreError
from webex_oauth.vault.commit import Commit
from webex_oauth.vault.held import Held
from webex_oauth.vault.notes import Notes
from webex_oauth.vault.records import GrantRecord

log = logging.getLogger(__name__)


class Reasons:
    """Make sure that this process never presents again what must not be presented."""

    def __init__(self, commit: Commit) -> None:
        self._commit = commit
        self._unwritten: Notes[str] = Notes()

    def unwritten(self, record: GrantRecord) -> str | None:
        """Find the reason that this version of a row should hold and does not."""
        return self._unwritten.find(record)

    def remember(self, held: Held, reason: str) -> None:
        """Keep a reason that cannot be written just now."""
        self._unwritten.add(held.record, reason)

    async def write(self, held: Held, reason: str) -> Held | None:
        """Write *reason* into the row; gives what is there afterwards, None when it is gone.

        Raises StoreError, and remembers, when that is not possible.
        """
        try:
            current = await self._commit.reason(held, reason)
        except StoreError:
            self.remember(held, reason)
            raise
        self._unwritten.drop(held.record)
        if current is not None and current.grant.reauth_reason is not None:
            log.warning("the person is needed", extra={"grant": held.name, "reason": reason})
        return current
