"""JSON of the API, read so that one odd member spoils nothing but itself."""

import json
import re
from collections.abc import Callable, Mapping
from typing import Annotated, Final, TypeAlias, TypeVar

import msgspec
from msgspec import Meta, Raw

from webex_oauth.errors import InvalidResponse
from webex_oauth.oauth.http import read_text

MAX_ID_CHARACTERS: Final = 512
MAX_CHARACTERS: Final = 500
"""How much is kept of a text: names and titles are shorter."""

Id: TypeAlias = Annotated[str, Meta(min_length=1, max_length=MAX_ID_CHARACTERS)]
Shape = TypeVar("Shape")
_HALF_PAIR = re.compile(
    rb"\\u[dD](?:[89abAB]..(?!\\u[dD][c-fC-F])|(?<!\\u[dD][89abAB]..\\u[dD])[c-fC-F]..)"
)


def json_reader(shape: type[Shape]) -> Callable[[bytes], Shape]:
    """Return the function that reads a body as *shape*; unknown members are ignored.

    The function raises InvalidResponse for a body of another shape.
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

    Raises InvalidResponse for what is not a JSON object.
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
    """Return *value*, cut to *at_most* characters; None if it is not text."""
    if not isinstance(value, str):
        return None
    # JSON can write half of a surrogate pair, which no encoding of text can.
    return value[:at_most].encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def raw_text(raw: Raw, at_most: int = MAX_CHARACTERS) -> str | None:
    """Return the text that *raw* is, cut to *at_most* characters; None if it is not text."""
    octets = bytes(raw)
    if not octets.startswith(b'"'):
        return None
    try:
        return text(json.loads(octets.decode("utf-8", "replace"), strict=False), at_most)
    except ValueError:
        return None


def usable_id(value: object) -> str | None:
    """Return *value* if it could be an id, which is opaque."""
    return value if isinstance(value, str) and 0 < len(value) <= MAX_ID_CHARACTERS else None


def without_half_pairs(body: bytes) -> bytes:
    """Return *body* without halves of surrogate pairs, which JSON can write and msgspec refuses."""
    # An escaped backslash is written in another way, so that each that is left begins an escape.
    return _HALF_PAIR.sub(rb"\\ufffd", body.replace(rb"\\", rb"\u005c"))
