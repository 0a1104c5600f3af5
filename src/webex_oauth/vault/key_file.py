"""The key file: one key a line, `id base64url [day]`; the first seals, all open.

It is made on the first start, refused if others could read it, and read again while in use. The
day, if there is one, shows people since when the key is there. Commands change it one at a time,
each change whole or not at all.
"""

import base64
import binascii
import logging
import os
import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import date
from pathlib import Path
from typing import TypeAlias

from webex_oauth.errors import KeyUnavailable
from webex_oauth.ports import Randomness
from webex_oauth.vault.private_files import (
    check_private_folder,
    create_private_file,
    ensure_private_folder,
    is_mounted,
    read_private_file,
    replace_private_file,
    take_lock,
)
from webex_oauth.vault.sealing import KEY_BYTES, Key, KeyRing

HEADER = """\
# Keys of webex-oauth. With this file every stored token can be read, without it none.
# Back it up apart from the database. The first key seals, the others only open.
"""
LINE = re.compile(r"\S+\s+\S+(\s+[0-9]{4}-[0-9]{2}-[0-9]{2})?")
KEY_ID_BYTES = 4
MIN_DISTINCT_BYTES = 8
MAX_KEY_FILE_BYTES = 64 * 1024
LOOK_AGAIN_SECONDS = 1.0
LOCK_SECONDS = 3.0
TRY_LOCK_SECONDS = 0.05
IN_A_CONTAINER = "in a container, mount it read-only or put its text into WEBEX_KEYS"
RESTORE = "restore the file from its backup; with a new key, every stored token is lost"

Edition: TypeAlias = tuple[int, int, int]

log = logging.getLogger(__name__)

# The text


def key_line(key_id: str, material: bytes, made_on: date) -> str:
    """Write one key as a line."""
    return f"{key_id} {base64.urlsafe_b64encode(material).decode('ascii')} {made_on.isoformat()}\n"


def new_key_line(randomness: Randomness, made_on: date) -> str:
    """Make a key with a name of its own."""
    return key_line(f"k-{randomness(KEY_ID_BYTES).hex()}", randomness(KEY_BYTES), made_on)


def read_keys(text: str, source: str) -> KeyRing:
    """Read the text of the key file *source*; raise KeyUnavailable that says what to do."""
    keys: dict[str, Key] = {}
    for number, line in _key_lines(text):
        key = _read_line(line, f"{source}, line {number}")
        if key.id in keys:
            raise KeyUnavailable(f"{source}, line {number}: a second key {key.id!r}: remove one")
        keys[key.id] = key
    if not keys:
        raise KeyUnavailable(f"{source} holds no key: {RESTORE}")
    primary, *others = keys.values()
    return KeyRing(primary, tuple(others), source)


def read_days(text: str) -> Mapping[str, str]:
    """Read since when keys are there, by their ids, from a text that is good."""
    words = (line.split() for _, line in _key_lines(text))
    return {key_id: day[0] for key_id, _, *day in words if day}


def _key_lines(text: str) -> Iterator[tuple[int, str]]:
    """Yield the lines that hold a key, with their numbers from 1."""
    for number, line in enumerate(text.splitlines(), start=1):
        if line.strip() and not line.startswith("#"):
            yield number, line


def _place(text: str, key_id: str) -> int:
    """Return the index of the line of a key among all lines."""
    return next(number - 1 for number, line in _key_lines(text) if line.split()[0] == key_id)


def _read_line(line: str, place: str) -> Key:
    if not LINE.fullmatch(line.strip()):
        raise KeyUnavailable(f"{place} is not `id key`, or `id key day`: {RESTORE}")
    key_id, encoded, *_ = line.split()
    material = _read_material(encoded, place)
    try:
        return Key(key_id, material)
    except KeyUnavailable as error:
        raise KeyUnavailable(f"{place}: {error}") from error


def _read_material(encoded: str, place: str) -> bytes:
    try:
        material = base64.b64decode(encoded.encode(), altchars=b"-_", validate=True)
    except (binascii.Error, UnicodeEncodeError) as error:
        raise KeyUnavailable(f"{place}: the key is not base64url: {RESTORE}") from error
    if len(material) != KEY_BYTES:
        raise KeyUnavailable(
            f"{place}: the key has {len(material)} bytes and not {KEY_BYTES}: {RESTORE}"
        )
    if len(set(material)) < MIN_DISTINCT_BYTES:
        raise KeyUnavailable(f"{place}: the key is a placeholder and not random: {RESTORE}")
    return material


# The file


@contextmanager
def _explained() -> Iterator[None]:
    """Raise KeyUnavailable, which says what to do, in the place of an OSError."""
    try:
        yield
    except FileNotFoundError as error:
        raise KeyUnavailable(
            f"there is no key file: {error.filename} (WEBEX_KEYS_FILE) is not there; the first "
            f"start of `webex-oauth serve` makes it; if there was one, {RESTORE}"
        ) from error
    except OSError as error:
        raise KeyUnavailable(
            f"the key file (WEBEX_KEYS_FILE) cannot be used: {error}; {IN_A_CONTAINER}"
        ) from error


class KeyFile:
    """The keys of a file that may change while the process runs.

    Which key seals changes by `adopt` alone. A key that is needed and not known is looked up in the
    file at once, at most once a second, and only opens.
    """

    def __init__(self, path: Path, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._path = path
        self._monotonic = monotonic
        self._look_at = 0.0
        self._edition = self._read = _edition(path)
        self.ring = read_key_file(path)
        self.primary = self.ring.primary

    @property
    def source(self) -> str:
        """The file's path."""
        return str(self._path)

    @property
    def keys(self) -> tuple[Key, ...]:
        return self.ring.keys

    def find(self, key_id: str) -> Key:
        """Find a key, in the file if need be; raise KeyUnavailable if it is not there."""
        try:
            return self.ring.find(key_id)
        except KeyUnavailable:
            if self._monotonic() < self._look_at:
                raise
        self._look_at = self._monotonic() + LOOK_AGAIN_SECONDS
        key = read_key_file(self._path).find(key_id)
        self.ring = KeyRing(self.primary, (*self.ring.others, key), self.source)
        return key

    def change(self) -> KeyRing | None:
        """Read the file if it is not the one that was adopted; raise KeyUnavailable."""
        self._read = _edition(self._path)
        return None if self._read == self._edition else read_key_file(self._path)

    def adopt(self, ring: KeyRing) -> None:
        """Seal and open by the change that was read last."""
        self.ring, self.primary, self._edition = ring, ring.primary, self._read


def read_or_make_key_file(path: Path, randomness: Randomness, made_on: date) -> KeyFile:
    """Read the keys in *path*; make it, with one new key, if there is no such file.

    Processes that start together end with the same keys. Raises KeyUnavailable that says what
    to do.
    """
    with _explained():
        if _check_place(path):
            ensure_private_folder(path.parent)
            with suppress(FileExistsError):
                text = HEADER + new_key_line(randomness, made_on)
                create_private_file(path, text.encode("ascii"))
    return KeyFile(path)


def check_key_file(path: Path) -> None:
    """Check that *path* holds keys or could be made, and make nothing; raise KeyUnavailable."""
    with _explained():
        is_missing = _check_place(path)
    if not is_missing:
        read_key_file(path)


def _check_place(path: Path) -> bool:
    """Check the folder of a key file; return whether the file is missing."""
    is_missing = not path.is_symlink() and not path.exists()
    if is_missing:
        check_private_folder(path.parent)
    elif not is_mounted(path):
        ensure_private_folder(path.parent)
    return is_missing


def read_key_file(path: Path) -> KeyRing:
    """Read the ring in *path*; raise KeyUnavailable that says what to do."""
    return read_keys(read_key_text(path), str(path))


def read_key_text(path: Path) -> str:
    """Read the text in *path*; raise KeyUnavailable if others could."""
    with _explained():
        return read_private_file(path, MAX_KEY_FILE_BYTES).decode("utf-8", "replace")


def _edition(path: Path) -> Edition:
    """Return what changes when the file does; raise KeyUnavailable if there is none."""
    with _explained():
        # A platform changes what it mounted by another link in the same place.
        found = path.stat() if is_mounted(path) else path.lstat()
    return found.st_ino, found.st_mtime_ns, found.st_size


# Changes


def with_primary(text: str, key_id: str) -> str:
    """Put the line of *key_id* above the other keys: from now on it seals."""
    lines = text.splitlines(keepends=True)
    first, chosen = next(_key_lines(text))[0] - 1, _place(text, key_id)
    line = lines.pop(chosen)
    lines.insert(first, line if line.endswith("\n") else f"{line}\n")
    return "".join(lines)


def add_key(path: Path, line: str) -> KeyRing:
    """Add a key's line to the file; its key opens and does not seal yet."""
    ring = _change(path, lambda text: (text if text.endswith("\n") else f"{text}\n") + line)
    log.info("key %(key)s was added", {"key": ring.others[-1].id})
    return ring


def make_primary(path: Path, key_id: str) -> KeyRing:
    """Make a key of the file the one that seals."""
    ring = _change(path, lambda text: with_primary(text, key_id), needs=key_id)
    log.info("key %(key)s was made primary", {"key": key_id})
    return ring


def remove_key(path: Path, key_id: str) -> KeyRing:
    """Take a key out of the file, but not the one that seals."""
    ring = _change(path, lambda text: _without(text, key_id, str(path)), needs=key_id)
    log.info("key %(key)s was removed", {"key": key_id})
    return ring


def check_named(ring: KeyRing, key_id: str) -> None:
    """Raise KeyUnavailable for a name that no key of *ring* has."""
    if key_id not in {key.id for key in ring.keys}:
        raise KeyUnavailable(
            f"no key in {ring.source} is named {key_id!r}: `webex-oauth keys list` names them"
        )


def check_retirable(ring: KeyRing, key_id: str) -> None:
    """Raise KeyUnavailable for a key that *ring* does not have, or seals with."""
    check_named(ring, key_id)
    if ring.primary.id == key_id:
        raise KeyUnavailable(f"key {key_id!r} seals: make another one primary first")


def _without(text: str, key_id: str, source: str) -> str:
    check_retirable(read_keys(text, source), key_id)
    lines = text.splitlines(keepends=True)
    del lines[_place(text, key_id)]
    return "".join(lines)


def _change(path: Path, change: Callable[[str], str], *, needs: str | None = None) -> KeyRing:
    """Rewrite the file; what would be refused when it is read is not written."""
    with _explained(), _locked(path.parent):
        text = read_key_text(path)
        if needs is not None:
            check_named(read_keys(text, str(path)), needs)
        changed = change(text)
        ring = read_keys(changed, str(path))
        replace_private_file(path, changed.encode())
    return ring


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Hold the lock of *folder*; the system ends it with the process."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    ends_at = time.monotonic() + LOCK_SECONDS
    try:
        while not take_lock(descriptor):
            if time.monotonic() >= ends_at:
                raise KeyUnavailable(f"another command is changing the keys in {folder}: try again")
            time.sleep(TRY_LOCK_SECONDS)
        yield
    finally:
        os.close(descriptor)
