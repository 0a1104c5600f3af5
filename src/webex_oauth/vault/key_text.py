"""The text of a key file: one key a line, `id base64url [day]`; the first seals, all open.

The day, if there is one, tells people since when the key is there.
"""

import base64
import binascii
import re
from collections.abc import Iterator, Mapping
from datetime import date

from webex_oauth.errors import KeyUnavailable
from webex_oauth.ports import Randomness
from webex_oauth.vault.sealing import KEY_BYTES, Key, KeyRing

HEADER = """\
# Keys of webex-oauth. Whoever holds this file can read every stored token; without it nobody can.
# Back it up apart from the database. The first key seals, the others only open.
"""
LINE = re.compile(r"\S+\s+\S+(\s+[0-9]{4}-[0-9]{2}-[0-9]{2})?")
KEY_ID_BYTES = 4
MIN_DISTINCT_BYTES = 8
RESTORE = "restore the file from its backup; with a new key, every stored token is lost"


def key_line(key_id: str, material: bytes, made_on: date) -> str:
    """Write one key as a line."""
    return f"{key_id} {base64.urlsafe_b64encode(material).decode('ascii')} {made_on.isoformat()}\n"


def new_key_line(randomness: Randomness, made_on: date) -> str:
    """Make a key with a name of its own."""
    return key_line(f"k-{randomness(KEY_ID_BYTES).hex()}", randomness(KEY_BYTES), made_on)


def read_keys(text: str, source: str) -> KeyRing:
    """Read the text of the key file *source*; raise KeyUnavailable that says what to do."""
    keys: dict[str, Key] = {}
    for number, line in _key_lines(text):
        key = _read_line(line, f"{source}, line {number}")
        if key.id in keys:
            raise KeyUnavailable(f"{source}, line {number}: a second key {key.id!r}: remove one")
        keys[key.id] = key
    if not keys:
        raise KeyUnavailable(f"{source} holds no key: {RESTORE}")
    primary, *others = keys.values()
    return KeyRing(primary, tuple(others), source)


def read_days(text: str) -> Mapping[str, str]:
    """Read since when keys are there, by their ids, from a text that is good."""
    words = (line.split() for _, line in _key_lines(text))
    return {key_id: day[0] for key_id, _, *day in words if day}


def with_key(text: str, line: str) -> str:
    """Add *line* below the other keys: its key opens and does not seal yet."""
    return (text if text.endswith("\n") else f"{text}\n") + line


def with_primary(text: str, key_id: str) -> str:
    """Put the line of *key_id* above the other keys: from now on it seals."""
    lines = text.splitlines(keepends=True)
    first, chosen = next(_key_lines(text))[0] - 1, _place(text, key_id)
    line = lines.pop(chosen)
    lines.insert(first, line if line.endswith("\n") else f"{line}\n")
    return "".join(lines)


def without_key(text: str, key_id: str) -> str:
    """Take the line of *key_id* out."""
    lines = text.splitlines(keepends=True)
    del lines[_place(text, key_id)]
    return "".join(lines)


def _key_lines(text: str) -> Iterator[tuple[int, str]]:
    """Give the lines that hold a key, with their numbers from 1."""
    for number, line in enumerate(text.splitlines(), start=1):
        if line.strip() and not line.startswith("#"):
            yield number, line


def _place(text: str, key_id: str) -> int:
    """Find where the line of a key is among all lines, from 0."""
    return next(number - 1 for number, line in _key_lines(text) if line.split()[0] == key_id)


def _read_line(line: str, place: str) -> Key:
    if not LINE.fullmatch(line.strip()):
        raise KeyUnavailable(f"{place} is not `id key`, or `id key day`: {RESTORE}")
    key_id, encoded, *_ = line.split()
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
