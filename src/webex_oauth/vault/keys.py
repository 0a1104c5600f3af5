"""The key file: made on the first start, refused when others could read it."""

from contextlib import suppress
from pathlib import Path

from webex_oauth.errors import KeyUnavailable
from webex_oauth.ports import Randomness
from webex_oauth.vault.key_text import HEADER, key_line, read_keys
from webex_oauth.vault.private_files import (
    create_private_file,
    ensure_private_folder,
    read_private_file,
)
from webex_oauth.vault.sealing import KEY_BYTES, KeyRing

MAX_KEY_FILE_BYTES = 64 * 1024


def read_or_make_key_file(path: Path, randomness: Randomness) -> KeyRing:
    """Read the ring in *path*, made with one new key when there is no such file.

    Processes that start together end with the same ring. Raises KeyUnavailable that says what
    to do.
    """
    try:
        ensure_private_folder(path.parent)
        if not path.is_symlink() and not path.exists():
            _make_key_file(path, randomness)
        content = read_private_file(path, MAX_KEY_FILE_BYTES)
    except OSError as error:
        raise KeyUnavailable(f"the key file cannot be used: {error}") from error
    return read_keys(content.decode("utf-8", "replace"), str(path))


def _make_key_file(path: Path, randomness: Randomness) -> None:
    text = HEADER + key_line(f"k-{randomness(4).hex()}", randomness(KEY_BYTES))
    with suppress(FileExistsError):
        create_private_file(path, text.encode("ascii"))
