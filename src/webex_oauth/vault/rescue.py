"""The rescue: tokens that came and could not be stored are kept until they are.

In memory first, so that this process serves them; then in the spool, a private folder with a file
for each grant, sealed as in its row, so that they outlive the process. A file is written before
anything relies on it, and removed once its tokens are in the store, or never will be.
"""

import asyncio
import logging
import os
from collections.abc import Callable, Hashable, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TypeVar

import msgspec
from msgspec import Struct

from webex_oauth.errors import (
    ConfigurationError,
    SealBroken,
    StoreError,
    StoreUnavailable,
    VaultError,
)
from webex_oauth.ports import Clock, Randomness
from webex_oauth.vault.commit import Commit, version_name
from webex_oauth.vault.ledger import Ledger
from webex_oauth.vault.plan import SPOOL_SECONDS
from webex_oauth.vault.private_files import (
    create_private_file,
    drop_dead_draft,
    ensure_private_folder,
    read_private_file,
)
from webex_oauth.vault.records import Grant

T = TypeVar("T")

RETRY_SECONDS = 1.0
ROUNDS_BETWEEN_LOOKS = 5
SUFFIX = ".grant"
NAME_BYTES = 8
MAX_FILE_BYTES = 256 * 1024

log = logging.getLogger(__name__)


class Spooled(Struct, frozen=True, array_like=True):
    """The content of a file: the key of a grant, and its next version, sealed for its row."""

    key: bytes
    body: bytes


_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(Spooled)


class Spool:
    """The files in *folder*. Every method but `names` and `all` may raise OSError."""

    def __init__(self, folder: Path, randomness: Randomness) -> None:
        self._folder = folder
        self._randomness = randomness

    def open(self) -> None:
        """Make the folder; refuse one that others can enter. Drafts of dead processes go."""
        ensure_private_folder(self._folder)
        for draft in self._folder.glob(f".*{SUFFIX}.*"):
            with suppress(FileNotFoundError):
                drop_dead_draft(draft)

    def add(self, spooled: Spooled) -> str:
        """Write a file, on the disk when this returns; return its name."""
        name = f"{spooled.key.hex()}-{self._randomness(NAME_BYTES).hex()}{SUFFIX}"
        create_private_file(self._folder / name, _ENCODER.encode(spooled))
        return name

    def names(self) -> list[str]:
        """List the files; none if there is no folder."""
        with suppress(OSError), os.scandir(self._folder) as entries:
            return sorted(
                entry.name
                for entry in entries
                if entry.name.endswith(SUFFIX) and not entry.name.startswith(".")
            )
        return []

    def read(self, name: str) -> Spooled:
        """Read a file; raise SealBroken if it is none of ours."""
        content = read_private_file(self._folder / name, MAX_FILE_BYTES)
        try:
            return _DECODER.decode(content)
        except msgspec.DecodeError as error:
            raise SealBroken(f"the spool file {name} holds no grant") from error

    def drop(self, name: str) -> None:
        """Remove a file, if it is still there."""
        (self._folder / name).unlink(missing_ok=True)

    def all(self) -> Iterator[tuple[str, Spooled]]:
        """Yield the files by name, without those that are gone by then or cannot be read."""
        for name in self.names():
            with suppress(OSError, SealBroken):
                yield name, self.read(name)


class _Rescued(Struct, frozen=True):
    grant: Grant
    file_name: str | None


class Rescue:
    """Keep what the store would not take, and give it to the store as soon as it does.

    Processes of one machine share *folder*: each tries what it finds there, and the version
    decides.
    """

    def __init__(self, folder: Path, ledger: Ledger, clock: Clock, randomness: Randomness) -> None:
        self._folder = folder
        self._ledger = ledger
        self._spool = Spool(folder, randomness)
        self._commit = Commit(ledger, clock, randomness)
        self._rescued: dict[Hashable, _Rescued] = {}
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
            await _in_thread(self._spool.open)
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
        """Try at once, and again every second, until cancelled."""
        while True:
            for _ in range(ROUNDS_BETWEEN_LOOKS):
                await self.retry()
                await asyncio.sleep(RETRY_SECONDS)
            await self.look()

    def find(self, stored: Grant) -> Grant | None:
        """Return the grant with tokens that follow the stored version and are not in its row."""
        rescued = self._rescued.get((stored.key, stored.version + 1)) if self._rescued else None
        return None if rescued is None else rescued.grant

    async def keep(self, grant: Grant) -> None:
        """Keep *grant*, the version after the stored one; raise nothing."""
        self._rescued[version_name(grant)] = _Rescued(grant, None)
        await self._spool_it(grant)

    def keep_at_once(self, grant: Grant) -> None:
        """Keep *grant* without waiting for anything but the disk; raise nothing."""
        self._rescued[version_name(grant)] = _Rescued(grant, None)
        try:
            self._note(grant, self._spool.add(self._sealed(grant)))
        except OSError as error:
            _log_unspooled(grant, error)

    async def look(self) -> None:
        """Take up what lies in the folder and is not in memory."""
        known = {rescued.file_name for rescued in self._rescued.values()}
        names = await _in_thread(self._spool.names)
        self._reported.intersection_update(names)
        for name in names:
            if name not in known:
                await self._take_up(name)

    async def retry(self) -> None:
        """Try to store everything, once."""
        for rescued in list(self._rescued.values()):
            grant = rescued.grant
            if rescued.file_name is None:
                await self._spool_it(grant)
            try:
                await self._commit.tokens(grant)
            except StoreUnavailable:
                return
            except (StoreError, VaultError) as error:
                log.warning(
                    "rescued tokens of grant %(grant)s wait: %(error)s",
                    {"grant": grant.name, "error": str(error)},
                )
            else:
                await self._settle(grant)

    def _sealed(self, grant: Grant) -> Spooled:
        return Spooled(grant.key, self._ledger.seal_grant(grant))

    async def _spool_it(self, grant: Grant) -> None:
        try:
            async with asyncio.timeout(SPOOL_SECONDS):
                name = await _in_thread(self._spool.add, self._sealed(grant))
        except OSError as error:
            _log_unspooled(grant, error)
        else:
            self._note(grant, name)

    def _note(self, grant: Grant, file_name: str) -> None:
        """Remember which file holds a grant; one that came too late for that is taken up later."""
        rescued = self._rescued.get(version_name(grant))
        if rescued is not None and rescued.grant is grant:
            self._rescued[version_name(grant)] = _Rescued(grant, file_name)
        log.warning(
            "tokens of grant %(grant)s could not be stored and wait in the spool",
            {"grant": grant.name},
        )

    async def _take_up(self, name: str) -> None:
        try:
            spooled = await _in_thread(self._spool.read, name)
            grant = self._ledger.open_grant(spooled.key, spooled.body)
        except FileNotFoundError:
            return  # another process was quicker
        except (OSError, VaultError) as error:
            self._report(name, error)
            return
        # A second file for one version waits for its turn.
        self._rescued.setdefault(version_name(grant), _Rescued(grant, name))

    def _report(self, name: str, error: Exception) -> None:
        if name not in self._reported:
            self._reported.add(name)
            log.error(
                "the spool file %(file)s cannot be read: %(error)s",
                {"file": str(self._folder / name), "error": str(error)},
            )

    async def _settle(self, grant: Grant) -> None:
        rescued = self._rescued.get(version_name(grant))
        if rescued is None or rescued.grant is not grant:
            return  # other tokens need the rescue; the older file is taken up after them
        del self._rescued[version_name(grant)]
        log.info("rescued tokens of grant %(grant)s are settled", {"grant": grant.name})
        if rescued.file_name is None:
            return
        try:
            await _in_thread(self._spool.drop, rescued.file_name)
        except OSError as error:
            log.warning(
                "a spool file of grant %(grant)s cannot be removed: %(error)s",
                {"grant": grant.name, "error": str(error)},
            )


async def _in_thread(work: Callable[..., T], *arguments: object) -> T:
    """Do *work* in a thread, or here: a program that ends without closing has no more threads."""
    try:
        done = asyncio.get_running_loop().run_in_executor(None, partial(work, *arguments))
    except RuntimeError:
        return work(*arguments)
    return await done


def _log_unspooled(grant: Grant, error: OSError) -> None:
    # The error's own text would name the file and with it the grant's whole key.
    reason = error.strerror or type(error).__name__
    log.error(
        "tokens of grant %(grant)s are in memory alone: the spool cannot be written (%(error)s)",
        {"grant": grant.name, "error": reason},
    )
