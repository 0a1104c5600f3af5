"""Rescue: tokens that came and could not be stored are kept until they are.

In memory first, so that this process serves them; then in the spool, so that they outlive it.
"""

import asyncio
import logging
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from webex_oauth.errors import ConfigurationError, StoreError, StoreUnavailable, VaultError
from webex_oauth.ports import Clock
from webex_oauth.vault.commit import Commit
from webex_oauth.vault.grants import Grant, Held, open_grant
from webex_oauth.vault.records import GrantRecord
from webex_oauth.vault.sealing import Sealer
from webex_oauth.vault.spool import Spool
from webex_oauth.vault.store import Store
from webex_oauth.vault.timing import SPOOL_SECONDS

RETRY_SECONDS = 1.0
ROUNDS_BETWEEN_LOOKS = 5

log = logging.getLogger(__name__)


_Place: TypeAlias = tuple[bytes, int]
"""The key and the version of the row that tokens are sealed for."""


@dataclass(frozen=True, slots=True)
class _Rescued:
    held: Held
    file_name: str | None


class Rescue:
    """Keep what a store would not take, in *folder*, and give it to the store as soon as it does.

    Processes of one machine share the folder: each tries what it finds there, and the version
    decides.
    """

    def __init__(self, folder: Path, store: Store, sealer: Sealer, clock: Clock) -> None:
        self._folder = folder
        self._sealer = sealer
        self._spool = Spool(folder, sealer.randomness)
        self._commit = Commit(store, sealer, clock)
        self._rescued: dict[_Place, _Rescued] = {}
        self._reported: set[str] = set()

    @property
    def is_empty(self) -> bool:
        """Whether nothing waits to be stored."""
        return not self._rescued

    async def open(self) -> None:
        """Make the folder and take up what an earlier process left in it.

        A system without a place to write is served all the same, from memory alone. Raises
        ConfigurationError if the folder is there and is not private.
        """
        try:
            await asyncio.to_thread(self._spool.open)
        except OSError as error:
            if error.errno is None:
                raise ConfigurationError([f"the spool folder cannot be used: {error}"]) from error
            log.warning(
                "no spool at %(folder)s (%(error)s): tokens that the store does not take are "
                "kept in memory alone, and lost with this process",
                {"folder": str(self._folder), "error": error.strerror},
            )
            return
        await self.look()

    async def run(self) -> None:
        """Try at once, and again every second, for ever."""
        while True:
            for _ in range(ROUNDS_BETWEEN_LOOKS):
                await self.retry()
                await asyncio.sleep(RETRY_SECONDS)
            await self.look()

    def find(self, record: GrantRecord) -> Grant | None:
        """Find the tokens that follow this version of a row and are not in it yet."""
        rescued = self._rescued.get((record.key, record.version + 1))
        return None if rescued is None else rescued.held.grant

    async def keep(self, held: Held) -> None:
        """Keep *held*, whose row follows the one in the store; raise nothing."""
        self._rescued[_place(held)] = _Rescued(held, None)
        await self._spool_it(held)

    def keep_at_once(self, held: Held) -> None:
        """Keep *held* although nothing can be waited for any more; raise nothing."""
        self._rescued[_place(held)] = _Rescued(held, None)
        try:
            self._note(held, self._spool.add(held.record))
        except OSError as error:
            _log_unspooled(held, error)

    async def look(self) -> None:
        """Take up what lies in the folder and is not in memory."""
        known = {rescued.file_name for rescued in self._rescued.values()}
        names = await asyncio.to_thread(self._spool.names)
        self._reported.intersection_update(names)
        for name in names:
            if name not in known:
                await self._take_up(name)

    async def retry(self) -> None:
        """Try to store everything, once."""
        for rescued in list(self._rescued.values()):
            held = rescued.held
            if rescued.file_name is None:
                await self._spool_it(held)
            try:
                await self._commit.tokens(held)
            except StoreUnavailable:
                return
            except (StoreError, VaultError) as error:
                log.warning(
                    "rescued tokens of grant %(grant)s wait: %(error)s",
                    {"grant": held.name, "error": str(error)},
                )
            else:
                await self._settle(held)

    async def _spool_it(self, held: Held) -> None:
        try:
            async with asyncio.timeout(SPOOL_SECONDS):
                name = await asyncio.to_thread(self._spool.add, held.record)
        except OSError as error:
            _log_unspooled(held, error)
        else:
            self._note(held, name)

    def _note(self, held: Held, file_name: str) -> None:
        """Remember where *held* is; a file that came too late for that is taken up later."""
        rescued = self._rescued.get(_place(held))
        if rescued is not None and rescued.held is held:
            self._rescued[_place(held)] = _Rescued(held, file_name)
        log.warning(
            "tokens of grant %(grant)s could not be stored and wait in the spool",
            {"grant": held.name},
        )

    async def _take_up(self, name: str) -> None:
        try:
            record = await asyncio.to_thread(self._spool.read, name)
            held = Held(record, open_grant(self._sealer, record))
        except FileNotFoundError:
            return  # another process was quicker
        except (OSError, VaultError) as error:
            self._report(name, error)
            return
        # A second file for one version waits for its turn.
        self._rescued.setdefault(_place(held), _Rescued(held, name))

    def _report(self, name: str, error: Exception) -> None:
        if name not in self._reported:
            self._reported.add(name)
            log.error(
                "the spool file %(file)s cannot be read: %(error)s",
                {"file": str(self._folder / name), "error": str(error)},
            )

    async def _settle(self, held: Held) -> None:
        rescued = self._rescued.get(_place(held))
        if rescued is None or rescued.held is not held:
            return  # other tokens need the rescue; the older file is taken up after them
        del self._rescued[_place(held)]
        log.info("rescued tokens of grant %(grant)s are settled", {"grant": held.name})
        if rescued.file_name is None:
            return
        try:
            await asyncio.to_thread(self._spool.drop, rescued.file_name)
        except OSError as error:
            log.warning(
                "a spool file of grant %(grant)s cannot be removed: %(error)s",
                {"grant": held.name, "error": str(error)},
            )


def _place(held: Held) -> _Place:
    return held.record.key, held.record.version


def _log_unspooled(held: Held, error: OSError) -> None:
    # The error's own text would name the file and with it the grant's whole key.
    reason = error.strerror or type(error).__name__
    log.error(
        "tokens of grant %(grant)s are in memory alone: the spool cannot be written (%(error)s)",
        {"grant": held.name, "error": reason},
    )
