"""Whether a server could answer at all: 429, 408 and 5xx say that it could not just now."""

from webex_oauth.errors import RateLimited, ServerFailed
from webex_oauth.oauth.http import HttpResponse
from webex_oauth.oauth.retry_after import read_retry_after

_TOO_MANY_REQUESTS = 429
_REQUEST_TIMEOUT = 408
_FIRST_SERVER_ERROR = 500


def check_not_throttled(response: HttpResponse, now: int) -> None:
    """Raise RateLimited for a 429; its body is not looked at, it may be anything."""
    if response.status == _TOO_MANY_REQUESTS:
        raise RateLimited(read_retry_after(response.headers.get("retry-after"), now))


def check_not_failed(response: HttpResponse, now: int, tracking_id: str | None = None) -> None:
    """Raise ServerFailed for a 408 or anything from 500 up."""
    if response.status != _REQUEST_TIMEOUT and response.status < _FIRST_SERVER_ERROR:
        return
    stated = response.headers.get("retry-after")
    raise ServerFailed(
        response.status,
        tracking_id=tracking_id,
        retry_after_seconds=None if stated is None else read_retry_after(stated, now),
    )
