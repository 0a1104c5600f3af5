"""Webex ids: base64 of `ciscospark://<cluster>/<kind>/<key>`, opaque to all but this file."""

import re
from base64 import b64decode
from typing import Annotated, TypeAlias

from msgspec import Meta

MAX_ID_CHARACTERS = 512
Id: TypeAlias = Annotated[str, Meta(min_length=1, max_length=MAX_ID_CHARACTERS)]
"""An id as the API states it."""

_BASE64 = re.compile(r"[A-Za-z0-9+/]+", re.ASCII)
_URI = re.compile(rb"ciscospark://[^/]+/([A-Z_]+)/([^/]+)")
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII)


def uuid_in(id_: str, kind: str) -> str | None:
    """Give the UUID, in lower case, inside an id of *kind* (`PEOPLE`, `ROOM`); None without one.

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
