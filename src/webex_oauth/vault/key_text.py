"""The text of a key file: one key a line, `id base64url`; the first one seals, all of them open."""

import base64
import binascii

from webex_oauth.errors import KeyUnavailable
from webex_oauth.vault.sealing import KEY_BYTES, Key, KeyRing

HEADER = """\
# Keys of webex-oauth. Whoever holds this file can read every stored token; without it nobody can.
# Back it up apart from the database. The first key seals, the others only open.
"""
MIN_DISTINCT_BYTES = 8
RESTORE = "restore the file from its backup; with a new key, every stored token is lost"


def key_line(key_id: str, material: bytes) -> str:
    """Write one key as a line."""
    return f"{key_id} {base64.urlsafe_b64encode(material).decode('ascii')}\n"


def read_keys(text: str, source: str) -> KeyRing:
    """Read the text of the key file *source*; raise KeyUnavailable that says what to do."""
    keys: dict[str, Key] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip() or line.startswith("#"):
            continue
        key = _read_line(line, f"{source}, line {number}")
        if key.id in keys:
            raise KeyUnavailable(f"{source}, line {number}: a second key {key.id!r}: remove one")
        keys[key.id] = key
    if not keys:
        raise KeyUnavailable(f"{source} holds no key: {RESTORE}")
    primary, *others = keys.values()
    return KeyRing(primary, tuple(others))


def _read_line(line: str, place: str) -> Key:
    words = line.split()
    if len(words) != 2:  # noqa: PLR2004 - a key id and a key
        raise KeyUnavailable(f"{place} is not `id key`: {RESTORE}")
    key_id, encoded = words
    material = _read_material(encoded, place)
    try:
        return Key(key_id, material)
    except KeyUnavailable as error:
        raise KeyUnavailable(f"{place}: {error}") from error


def _read_material(encoded: str, place: str) -> bytes:
    try:
        material = base64.b64decode(encoded.encode(), altchars=b"-_", validate=True)
    except (binascii.Error, UnicodeEncodeError) as error:
        raise KeyUnavailable(f"{place}: the key is not base64url: {RESTORE}") from error
    if len(material) != KEY_BYTES:
        raise KeyUnavailable(
            f"{place}: the key has {len(material)} bytes and not {KEY_BYTES}: {RESTORE}"
        )
    if len(set(material)) < MIN_DISTINCT_BYTES:
        raise KeyUnavailable(f"{place}: the key is a placeholder and not random: {RESTORE}")
    return material
