"""What would stop an integration from starting, found without starting it."""

from collections.abc import Callable

from webex_oauth.errors import ConfigurationError, KeyUnavailable
from webex_oauth.integration.store_urls import check_place, is_made, rows_at
from webex_oauth.oauth.http import HttpRequest
from webex_oauth.ports import API_LIMITS
from webex_oauth.settings import Settings
from webex_oauth.transport import HttpTransport
from webex_oauth.vault.key_file import check_key_file


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
