"""HTTP messages as values whose reprs show no secret, and what every endpoint may answer."""

import re
from calendar import timegm
from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import final
from urllib.parse import urlencode

import msgspec
from msgspec import Struct

from webex_oauth.errors import InvalidResponse, RateLimited, ServerFailed

MAX_TEXT_CHARACTERS = 500
_MAX_TEXT_READ = 4 * MAX_TEXT_CHARACTERS
SHORTEST_WAIT_SECONDS = 1
LONGEST_WAIT_SECONDS = 3600
DEFAULT_WAIT_SECONDS = 15
_MAX_RETRY_AFTER_CHARACTERS = 64
_DELAY_SECONDS = re.compile(r"[0-9]+", re.ASCII)
_DECODER = msgspec.json.Decoder(dict[str, object])


class HttpRequest(Struct, frozen=True):
    """A request to send; header names are in lower case."""

    method: str
    url: str
    headers: Mapping[str, str] = {}
    body: bytes = b""

    def __repr__(self) -> str:
        return f"HttpRequest(method={self.method!r})"


class HttpResponse(Struct, frozen=True):
    """An answer that was received whole; header names are in lower case."""

    status: int
    headers: Mapping[str, str] = {}
    body: bytes = b""

    def __repr__(self) -> str:
        return f"HttpResponse(status={self.status})"


def post_form(url: str, fields: Mapping[str, str], headers: Mapping[str, str]) -> HttpRequest:
    """Return a form POST whose content type is exactly the one RFC 6749 appendix B names."""
    form = {"content-type": "application/x-www-form-urlencoded", "accept": "application/json"}
    return HttpRequest("POST", url, {**form, **headers}, urlencode(fields).encode("ascii"))


def trimmed(value: str) -> str:
    """Return a header's value without the blanks around it (RFC 9110 section 5.6.3).

    Not `str.strip`: it also takes what only Unicode calls blank, and other programs do not.
    """
    return value.strip(" \t")


def read_text(value: object) -> str | None:
    """Return text for people on one line of at most 500 characters; None if there is none.

    What does not print (line ends, escapes, bidirectional overrides) becomes a space.
    """
    if not isinstance(value, str):
        return None
    visible = value[:_MAX_TEXT_READ]
    if not visible.isprintable():
        visible = "".join(one if one.isprintable() else " " for one in visible)
    return " ".join(filter(None, visible.split(" ")))[:MAX_TEXT_CHARACTERS].rstrip(" ") or None


def check_json(response: HttpResponse) -> None:
    """Raise InvalidResponse if the answer declares a type other than JSON; it may declare none."""
    content_type = response.headers.get("content-type")
    if content_type is None:
        return
    essence = trimmed(content_type.partition(";")[0]).lower()
    if essence != "application/json" and not essence.endswith("+json"):
        declared = read_text(essence) or "nothing"
        raise InvalidResponse(f"the answer is not JSON (its content type says {declared})")


@final
class JsonObject(Mapping[str, object]):
    """The members of an object whose values may be secrets: its repr shows the names only."""

    __slots__ = ("__members",)

    def __init__(self, members: Mapping[str, object]) -> None:
        self.__members = members

    def __getitem__(self, name: str) -> object:
        return self.__members[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.__members)

    def __len__(self) -> int:
        return len(self.__members)

    def __repr__(self) -> str:
        return f"JsonObject({', '.join(map(repr, self.__members))})"


NO_MEMBERS = JsonObject({})


def read_json_object(response: HttpResponse) -> Mapping[str, object]:
    """Return the body as one JSON object (RFC 8259); of a repeated name the last one counts.

    Raises InvalidResponse for anything else: another media type, bytes that are not UTF-8, NaN,
    half surrogates, nesting too deep, numbers too long.
    """
    check_json(response)
    if not _is_utf8(response.body):
        raise InvalidResponse("the answer is not UTF-8")
    try:
        return JsonObject(_DECODER.decode(response.body))
    except (msgspec.DecodeError, RecursionError) as cause:
        reason = read_text(str(cause))
        raise InvalidResponse(f"the answer is not a JSON object: {reason}") from cause


def _is_utf8(body: bytes) -> bool:
    # Decoded apart from the JSON: a UnicodeDecodeError carries the text that it could not read.
    try:
        body.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def check_available(response: HttpResponse, now: int, tracking_id: str | None = None) -> None:
    """Raise RateLimited for a 429, and ServerFailed for a 408 or anything from 500 up.

    Their bodies may be anything, and decide nothing.
    """
    stated = response.headers.get("retry-after")
    if response.status == HTTPStatus.TOO_MANY_REQUESTS:
        raise RateLimited(read_retry_after(stated, now))
    if response.status == HTTPStatus.REQUEST_TIMEOUT or response.status >= 500:  # noqa: PLR2004
        raise ServerFailed(
            response.status,
            tracking_id=tracking_id,
            retry_after_seconds=None if stated is None else read_retry_after(stated, now),
        )


def read_retry_after(value: str | None, now: int) -> int:
    """Return what a `retry-after` header asks for, from 1 to 3600 seconds; 15 if unreadable."""
    stated = trimmed(value or "")
    if len(stated) > _MAX_RETRY_AFTER_CHARACTERS or not stated.isascii():
        return DEFAULT_WAIT_SECONDS
    seconds = int(stated) if _DELAY_SECONDS.fullmatch(stated) else _seconds_until(stated, now)
    if seconds is None:
        return DEFAULT_WAIT_SECONDS
    return min(max(seconds, SHORTEST_WAIT_SECONDS), LONGEST_WAIT_SECONDS)


def _seconds_until(http_date: str, now: int) -> int | None:
    # Half of the standard library's mail package, for a header that is rare.
    from email.utils import parsedate_to_datetime  # noqa: PLC0415

    try:
        return timegm(parsedate_to_datetime(http_date).utctimetuple()) - now
    except (ValueError, OverflowError):
        return None
