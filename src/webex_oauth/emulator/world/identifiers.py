"""How Webex writes ids (base64 of `ciscospark://us/<KIND>/<key>`, or the key) and instants."""

import base64
import binascii
import re
from datetime import UTC, datetime, timedelta

ID_HINT = "Expect base64 ID or UUID."

_FORM = re.compile(r"ciscospark://[^/]+/(?P<kind>[A-Z_]+)/(?P<key>[0-9a-f-]{36})")
_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_LONGEST_ID = 256
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class MalformedId(ValueError):
    """An id that is neither base64 of the right kind nor a UUID."""

    def __init__(self) -> None:
        super().__init__(ID_HINT)


def webex_id(kind: str, key: str) -> str:
    """Write the id of the *kind* (PEOPLE, ROOM, ...) that has this *key*."""
    uri = f"ciscospark://us/{kind}/{key}"
    return base64.b64encode(uri.encode()).decode().rstrip("=")


def read_webex_id(kind: str, text: str) -> str:
    """Read the UUID out of an id of this *kind*, or out of a bare UUID."""
    if len(text) > _LONGEST_ID:
        raise MalformedId
    key = _decoded_key(kind, text) or text
    if not _UUID.fullmatch(key):
        raise MalformedId
    return key.lower()


def _decoded_key(kind: str, text: str) -> str | None:
    padded = text + "=" * (-len(text) % 4)
    try:
        uri = base64.b64decode(padded, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError, ValueError):
        return None
    form = _FORM.fullmatch(uri)
    return form["key"] if form and form["kind"] == kind else None


def webex_instant(milliseconds: int) -> str:
    """Write an instant given in milliseconds since 1970."""
    instant = _EPOCH + timedelta(milliseconds=milliseconds)
    return instant.isoformat(timespec="milliseconds").replace("+00:00", "Z")
