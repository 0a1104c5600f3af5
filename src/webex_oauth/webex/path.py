"""Paths below the API's base URL, in which an id is one segment whatever it says."""

import unicodedata
from typing import NewType
from urllib.parse import quote

ApiPath = NewType("ApiPath", str)
"""A relative path; only `api_path` makes one."""

MAX_SEGMENT_CHARACTERS = 512
_STRUCTURAL = frozenset("/\\?#%;")
_DOTS = frozenset({".", ".."})


def api_path(*segments: str) -> ApiPath:
    """Join *segments*, each percent-encoded.

    Raises ValueError for a segment that could be read as anything but one segment.
    """
    for segment in segments:
        _check_segment(segment)
    return ApiPath("/".join(quote(segment, safe="") for segment in segments))


def _check_segment(segment: str) -> None:
    if not segment or segment in _DOTS or len(segment) > MAX_SEGMENT_CHARACTERS:
        raise ValueError("a path segment is empty, dots only or too long")
    if any(character in _STRUCTURAL or _is_hidden(character) for character in segment):
        raise ValueError("a path segment has characters that structure a URL")


def _is_hidden(character: str) -> bool:
    return unicodedata.category(character)[0] in "CZ"
