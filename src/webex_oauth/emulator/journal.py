"""The journal: what the emulator was asked, without a secret in it."""

import hashlib
import threading
import time
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from itertools import islice

_CAPACITY = 20_000
_MOST_FIELDS = 100

OPEN_VALUES = frozenset(
    {
        "client_id", "redirect_uri", "response_type", "scope", "code_challenge_method", "prompt",
        "grant_type", "token_type_hint", "max", "type", "teamId", "sortBy", "decision",
        "callingData", "goto",
    }
)  # fmt: skip
"""Parameters whose values are kept as they are; of all others the journal keeps a digest."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One request. Values of secret parameters are digests: see `digest`."""

    number: int
    method: str
    path: str
    query: tuple[tuple[str, str], ...] = ()
    form: tuple[tuple[str, str], ...] = ()
    header_names: tuple[str, ...] = ()
    authorization: str = ""
    """The scheme of the Authorization header and the digest of the rest."""
    tracking_id: str = ""
    client_id: str = ""
    status: int | None = None
    """None while the request is under way, and when it was never answered."""
    is_over: bool = False
    fault: str = ""
    notes: tuple[str, ...] = ()
    """Facts, such as `pkce_verified` and `client_authenticated:basic`."""

    @property
    def query_by_name(self) -> Mapping[str, str]:
        """The query; of a repeated parameter the last value."""
        return dict(self.query)

    @property
    def form_by_name(self) -> Mapping[str, str]:
        """The form; of a repeated field the last value."""
        return dict(self.form)


@dataclass(slots=True)
class Annotations:
    """What is learnt about a request while it is answered."""

    client_id: str = ""
    fault: str = ""
    form: tuple[tuple[str, str], ...] = ()
    notes: list[str] = field(default_factory=list)


class Journal:
    """Keep the latest entries; may be read from any thread."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._entries: deque[Entry] = deque(maxlen=_CAPACITY)
        self._written = 0

    @property
    def entries(self) -> tuple[Entry, ...]:
        """Every entry that is kept, oldest first."""
        with self._changed:
            return tuple(self._entries)

    def open(self, entry: Entry) -> Entry:
        """Write down a request that has arrived; return it with its number."""
        with self._changed:
            numbered = replace(entry, number=self._written)
            self._written += 1
            self._entries.append(numbered)
            self._changed.notify_all()
        return numbered

    def close(self, entry: Entry, status: int | None, annotations: Annotations) -> None:
        """Complete the entry of a request that is over."""
        completed = replace(
            entry,
            status=None if status is None else int(status),
            is_over=True,
            client_id=annotations.client_id or entry.client_id,
            fault=annotations.fault,
            form=annotations.form,
            notes=tuple(annotations.notes),
        )
        with self._changed:
            # The oldest entry kept tells where this one stands, if it is kept still.
            position = entry.number - (self._written - len(self._entries))
            if 0 <= position < len(self._entries):
                self._entries[position] = completed
            self._changed.notify_all()

    def matching(self, method: str = "*", path: str = "*") -> tuple[Entry, ...]:
        """Return the entries of a method and path; both may be patterns with `*`."""
        return tuple(
            entry
            for entry in self.entries
            if fnmatchcase(entry.method, method) and fnmatchcase(entry.path, path)
        )

    def count(self, method: str = "*", path: str = "*") -> int:
        """Count the requests of a method and path that have arrived."""
        return len(self.matching(method, path))

    def wait_for(
        self, method: str = "*", path: str = "*", *, count: int = 1, timeout_seconds: float = 5.0
    ) -> tuple[Entry, ...]:
        """Block this thread until *count* such requests are over; raise `TimeoutError`."""
        ends_at = time.monotonic() + timeout_seconds
        with self._changed:
            while True:
                over = [one for one in self.matching(method, path) if one.is_over]
                if len(over) >= count:
                    return tuple(over)
                if not self._changed.wait(ends_at - time.monotonic()):
                    raise TimeoutError(f"{len(over)} of {count} {method} {path} in time")

    def clear(self) -> None:
        """Forget every entry."""
        with self._changed:
            self._entries.clear()
            self._changed.notify_all()


def digest(value: str) -> str:
    """Shorten a secret to what the journal keeps of it, so that tests can compare."""
    return "sha256:" + hashlib.sha256(value.encode()).hexdigest()[:16]


def redacted(pairs: Iterable[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    """Replace the values of the first parameters by their digests, unless they are no secret."""
    return tuple(
        (name, value if name in OPEN_VALUES else digest(value))
        for name, value in islice(pairs, _MOST_FIELDS)
    )
