"""The journal: what the emulator was asked, without a secret in it, and the layer that records."""

import hashlib
import re
import threading
import time
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from http import HTTPStatus
from itertools import islice
from urllib.parse import parse_qsl

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from webex_oauth.emulator.conditions import Randomness

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


_RECORD = "webex_oauth.emulator.record"
_TRACKING_ID = "webex_oauth.emulator.tracking_id"
_ACCEPTABLE_TRACKING_ID = re.compile(r"[A-Za-z0-9_.:-]{1,120}")
_LONGEST_FORM = 65_536
CONTROL_PATH = "/_emulator/"


class Recording:
    """An ASGI layer that records every request but the control API's."""

    def __init__(self, app: ASGIApp, journal: Journal, randomness: Randomness) -> None:
        self._app = app
        self._journal = journal
        self._randomness = randomness

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Record a request, its answer, and what was learnt in between."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        tracking_id = self._tracking_id(scope)
        scope[_TRACKING_ID] = tracking_id
        send = _tracked(send, tracking_id)
        if scope["path"].startswith(CONTROL_PATH):
            await self._app(scope, receive, send)
            return
        record = scope[_RECORD] = Record(self._journal, scope, receive, send)
        try:
            await self._app(scope, record.receive, record.send)
        except Exception:
            record.status = HTTPStatus.INTERNAL_SERVER_ERROR
            raise
        finally:
            record.complete()

    def _tracking_id(self, scope: Scope) -> str:
        sent = Headers(scope=scope).get("trackingid", "")
        if _ACCEPTABLE_TRACKING_ID.fullmatch(sent):
            return sent
        return f"ROUTER_{self._randomness.uuid().upper()}"


class Record:
    """One request on its way: its journal entry is complete before the answer's last byte leaves.

    A client that has the whole answer, and then looks into the journal, finds the whole entry.
    """

    def __init__(self, journal: Journal, scope: Scope, receive: Receive, send: Send) -> None:
        self._journal = journal
        self._scope = scope
        self._receive = receive
        self._send = send
        self._entry = journal.open(_entry(scope))
        self._body = bytearray()
        self._held_start: Message | None = None
        self._is_complete = False
        self.annotations = Annotations()
        self.status: int | None = None

    async def receive(self) -> Message:
        """Receive a part of the request, and keep a copy of what may be a form."""
        message = await self._receive()
        self._body.extend(message.get("body", b"")[: _LONGEST_FORM - len(self._body)])
        return message

    async def send(self, message: Message) -> None:
        """Send a part of the answer; complete the entry before the last part."""
        if message["type"] == "http.response.start":
            # Held back until the body comes, since an answer without one ends with its head.
            self.status, self._held_start = message["status"], message
            return
        if not message.get("more_body", False):
            self.complete()
        if self._held_start is not None:
            start, self._held_start = self._held_start, None
            await self._send(start)
        await self._send(message)

    def complete(self) -> None:
        """Complete the entry, once."""
        if not self._is_complete:
            self._is_complete = True
            self.annotations.form = _form(self._scope, bytes(self._body))
            self._journal.close(self._entry, self.status, self.annotations)


def record_of(scope: Scope) -> Record:
    """Find the record of a request."""
    record = scope[_RECORD]
    if not isinstance(record, Record):
        raise TypeError("the request did not come through Recording")
    return record


def annotations_of(scope: Scope) -> Annotations:
    """Find what has been learnt about a request."""
    return record_of(scope).annotations


def tracking_id_of(scope: Scope) -> str:
    """Find the tracking id of a request."""
    return str(scope[_TRACKING_ID])


def _tracked(send: Send, tracking_id: str) -> Send:
    async def send_tracked(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(raw=message.setdefault("headers", []))
            headers.setdefault("trackingid", tracking_id)
        await send(message)

    return send_tracked


def _entry(scope: Scope) -> Entry:
    headers = Headers(scope=scope)
    query = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
    return Entry(
        number=0,
        method=scope["method"],
        path=scope["path"],
        query=redacted(query),
        header_names=tuple(headers.keys()),
        authorization=_authorization(headers.get("authorization", "")),
        tracking_id=tracking_id_of(scope),
        client_id=dict(query).get("client_id", ""),
    )


def _authorization(value: str) -> str:
    scheme, separator, credentials = value.partition(" ")
    return f"{scheme} {digest(credentials)}" if separator else value and digest(value)


def _form(scope: Scope, body: bytes) -> tuple[tuple[str, str], ...]:
    content_type = Headers(scope=scope).get("content-type", "")
    if not content_type.startswith("application/x-www-form-urlencoded"):
        return ()
    return redacted(parse_qsl(body.decode("latin-1"), keep_blank_values=True))
