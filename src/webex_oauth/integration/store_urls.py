"""Databases by their URL; each is loaded only when it is chosen, because its driver is optional."""

from pathlib import Path
from typing import Final

from webex_oauth.errors import ConfigurationError
from webex_oauth.settings.names import SQLITE
from webex_oauth.settings.storage import STORE_URL_REMEDY
from webex_oauth.vault.rows import Rows

EXTRAS: Final = {"postgresql": "postgres", "redis": "redis", "rediss": "redis"}


def rows_at(url: str) -> Rows:
    """Return the database that *url* names, not opened yet.

    Raises ConfigurationError if it names none, or one whose driver is not installed.
    """
    scheme = url.partition(":")[0]
    try:
        return _rows(scheme, url)
    except ImportError as error:
        if scheme not in EXTRAS:
            raise
        mistake = (
            f"WEBEX_STORE_URL: the driver for {scheme}: is not installed: install webex-oauth "
            "again with its extra, as in pip install "
            f"'PATH-OR-URL-OF-WEBEX-OAUTH[{EXTRAS[scheme]}]'"
        )
        raise ConfigurationError([mistake]) from error


def check_place(url: str) -> None:
    """Check the driver and the place of the database at *url*, and create nothing.

    Raises ConfigurationError.
    """
    rows_at(url)
    if url.startswith(SQLITE):
        from webex_oauth.stores.sqlite.files import check_place

        check_place(Path(url.removeprefix(SQLITE)))


def is_made(url: str) -> bool:
    """Return whether the database at *url* is more than a file that does not exist yet."""
    return not url.startswith(SQLITE) or Path(url.removeprefix(SQLITE)).exists()


def _rows(scheme: str, url: str) -> Rows:
    # ruff: noqa: PLC0415 - a driver that is not installed stops only those who ask for it
    match scheme:
        case "memory":
            from webex_oauth.stores.memory import MemoryRows

            return MemoryRows()
        case "sqlite":
            from webex_oauth.stores.sqlite import SqliteRows

            return SqliteRows(Path(url.removeprefix(SQLITE)))
        case "postgresql":
            from webex_oauth.stores.postgres import PostgresRows

            return PostgresRows(url)
        case "redis" | "rediss":
            from webex_oauth.stores.redis import RedisRows

            return RedisRows(url)
        case _:
            raise ConfigurationError([STORE_URL_REMEDY])
