"""Stores by their URL, and what would keep an integration from starting.

A store is imported when it is chosen, because its driver may not be installed.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from webex_oauth.errors import ConfigurationError, KeyUnavailable
from webex_oauth.oauth.http import HttpRequest
from webex_oauth.ports import API_LIMITS
from webex_oauth.settings import Settings
from webex_oauth.settings.names import SQLITE
from webex_oauth.settings.places import STORE_URL_REMEDY
from webex_oauth.transport import HttpTransport
from webex_oauth.vault.key_file import check_key_file
from webex_oauth.vault.rows import Rows

EXTRAS: Final = {"postgresql": "postgres", "redis": "redis", "rediss": "redis"}


def rows_at(url: str) -> Rows:
    """Return the database that *url* names; raise ConfigurationError without it or its driver."""
    # ruff: noqa: PLC0415 - a missing driver must stop only those who ask for it
    scheme = url.partition(":")[0]
    try:
        match scheme:
            case "memory":
                from webex_oauth.stores.memory import MemoryRows

                return MemoryRows()
            case "sqlite":
                from webex_oauth.stores.sqlite.rows import SqliteRows

                return SqliteRows(Path(url.removeprefix(SQLITE)))
            case "postgresql":
                from webex_oauth.stores.postgres.rows import PostgresRows

                return PostgresRows(url)
            case "redis" | "rediss":
                from webex_oauth.stores.redis.rows import RedisRows

                return RedisRows(url)
    except ImportError as error:
        if scheme not in EXTRAS:
            raise
        mistake = (
            f"WEBEX_STORE_URL: the driver for {scheme}: is not installed: "
            f"install webex-oauth with [{EXTRAS[scheme]}]"
        )
        raise ConfigurationError([mistake]) from error
    raise ConfigurationError([STORE_URL_REMEDY])


@asynccontextmanager
async def opened_rows(url: str) -> AsyncIterator[Rows]:
    """Open the database that *url* names, and close it; raise StoreUnavailable."""
    rows = rows_at(url)
    try:
        await rows.open()
        yield rows
    finally:
        await rows.close()


def _check_place(url: str) -> None:
    """Raise ConfigurationError if the store lacks its driver or its folder; create nothing."""
    rows_at(url)
    if url.startswith(SQLITE):
        from webex_oauth.stores.sqlite.files import check_place

        check_place(Path(url.removeprefix(SQLITE)))


def start_mistakes(settings: Settings) -> list[str]:
    """Return what `open_integration` would refuse here; create nothing and send nothing."""
    checks: list[Callable[[], object]] = [
        lambda: HttpTransport(proxy=settings.proxy, ca_file=settings.ca_file),
        lambda: _check_place(settings.store_url),
    ]
    if settings.keys is None:
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


def _exists(url: str) -> bool:
    return not url.startswith(SQLITE) or Path(url.removeprefix(SQLITE)).exists()


async def try_webex(settings: Settings) -> str:
    """Send Webex a request, and return what to report; raise UpstreamError."""
    async with HttpTransport(proxy=settings.proxy, ca_file=settings.ca_file) as transport:
        request = HttpRequest("GET", settings.platform.server.token_endpoint)
        answer = await transport.send(request, API_LIMITS)
    through = "" if settings.proxy is None else " through WEBEX_PROXY"
    return f"{settings.platform.origin} answers{through} (status {answer.status})"


async def try_store(settings: Settings) -> str:
    """Open the store as a server does, write to it, and return what to report.

    Creates no database file. Raises StoreUnavailable or ConfigurationError.
    """
    url = settings.store_url
    if not _exists(url):
        return "the store will be created at the first start"
    async with opened_rows(url) as rows:
        await rows.check()
    return "the store answers and can be written"
