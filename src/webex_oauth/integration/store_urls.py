"""Stores by their URL; a store is loaded when it is chosen, for not everybody has its driver."""

from pathlib import Path
from typing import Final

from webex_oauth.errors import ConfigurationError
from webex_oauth.settings.names import SQLITE
from webex_oauth.settings.values import STORE_URL_REMEDY
from webex_oauth.vault.store import Store

EXTRAS: Final = {"postgresql": "postgres", "redis": "redis", "rediss": "redis"}


def store_at(url: str) -> Store:
    """Choose the store that *url* names.

    Raises ConfigurationError when it names none, or one whose driver is not installed.
    """
    scheme = url.partition(":")[0]
    try:
        return _store(scheme, url)
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
    """Check, without making anything, that the store of *url* has its driver and its place.

    Raises ConfigurationError.
    """
    store_at(url)
    if url.startswith(SQLITE):
        from webex_oauth.stores.sqlite.files import check_place

        check_place(Path(url.removeprefix(SQLITE)))


def is_made(url: str) -> bool:
    """Return whether the store of *url* is more than a file that is not there yet."""
    return not url.startswith(SQLITE) or Path(url.removeprefix(SQLITE)).exists()


def _store(scheme: str, url: str) -> Store:
    # ruff: noqa: PLC0415 - a driver that is not installed stops only those who ask for it
    match scheme:
        case "memory":
            from webex_oauth.stores.memory import MemoryStore

            return MemoryStore()
        case "sqlite":
            from webex_oauth.stores.sqlite import SqliteStore

            return SqliteStore(Path(url.removeprefix(SQLITE)))
        case "postgresql":
            from webex_oauth.stores.postgres import PostgresStore

            return PostgresStore(url)
        case "redis" | "rediss":
            from webex_oauth.stores.redis import RedisStore

            return RedisStore(url)
        case _:
            raise ConfigurationError([STORE_URL_REMEDY])
