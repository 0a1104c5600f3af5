"""The spool: a private folder of rows that a store would not take, each a file, sealed as rows are.

A file is written before anybody relies on it and removed once its row is in the store, or never
will be. Nothing here waits for anything but the disk.
"""

import os
from contextlib import suppress
from pathlib import Path

import msgspec

from webex_oauth.errors import SealBroken
from webex_oauth.ports import Randomness
from webex_oauth.vault.private_files import (
    create_private_file,
    drop_dead_draft,
    ensure_private_folder,
    read_private_file,
)
from webex_oauth.vault.records import GrantRecord

SUFFIX = ".grant"
NAME_BYTES = 8
MAX_FILE_BYTES = 256 * 1024

_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(GrantRecord)


class Spool:
    """Keep rows of grants in *folder*; every method but `names` may raise OSError."""

    def __init__(self, folder: Path, randomness: Randomness) -> None:
        self._folder = folder
        self._randomness = randomness

    def open(self) -> None:
        """Make the folder; refuse one that others can enter. Drafts of the dead go."""
        ensure_private_folder(self._folder)
        for draft in self._folder.glob(f".*{SUFFIX}.*"):
            with suppress(FileNotFoundError):
                drop_dead_draft(draft)

    def add(self, record: GrantRecord) -> str:
        """Keep *record*, on the disk when this returns; give its name."""
        name = f"{record.key.hex()}-{self._randomness(NAME_BYTES).hex()}{SUFFIX}"
        create_private_file(self._folder / name, _ENCODER.encode(record))
        return name

    def names(self) -> list[str]:
        """Name what is kept; nothing when there is no folder."""
        with suppress(OSError), os.scandir(self._folder) as entries:
            return sorted(
                entry.name
                for entry in entries
                if entry.name.endswith(SUFFIX) and not entry.name.startswith(".")
            )
        return []

    def read(self, name: str) -> GrantRecord:
        """Read what is kept; raise SealBroken for what is no row."""
        content = read_private_file(self._folder / name, MAX_FILE_BYTES)
        try:
            return _DECODER.decode(content)
        except msgspec.DecodeError as error:
            raise SealBroken(f"the spool file {name} holds no grant") from error

    def drop(self, name: str) -> None:
        """Remove what is kept, if it is still there."""
        (self._folder / name).unlink(missing_ok=True)

    def replace(self, name: str, record: GrantRecord) -> None:
        """Put *record* in the place of what is kept; it gets a name of its own."""
        self.add(record)
        self.drop(name)
