"""The files: the database, its write-ahead log and its index, readable by their owner alone."""

import os
from contextlib import suppress
from pathlib import Path

from webex_oauth.errors import ConfigurationError
from webex_oauth.vault.private_files import (
    check_private_file,
    check_private_folder,
    create_private_file,
    ensure_private_folder,
)

MAGIC = b"SQLite format 3\x00"
COMPANIONS = ("-wal", "-shm", "-journal")


def prepare_files(path: Path) -> None:
    """Create an empty database file if there is none; SQLite gives its mode to the others.

    Raises ConfigurationError if a file is loose or not a database.
    """
    try:
        check_private_folder(path.parent)
        ensure_private_folder(path.parent)
        with suppress(FileExistsError):
            create_private_file(path, b"")
        _check_files(path)
    except OSError as error:
        raise _unusable(error) from error


def check_place(path: Path) -> None:
    """Check what `prepare_files` would find, and create nothing; raise ConfigurationError."""
    try:
        check_private_folder(path.parent)
        with suppress(FileNotFoundError):
            _check_files(path)
    except OSError as error:
        raise _unusable(error) from error


def sync_log(path: Path) -> None:
    """Sync the write-ahead log of the database at *path* to the disk; raise OSError.

    SQLite holds no lock on the log itself, so opening and closing it disturbs no connection.
    """
    log = os.open(path.with_name(f"{path.name}-wal"), os.O_RDONLY)
    try:
        os.fsync(log)
    finally:
        os.close(log)


def _check_files(path: Path) -> None:
    check_private_file(path)
    for companion in COMPANIONS:
        with suppress(FileNotFoundError):
            check_private_file(path.with_name(path.name + companion))
    with path.open("rb") as file:
        start = file.read(len(MAGIC))
    if start not in (b"", MAGIC):
        raise ConfigurationError([f"{path} is not a SQLite database: choose another file"])


def _unusable(error: OSError) -> ConfigurationError:
    return ConfigurationError([f"the database of WEBEX_STORE_URL cannot be used: {error}"])
