"""A store that can be made to fail and that counts what is asked of it."""

from collections.abc import Callable
from typing import Any, cast

from webex_oauth.stores.memory import MemoryStore
from webex_oauth.vault.store import Store

READING = frozenset({"check", "find_grant", "find_session", "sessions_of"})
CHANGING = frozenset(
    {
        "abandon_attempt",
        "add_attempt",
        "add_revocation",
        "admit",
        "claim_grant",
        "end_grant",
        "end_session",
        "release_grant",
        "renew_lease",
        "replace_grant",
        "replace_session",
        "take_attempt",
        "touch_session",
    }
)


class WatchedStore:
    """Pass everything on to a store in memory, unless `failure` is set: then raise that.

    `change_count` counts the calls that change something, `check_count` the readiness checks. What
    the application does without being asked neither fails nor counts.
    """

    def __init__(self) -> None:
        self._inner = MemoryStore()
        self.failure: Exception | None = None
        self.change_count = 0
        self.check_count = 0

    @property
    def as_store(self) -> Store:
        """The store, as the application sees it."""
        return cast("Store", self)

    def __getattr__(self, name: str) -> Callable[..., Any]:
        async def call(*arguments: object, **options: object) -> object:
            self._watch(name)
            return await getattr(self._inner, name)(*arguments, **options)

        return call

    def _watch(self, name: str) -> None:
        self.check_count += name == "check"
        if self.failure is not None and name in READING | CHANGING:
            raise self.failure
        self.change_count += name in CHANGING
