"""The key file: made on the first start, refused when others could read it, read while in use."""

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TypeAlias

from webex_oauth.errors import KeyUnavailable
from webex_oauth.ports import Randomness
from webex_oauth.vault.key_text import HEADER, new_key_line, read_keys
from webex_oauth.vault.private_files import (
    check_private_folder,
    create_private_file,
    ensure_private_folder,
    is_mounted,
    read_private_file,
)
from webex_oauth.vault.sealing import Key, KeyRing

MAX_KEY_FILE_BYTES = 64 * 1024
LOOK_AGAIN_SECONDS = 1.0
IN_A_CONTAINER = "in a container, mount it read-only or put its text into WEBEX_KEYS"

Edition: TypeAlias = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class KeyChange:
    """What a key file says now, to be judged before it is adopted."""

    ring: KeyRing
    edition: Edition


class KeyFile:
    """Have the keys of a file that may change while the process runs.

    Which key seals changes by `adopt` alone. A key that is not known when it is needed is looked
    for in the file at once, though not more often than each second, and only opens.
    """

    def __init__(self, path: Path, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._path = path
        self._monotonic = monotonic
        self._look_at = 0.0
        self._edition = _edition(path)
        self.ring = read_key_file(path)

    @property
    def source(self) -> str:
        """The file's path."""
        return str(self._path)

    @property
    def primary(self) -> Key:
        """The key that seals."""
        return self.ring.primary

    def find(self, key_id: str) -> Key:
        """Find a key, in the file if need be; raise KeyUnavailable when it is not there."""
        try:
            return self.ring.find(key_id)
        except KeyUnavailable:
            if self._monotonic() < self._look_at:
                raise
        self._look_at = self._monotonic() + LOOK_AGAIN_SECONDS
        key = read_key_file(self._path).find(key_id)
        self.ring = KeyRing(self.ring.primary, (*self.ring.others, key), self.source)
        return key

    def change(self) -> KeyChange | None:
        """Read the file when it is another one than was adopted; raise KeyUnavailable."""
        edition = _edition(self._path)
        if edition == self._edition:
            return None
        return KeyChange(read_key_file(self._path), edition)

    def adopt(self, change: KeyChange) -> None:
        """Seal and open by *change* from now on."""
        self.ring, self._edition = change.ring, change.edition


def read_or_make_key_file(path: Path, randomness: Randomness, made_on: date) -> KeyFile:
    """Read the keys in *path*, made with one new key when there is no such file.

    Processes that start together end with the same keys. Raises KeyUnavailable that says what
    to do.
    """
    try:
        is_there = path.is_symlink() or path.exists()
        if not is_there:
            check_private_folder(path.parent)
        if not is_mounted(path):
            ensure_private_folder(path.parent)
        if not is_there:
            with suppress(FileExistsError):
                text = HEADER + new_key_line(randomness, made_on)
                create_private_file(path, text.encode("ascii"))
    except OSError as error:
        raise unusable(error) from error
    return KeyFile(path)


def check_key_file(path: Path) -> None:
    """Check that *path* holds keys or could be made, and make nothing; raise KeyUnavailable."""
    try:
        if not path.is_symlink() and not path.exists():
            check_private_folder(path.parent)
            return
        if not is_mounted(path):
            ensure_private_folder(path.parent)
    except OSError as error:
        raise unusable(error) from error
    read_key_file(path)


def read_key_file(path: Path) -> KeyRing:
    """Read the ring in *path*; raise KeyUnavailable that says what to do."""
    return read_keys(read_key_text(path), str(path))


def read_key_text(path: Path) -> str:
    """Read the text in *path*; raise KeyUnavailable when others could."""
    try:
        return read_private_file(path, MAX_KEY_FILE_BYTES).decode("utf-8", "replace")
    except OSError as error:
        raise unusable(error) from error


def unusable(error: OSError) -> KeyUnavailable:
    """Say that the key file cannot be used."""
    return KeyUnavailable(
        f"the key file (WEBEX_KEYS_FILE) cannot be used: {error}; {IN_A_CONTAINER}"
    )


def _edition(path: Path) -> Edition:
    """Tell one version of a file from the others; raise KeyUnavailable when there is none."""
    try:
        # A platform changes what it mounted by another link in the same place.
        found = path.stat() if is_mounted(path) else path.lstat()
    except OSError as error:
        raise unusable(error) from error
    return found.st_ino, found.st_mtime_ns, found.st_size
