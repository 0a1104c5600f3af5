"""The query of a URL as it came over the wire.

What decides is read strictly. Text for people, and parameters of other names, may be anything.
"""

import re
from urllib.parse import unquote_plus, unquote_to_bytes

from webex_oauth.errors import MalformedCallback

MAX_BYTES = 8 * 1024
MAX_FIELDS = 32
_WELL_FORMED = re.compile(rb"(?:[\x21-\x24\x26-\x7e]|%[0-9A-Fa-f]{2})*")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")


def split_query(query: bytes) -> list[tuple[str, bytes]]:
    """Return names and encoded values in their order; empty pieces between `&` are none.

    A name with octets beyond ASCII is unknown, and is read as Latin-1. Raises MalformedCallback
    for more than 8 KiB or 32 pieces.
    """
    if len(query) > MAX_BYTES:
        raise MalformedCallback("the query is too long")
    pieces = query.split(b"&")
    if len(pieces) > MAX_FIELDS:
        raise MalformedCallback("the query has too many parameters")
    return [_field(piece) for piece in pieces if piece]


def read_value(encoded: bytes) -> str:
    """Decode the value of a parameter that decides.

    Raises MalformedCallback for what is not percent-encoded UTF-8, and for control characters.
    """
    if not _WELL_FORMED.fullmatch(encoded):
        raise MalformedCallback("a parameter is not percent-encoded")
    try:
        text = unquote_plus(encoded.decode("ascii"), errors="strict")
    except UnicodeDecodeError:
        raise MalformedCallback("a parameter is not UTF-8") from None
    if _CONTROL.search(text):
        raise MalformedCallback("a parameter holds control characters")
    return text


def read_prose(encoded: bytes) -> str:
    """Decode a value that is text for people, in UTF-8 or else in Latin-1."""
    octets = _octets(encoded)
    try:
        return octets.decode("utf-8")
    except UnicodeDecodeError:
        return octets.decode("latin-1")


def _field(piece: bytes) -> tuple[str, bytes]:
    name, _, value = piece.partition(b"=")
    return _octets(name).decode("latin-1"), value


def _octets(encoded: bytes) -> bytes:
    return unquote_to_bytes(encoded.replace(b"+", b" "))
