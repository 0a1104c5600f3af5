"""Stores by their URL; a store is loaded when it is chosen, for not everybody has its driver."""

from collections.abc import Callable
from pathlib import Path
from typing import Final

from webex_oauth.errors import ConfigurationError, KeyUnavailable
from webex_oauth.oauth.http import HttpRequest
from webex_oauth.ports import API_LIMITS
from webex_oauth.settings import Settings
from webex_oauth.settings.names import SQLITE
from webex_oauth.settings.values import STORE_URL_REMEDY
from webex_oauth.transport import HttpTransport
from webex_oauth.vault.key_file import check_key_file
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
    """Check, without making anything, that the store of *url* has its driver and its place.

    Raises ConfigurationError.
    """
    rows_at(url)
    if url.startswith(SQLITE):
        from webex_oauth.stores.sqlite.files import check_place

        check_place(Path(url.removeprefix(SQLITE)))


def is_made(url: str) -> bool:
    """Return whether the store of *url* is more than a file that is not there yet."""
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


def start_mistakes(settings: Settings) -> list[str]:
    """Return what `open_integration` would refuse on this machine, each with its remedy.

    Nothing is made and nothing is sent.
    """
    checks: list[Callable[[], object]] = [
        lambda: HttpTransport(proxy=settings.proxy, ca_file=settings.ca_file),
        lambda: check_place(settings.store_url),
    ]
    if settings.keys_text is None:
        checks.append(lambda: check_key_file(settings.keys_file))
    mistakes: list[str] = []
    for check in checks:
        try:
            check()
        except ConfigurationError as error:
            mistakes.extend(error.mistakes)
        except KeyUnavailable as error:
            mistakes.append(str(error))
    return mistakes


async def try_webex(settings: Settings) -> str:
    """Ask Webex anything, and return what came of it; raise UpstreamError."""
    async with HttpTransport(proxy=settings.proxy, ca_file=settings.ca_file) as transport:
        request = HttpRequest("GET", settings.platform.server.token_endpoint)
        answer = await transport.send(request, API_LIMITS)
    through = "" if settings.proxy is None else " through WEBEX_PROXY"
    return f"{settings.platform.origin} answers{through} (status {answer.status})"


async def try_store(settings: Settings) -> str:
    """Open the store as a server does, and write to it; return what came of it.

    A database file is not made. Raises StoreUnavailable or ConfigurationError.
    """
    if not is_made(settings.store_url):
        return "the store will be made at the first start"
    store = rows_at(settings.store_url)
    try:
        await store.open()
        await store.check()
    finally:
        await store.close()
    return "the store answers and can be written"
