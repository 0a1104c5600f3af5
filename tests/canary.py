"""The canary engine: it knows the secrets of a run and finds them where they must not be.

A secret counts as found when twelve characters from its start appear, as they are or
percent-encoded, in base64, in hexadecimal, or as JSON writes them.
"""

import base64
import json
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote, quote_plus

PREFIX = 12
_COMPACT = re.compile(rb"[A-Za-z0-9_\-+/=%.~]{12,}")


@dataclass(frozen=True, slots=True, order=True)
class Leak:
    """Say which kind of secret was found where, and how it was written; never its value."""

    kind: str
    form: str
    place: str


class Canaries:
    """Know secrets and remember what was seen; order and thread do not matter."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._found_by_needle: dict[bytes, tuple[str, str]] = {}
        self._place_by_line: dict[bytes, str] = {}

    @property
    def secret_count(self) -> int:
        """How many ways to write a secret are known."""
        return len(self._found_by_needle)

    @property
    def seen_bytes(self) -> int:
        """How much was looked at, repetitions left out."""
        return sum(map(len, self._place_by_line))

    def plant(self, kind: str, secret: str | bytes) -> None:
        """Learn a secret of at least twelve characters; bytes are known by their encodings."""
        if len(secret) < PREFIX:
            raise ValueError(f"a {kind} of {len(secret)} characters is too short to be found")
        needles = _text_forms(secret) if isinstance(secret, str) else _encoded_forms(secret)
        with self._lock:
            for form, needle in needles:
                self._found_by_needle.setdefault(needle, (kind, form))

    def look_at(self, place: str, seen: str | bytes) -> None:
        """Remember something that the world could see."""
        data = seen.encode("utf-8", "surrogatepass") if isinstance(seen, str) else seen
        with self._lock:
            for line in data.split(b"\n"):
                if len(line) >= PREFIX:
                    self._place_by_line.setdefault(line, place)

    def leaks(self) -> list[Leak]:
        """Find every secret in all that was seen."""
        with self._lock:
            needles, lines = dict(self._found_by_needle), dict(self._place_by_line)
        compact = {needle for needle in needles if _COMPACT.fullmatch(needle)}
        found = {
            Leak(*needles[needle], place)
            for needle, place in _in_runs(compact, lines)
            | _in_lines(needles.keys() - compact, lines)
        }
        return sorted(found)


RUN: Final = Canaries()
"""The canaries of this test run; whatever they find fails it."""


def _in_runs(needles: set[bytes], lines: dict[bytes, str]) -> set[tuple[bytes, str]]:
    """Find needles without a separator: only the unbroken runs need to be searched, each once."""
    lengths = {len(needle) for needle in needles}
    place_by_run: dict[bytes, str] = {}
    for line, place in lines.items():
        for run in _COMPACT.findall(line):
            place_by_run.setdefault(run, place)
    return {
        (run[start : start + length], place)
        for run, place in place_by_run.items()
        for length in lengths
        for start in range(len(run) - length + 1)
        if run[start : start + length] in needles
    }


def _in_lines(needles: set[bytes], lines: dict[bytes, str]) -> set[tuple[bytes, str]]:
    return {
        (needle, place) for line, place in lines.items() for needle in needles if needle in line
    }


def _text_forms(secret: str) -> Iterator[tuple[str, bytes]]:
    data = secret.encode()
    head = secret[:PREFIX]
    yield "raw", data[:PREFIX]
    yield "latin-1", secret.encode("latin-1", "replace")[:PREFIX]
    yield "percent-encoded", quote(head, safe="").encode()
    yield "form-encoded", quote_plus(head, safe="").encode()
    yield "percent-encoded path", quote(head).encode()
    yield "JSON", json.dumps(head)[1:-1].encode()
    yield "escaped", ascii(head)[1:-1].encode()
    yield from _encoded_forms(data)


def _encoded_forms(data: bytes) -> Iterator[tuple[str, bytes]]:
    yield "hexadecimal", data[:PREFIX].hex().encode()
    yield "HEXADECIMAL", data[:PREFIX].hex().upper().encode()
    for offset in range(3):
        # What precedes the secret in the same base64 text decides the first characters.
        encoded = base64.b64encode(bytes(offset) + data[:PREFIX])
        steady = encoded[(0, 2, 3)[offset] :][:PREFIX]
        yield "base64", steady
        yield "base64url", steady.translate(bytes.maketrans(b"+/", b"-_"))
