"""The journal: what the emulator was asked, without a secret in it, and the layer that records."""

import hashlib
import re
import threading
import time
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from http import HTTPStatus
from itertools import islice
from typing import cast
from urllib.parse import parse_qsl

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from webex_oauth.emulator.conditions import Randomness

CONTROL_PATH = "/_emulator/"
"""Requests below this path are neither recorded nor struck by faults."""

_CAPACITY = 20_000
_MOST_FIELDS = 100
_LARGEST_BODY = 262_144
_ACCEPTABLE_TRACKING_ID = re.compile(r"[A-Za-z0-9_.:-]{1,120}")
_RECORD = "webex_oauth.emulator.record"
# Of all other parameters the journal keeps a digest.
_OPEN_PARAMETERS = frozenset(
    {
        "client_id", "redirect_uri", "response_type", "scope", "code_challenge_method", "prompt",
        "grant_type", "token_type_hint", "max", "type", "teamId", "sortBy", "decision",
        "callingData", "goto",
    }
)  # fmt: skip

_Pairs = tuple[tuple[str, str], ...]


@dataclass(slots=True)
class Entry:
    """One request, completed as it is answered. Secret values are digests: see `digest`."""

    method: str
    path: str
    query: _Pairs = ()
    form: _Pairs = ()
    header_names: tuple[str, ...] = ()
    content_type: str = ""
    authorization: str = ""
    """The scheme of the Authorization header and the digest of the rest."""
    tracking_id: str = ""
    client_id: str = ""
    status: int | None = None
    """None while the request is under way, and when it was never answered."""
    is_over: bool = False
    fault: str = ""
    notes: list[str] = field(default_factory=list)
    """Facts, such as `pkce_verified` and `client_authenticated:basic`."""
    number: int = 0

    @property
    def form_by_name(self) -> Mapping[str, str]:
        """The form; the last value of a repeated field."""
        return dict(self.form)


class Journal:
    """The latest entries; may be read from any thread."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._entries: deque[Entry] = deque(maxlen=_CAPACITY)
        self._written = 0

    @property
    def entries(self) -> tuple[Entry, ...]:
        """All entries that are kept, oldest first."""
        with self._changed:
            return tuple(self._entries)

    def open(self, entry: Entry) -> None:
        """Write down a request that has arrived, with its number."""
        with self._changed:
            entry.number = self._written
            self._written += 1
            self._entries.append(entry)
            self._changed.notify_all()

    def close(self, entry: Entry) -> None:
        """Mark a request as over."""
        with self._changed:
            entry.is_over = True
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
        """Forget all entries."""
        with self._changed:
            self._entries.clear()
            self._changed.notify_all()


def digest(value: str) -> str:
    """Return what the journal keeps of a secret, so that tests can compare."""
    return "sha256:" + hashlib.sha256(value.encode()).hexdigest()[:16]


class Recording:
    """An ASGI layer that gives each request a tracking id and records all but the control API's."""

    def __init__(self, app: ASGIApp, journal: Journal, randomness: Randomness) -> None:
        self._app = app
        self._journal = journal
        self._randomness = randomness

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Record a request, its answer, and what was learnt in between."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        record = scope[_RECORD] = Record(self._new_entry(scope), self._journal, receive, send)
        if not scope["path"].startswith(CONTROL_PATH):
            self._journal.open(record.entry)
        try:
            await self._app(scope, record.receive, record.send)
        except ClientDisconnect:
            pass  # no one waits for an answer
        except Exception:
            record.entry.status = HTTPStatus.INTERNAL_SERVER_ERROR
            raise
        finally:
            record.complete()

    def _new_entry(self, scope: Scope) -> Entry:
        headers = Headers(scope=scope)
        query = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
        tracking_id = headers.get("trackingid", "")
        if not _ACCEPTABLE_TRACKING_ID.fullmatch(tracking_id):
            tracking_id = f"ROUTER_{self._randomness.uuid().upper()}"
        return Entry(
            method=scope["method"],
            path=scope["path"],
            query=_redacted(query),
            header_names=tuple(headers.keys()),
            content_type=headers.get("content-type", ""),
            authorization=_redacted_authorization(headers.get("authorization", "")),
            tracking_id=tracking_id,
            client_id=dict(query).get("client_id", ""),
        )


class Record:
    """One request on its way: its journal entry is complete before the answer's last byte leaves.

    A client that has the whole answer, and then looks into the journal, finds the whole entry.
    """

    def __init__(self, entry: Entry, journal: Journal, receive: Receive, send: Send) -> None:
        self.entry = entry
        self._journal = journal
        self._receive = receive
        self._send = send
        self._body = bytearray()
        self._held_start: Message | None = None

    async def receive(self) -> Message:
        """Receive and copy a part of the request; refuse (413) a huge one."""
        message = await self._receive()
        self._body.extend(message.get("body", b""))
        if len(self._body) > _LARGEST_BODY:
            raise HTTPException(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        return message

    async def send(self, message: Message) -> None:
        """Send a part of the answer; complete the entry before the last part."""
        if message["type"] == "http.response.start":
            headers = MutableHeaders(raw=message.setdefault("headers", []))
            headers.setdefault("trackingid", self.entry.tracking_id)
            # Held back until the body comes, since an answer without one ends with its head.
            self.entry.status, self._held_start = int(message["status"]), message
            return
        if not message.get("more_body", False):
            self.complete()
        if self._held_start is not None:
            start, self._held_start = self._held_start, None
            await self._send(start)
        await self._send(message)

    def complete(self) -> None:
        """Complete the entry, once."""
        if self.entry.is_over:
            return
        if self.entry.content_type.startswith("application/x-www-form-urlencoded"):
            form = parse_qsl(self._body.decode("latin-1"), keep_blank_values=True)
            self.entry.form = _redacted(form)
        self._journal.close(self.entry)


def record_of(scope: Scope) -> Record:
    """Return the record of a request."""
    return cast("Record", scope[_RECORD])


def entry_of(scope: Scope) -> Entry:
    """Return the journal entry of a request, to note in it what is learnt."""
    return record_of(scope).entry


def _redacted_authorization(value: str) -> str:
    scheme, separator, credentials = value.partition(" ")
    return f"{scheme} {digest(credentials)}" if separator else value and digest(value)


def _redacted(pairs: Iterable[tuple[str, str]]) -> _Pairs:
    return tuple(
        (name, value if name in _OPEN_PARAMETERS else digest(value))
        for name, value in islice(pairs, _MOST_FIELDS)
    )
