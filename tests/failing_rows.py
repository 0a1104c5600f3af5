"""A database in memory that fails when it is told to, and counts what is asked of it."""

import itertools
from collections.abc import Callable, Collection, Sequence
from typing import TypeAlias

from webex_oauth.errors import StoreUnavailable
from webex_oauth.stores.memory import MemoryRows
from webex_oauth.vault.rows import Change, Kind, Row

Which: TypeAlias = Callable[[str, Collection[Kind]], bool]
"""Says of a call, by its method and the kinds of its rows, whether it fails."""

BACKGROUND = {Kind.KEY, Kind.REVOCATION}
"""What the application reads and writes without being asked."""


def nothing(_: str, __: Collection[Kind]) -> bool:
    return False


def everything(_: str, __: Collection[Kind]) -> bool:
    return True


def asked(_: str, kinds: Collection[Kind]) -> bool:
    """Choose the calls that a request causes."""
    return not set(kinds) or not set(kinds) <= BACKGROUND


def reading(*wanted: Kind) -> Which:
    return lambda method, kinds: method != "apply" and set(wanted) <= set(kinds)


def writing(*wanted: Kind) -> Which:
    """Choose the changes of exactly these kinds, with the events that tell of them."""
    return lambda method, kinds: method == "apply" and {*kinds} - {Kind.EVENT} == {*wanted}


def after(count: int, which: Which) -> Which:
    """Choose the calls of *which* after the first *count*."""
    seen = itertools.count()
    return lambda method, kinds: which(method, kinds) and next(seen) >= count


class FailingRows(MemoryRows):
    """Raises `error` in the calls that `fails` chooses; counts changes and readiness checks."""

    def __init__(self) -> None:
        super().__init__()
        self.fails: Which = nothing
        self.error: Exception = StoreUnavailable("the disk is gone")
        self.change_count = 0
        self.check_count = 0

    async def check(self) -> None:
        self.check_count += 1
        self._fail("check")

    async def read(self, *rows: Row) -> Sequence[Row]:
        self._fail("read", *(row.kind for row in rows))
        return await super().read(*rows)

    async def of_group(self, kind: Kind, group: bytes, limit: int) -> Sequence[Row]:
        self._fail("of_group", kind)
        return await super().of_group(kind, group, limit)

    async def apply(self, changes: Sequence[Change], *, durably: bool) -> bool:
        kinds = {change.row.kind for change in changes}
        self._fail("apply", *kinds)
        self.change_count += not kinds <= BACKGROUND
        return await super().apply(changes, durably=durably)

    def _fail(self, method: str, *kinds: Kind) -> None:
        if self.fails(method, kinds):
            raise self.error
