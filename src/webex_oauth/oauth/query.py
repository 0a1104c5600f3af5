"""The query of a URL as it came over the wire, read strictly as form fields."""

import re
from urllib.parse import unquote_plus

from webex_oauth.errors import MalformedCallback

MAX_BYTES = 8 * 1024
MAX_FIELDS = 32
_WELL_FORMED = re.compile(rb"(?:[\x21-\x24\x26-\x7e]|%[0-9A-Fa-f]{2})*")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")


def read_query(query: bytes) -> list[tuple[str, str]]:
    """Decode *query* into its fields in their order; empty pieces between `&` are none.

    Raises MalformedCallback: more than 8 KiB or 32 pieces, bytes that stand for no character,
    control characters.
    """
    if len(query) > MAX_BYTES:
        raise MalformedCallback("the query is too long")
    if not _WELL_FORMED.fullmatch(query):
        raise MalformedCallback("the query is not percent-encoded")
    pieces = query.decode("ascii").split("&")
    if len(pieces) > MAX_FIELDS:
        raise MalformedCallback("the query has too many parameters")
    return [_field(piece) for piece in pieces if piece]


def _field(piece: str) -> tuple[str, str]:
    name, _, value = piece.partition("=")
    return _decoded(name), _decoded(value)


def _decoded(encoded: str) -> str:
    try:
        text = unquote_plus(encoded, errors="strict")
    except UnicodeDecodeError:
        raise MalformedCallback("the query is not UTF-8") from None
    if _CONTROL.search(text):
        raise MalformedCallback("the query holds control characters")
    return text
