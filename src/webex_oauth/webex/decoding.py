"""JSON of the API into typed values; ids are opaque to all but this module."""

import json
import re
from base64 import b64decode
from collections.abc import Callable, Mapping
from typing import Annotated, Final, TypeAlias, TypeVar

import msgspec
from msgspec import Meta, Raw

from webex_oauth.errors import InvalidResponse
from webex_oauth.oauth.http import read_text

MAX_ID_CHARACTERS = 512
Id: TypeAlias = Annotated[str, Meta(min_length=1, max_length=MAX_ID_CHARACTERS)]
"""An id as the API states it."""

_BASE64 = re.compile(r"[A-Za-z0-9+/]+", re.ASCII)
_URI = re.compile(rb"ciscospark://[^/]+/([A-Z_]+)/([^/]+)")
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII)
Shape = TypeVar("Shape")
MAX_CHARACTERS: Final = 500
"""How much of a text of Webex is kept: names and titles are shorter."""

_HALF_PAIR = re.compile(
    rb"\\u[dD](?:[89abAB]..(?!\\u[dD][c-fC-F])|(?<!\\u[dD][89abAB]..\\u[dD])[c-fC-F]..)"
)


def uuid_in(id_: str, kind: str) -> str | None:
    """Return the UUID, in lower case, inside an id of *kind* (`PEOPLE`, `ROOM`); None without one.

    A plain UUID, which Webex takes for an id in many places, is its own.
    """
    key = _key(id_.rstrip("="), kind) or id_
    return key.lower() if _UUID.fullmatch(key.lower()) else None


def _key(id_: str, kind: str) -> str | None:
    if not _BASE64.fullmatch(id_) or len(id_) % 4 == 1:
        return None
    uri = _URI.fullmatch(b64decode(id_ + "=" * (-len(id_) % 4)))
    if uri is None or uri[1] != kind.encode():
        return None
    return uri[2].decode("ascii", errors="replace")


def json_reader(shape: type[Shape]) -> Callable[[bytes], Shape]:
    """Build the function that reads a body as *shape*; unknown members are ignored.

    What it returns raises InvalidResponse for a body of another shape.
    """
    decoder = msgspec.json.Decoder(shape)

    def read(body: bytes | Raw) -> Shape:
        try:
            return decoder.decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as cause:
            why = read_text(str(cause))
            raise InvalidResponse(f"the API's answer is not a {shape.__name__}: {why}") from cause

    return read


def read_members(body: bytes) -> Mapping[str, object]:
    """Return the members of the object in *body*, of whatever types they are.

    For answers in which no member but those that we need may matter. Raises InvalidResponse for
    what is no JSON object.
    """
    try:
        # An integer of any length is JSON; int refuses those of thousands of digits.
        members = json.loads(body.decode("utf-8"), parse_int=float)
    except (ValueError, RecursionError) as cause:
        raise InvalidResponse("the API's answer is not JSON") from cause
    if not isinstance(members, dict):
        raise InvalidResponse("the API's answer is not a JSON object")
    return members


def text(value: object, at_most: int = MAX_CHARACTERS) -> str | None:
    """Return *value*, cut to *at_most* characters; None where it is no text."""
    if not isinstance(value, str):
        return None
    # JSON can write half of a surrogate pair, which no encoding of text can.
    return value[:at_most].encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def without_half_pairs(body: bytes) -> bytes:
    """Replace the halves of surrogate pairs that JSON can write, and msgspec refuses."""
    # An escaped backslash is written in another way, so that each that is left begins an escape.
    return _HALF_PAIR.sub(rb"\\ufffd", body.replace(rb"\\", rb"\u005c"))


def raw_text(raw: Raw, at_most: int = MAX_CHARACTERS) -> str | None:
    """Return the text that *raw* is, cut to *at_most* characters; None where it is none."""
    octets = bytes(raw)
    if not octets.startswith(b'"'):
        return None
    try:
        return text(json.loads(octets.decode("utf-8", "replace"), strict=False), at_most)
    except ValueError:
        return None


def id_in(members: Mapping[str, object]) -> str | None:
    """Return the member `id`; None where it could not be an id."""
    id_ = members.get("id")
    return id_ if isinstance(id_, str) and 0 < len(id_) <= MAX_ID_CHARACTERS else None
