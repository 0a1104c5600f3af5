"""Changes of a key file: one at a time, each whole or not at all, nothing left beside it."""

import fcntl
import logging
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from webex_oauth.errors import KeyUnavailable
from webex_oauth.vault.key_text import read_keys, with_key, with_primary, without_key
from webex_oauth.vault.keys import read_key_text, unusable
from webex_oauth.vault.private_files import replace_private_file
from webex_oauth.vault.sealing import KeyRing

WAIT_SECONDS = 3.0
LOOK_AGAIN_SECONDS = 0.05

log = logging.getLogger(__name__)


def add_key(path: Path, line: str) -> KeyRing:
    """Add a key's line to the file; its key opens and does not seal yet."""
    ring = _change(path, lambda text: with_key(text, line))
    log.info("key %(key)s was added", {"key": ring.others[-1].id})
    return ring


def make_primary(path: Path, key_id: str) -> KeyRing:
    """Let a key of the file seal from now on."""
    ring = _change(path, lambda text: with_primary(text, key_id), needs=key_id)
    log.info("key %(key)s was made primary", {"key": key_id})
    return ring


def remove_key(path: Path, key_id: str) -> KeyRing:
    """Take a key out of the file, but not the one that seals."""
    ring = _change(path, lambda text: _without(text, key_id, str(path)), needs=key_id)
    log.info("key %(key)s was removed", {"key": key_id})
    return ring


def check_named(ring: KeyRing, key_id: str) -> None:
    """Refuse a name that no key of *ring* has."""
    if key_id not in {key.id for key in ring.keys}:
        raise KeyUnavailable(
            f"no key in {ring.source} is named {key_id!r}: `webex-oauth keys list` names them"
        )


def check_retirable(ring: KeyRing, key_id: str) -> None:
    """Refuse to part with a key that *ring* does not have, or seals with."""
    check_named(ring, key_id)
    if ring.primary.id == key_id:
        raise KeyUnavailable(f"key {key_id!r} seals: make another one primary first")


def _without(text: str, key_id: str, source: str) -> str:
    check_retirable(read_keys(text, source), key_id)
    return without_key(text, key_id)


def _change(path: Path, change: Callable[[str], str], *, needs: str | None = None) -> KeyRing:
    """Rewrite the file; what would be refused when it is read is not written."""
    try:
        with _turn(path.parent):
            text = read_key_text(path)
            if needs is not None:
                check_named(read_keys(text, str(path)), needs)
            changed = change(text)
            ring = read_keys(changed, str(path))
            replace_private_file(path, changed.encode())
    except OSError as error:
        raise unusable(error) from error
    return ring


@contextmanager
def _turn(folder: Path) -> Iterator[None]:
    """Keep other commands out meanwhile; the system ends the lock with the process."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        _lock(descriptor, folder)
        yield
    finally:
        os.close(descriptor)


def _lock(descriptor: int, folder: Path) -> None:
    ends_at = time.monotonic() + WAIT_SECONDS
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            if time.monotonic() >= ends_at:
                raise KeyUnavailable(
                    f"another command is changing the keys in {folder}: try again"
                ) from error
            time.sleep(LOOK_AGAIN_SECONDS)
            continue
        return
