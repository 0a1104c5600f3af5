"""Databases around another one that know the claims and commits of refreshes from other writes."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, cast

from webex_oauth.vault.rows import Change, Kind, Rows


def is_of_refresh(changes: Sequence[Change], *, durably: bool) -> bool:
    """Check whether a refresh claims or commits: it alone writes nothing durably but a grant.

    The event that tells of a commit goes with it.
    """
    return durably and {change.row.kind for change in changes} - {Kind.EVENT} == {Kind.GRANT}


class RefreshRows:
    """Awaits *reach* before and after the claim and the commit of the first refresh.

    It is answers `before_claim`, `after_claim`, `before_commit` or `after_commit`.
    """

    def __init__(self, rows: Rows, reach: Callable[[str], Awaitable[None]]) -> None:
        self._rows = rows
        self._reach = reach
        self._steps = iter(("claim", "commit"))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._rows, name)

    async def apply(self, changes: Sequence[Change], *, durably: bool) -> bool:
        """Apply, as the other one does."""
        if not is_of_refresh(changes, durably=durably):
            return await self._rows.apply(changes, durably=durably)
        step = next(self._steps, "later write")
        await self._reach(f"before_{step}")
        is_done = await self._rows.apply(changes, durably=True)
        await self._reach(f"after_{step}")
        return is_done


def refresh_rows(rows: Rows, reach: Callable[[str], Awaitable[None]]) -> Rows:
    """Return *rows*, with steps of a refresh that a test can stop at."""
    return cast("Rows", RefreshRows(rows, reach))
