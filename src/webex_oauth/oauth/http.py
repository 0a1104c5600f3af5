"""HTTP messages as values; their reprs show no secret."""

import re
from calendar import timegm
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import final
from urllib.parse import urlencode

import msgspec

from webex_oauth.errors import InvalidResponse, RateLimited, ServerFailed


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """A request to send; header names are in lower case."""

    method: str
    url: str = field(repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True)
class HttpResponse:
    """An answer that was received whole; header names are in lower case."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes = field(default=b"", repr=False)


def trimmed(value: str) -> str:
    """Return a header's value without the blanks around it (RFC 9110 section 5.6.3).

    Not `str.strip`: it also takes what only Unicode calls blank, and other programs do not.
    """
    return value.strip(" \t")


def post_form(url: str, fields: Mapping[str, str], headers: Mapping[str, str]) -> HttpRequest:
    """Build a form POST whose content type is exactly the one RFC 6749 appendix B names."""
    return HttpRequest(
        "POST",
        url,
        {
            "content-type": "application/x-www-form-urlencoded",
            "accept": "application/json",
            **headers,
        },
        urlencode(fields).encode("ascii"),
    )


MAX_TEXT_CHARACTERS = 500
MAX_READ = 4 * MAX_TEXT_CHARACTERS
"""How much is looked at to find that many characters that say something."""


def read_text(value: object) -> str | None:
    """Return *value* on one line of at most 500 characters, or None when it says nothing.

    What does not print (line ends, escapes, bidirectional overrides) becomes a space.
    """
    if not isinstance(value, str):
        return None
    visible = "".join(
        character if character.isprintable() else " " for character in value[:MAX_READ]
    )
    return " ".join(filter(None, visible.split(" ")))[:MAX_TEXT_CHARACTERS].rstrip(" ") or None


_DECODER = msgspec.json.Decoder(dict[str, object])


def check_json(response: HttpResponse) -> None:
    """Refuse an answer that says it is something other than JSON; silence is taken for JSON.

    Raises InvalidResponse.
    """
    content_type = response.headers.get("content-type")
    if content_type is None:
        return
    essence = trimmed(content_type.partition(";")[0]).lower()
    if essence != "application/json" and not essence.endswith("+json"):
        said = read_text(essence) or "nothing"
        raise InvalidResponse(f"the answer is not JSON (its content type says {said})")


@final
class JsonObject(Mapping[str, object]):
    """The members of an object whose values may be secrets."""

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
    """Read the body as one JSON object (RFC 8259); of a repeated name the last one counts.

    Raises InvalidResponse for anything else: another media type, bytes that are not UTF-8,
    NaN, half surrogates, bottomless nesting, numbers without end.
    """
    check_json(response)
    if not _is_utf8(response.body):
        raise InvalidResponse("the answer is not UTF-8")
    try:
        return JsonObject(_DECODER.decode(response.body))
    except (msgspec.DecodeError, RecursionError) as cause:
        raise InvalidResponse(
            f"the answer is not a JSON object: {read_text(str(cause))}"
        ) from cause


def _is_utf8(body: bytes) -> bool:
    # Decoded apart from the JSON: a UnicodeDecodeError carries the text that it could not read.
    try:
        body.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


SHORTEST_WAIT_SECONDS = 1
LONGEST_WAIT_SECONDS = 3600
DEFAULT_WAIT_SECONDS = 15
_MAX_RETRY_AFTER_CHARACTERS = 64
_DELAY_SECONDS = re.compile(r"[0-9]+", re.ASCII)
_TOO_MANY_REQUESTS = 429
_REQUEST_TIMEOUT = 408
_FIRST_SERVER_ERROR = 500


def read_retry_after(value: str | None, now: int) -> int:
    """Read a `retry-after` header as seconds between 1 and 3600; 15 when it says nothing usable."""
    stated = trimmed(value or "")
    if len(stated) > _MAX_RETRY_AFTER_CHARACTERS or not stated.isascii():
        return DEFAULT_WAIT_SECONDS
    seconds = _seconds(stated, now)
    if seconds is None:
        return DEFAULT_WAIT_SECONDS
    return min(max(seconds, SHORTEST_WAIT_SECONDS), LONGEST_WAIT_SECONDS)


def _seconds(stated: str, now: int) -> int | None:
    if _DELAY_SECONDS.fullmatch(stated):
        return int(stated)
    instant = _instant(stated)
    return None if instant is None else instant - now


def _instant(http_date: str) -> int | None:
    try:
        return timegm(parsedate_to_datetime(http_date).utctimetuple())
    except (ValueError, OverflowError):
        return None


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
