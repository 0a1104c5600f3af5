"""A store that breaks where and how it is told to."""

from collections.abc import Callable
from typing import Any, cast

from webex_oauth.errors import StoreUnavailable
from webex_oauth.stores.memory import MemoryStore
from webex_oauth.vault.store import Store

METHODS = frozenset(name for name in vars(Store) if not name.startswith("_")) - {"open", "close"}


class BrittleStore:
    """Pass calls on to a store in memory; the methods in `broken` raise `error` instead."""

    def __init__(self) -> None:
        self._inner = MemoryStore()
        self.broken: frozenset[str] = frozenset()
        self.error: Exception = StoreUnavailable("the disk is gone")

    @property
    def as_store(self) -> Store:
        """The store, as the application sees it."""
        return cast("Store", self)

    def __getattr__(self, name: str) -> Callable[..., Any]:
        async def call(*arguments: object, **options: object) -> object:
            if name in self.broken:
                raise self.error
            return await getattr(self._inner, name)(*arguments, **options)

        return call
