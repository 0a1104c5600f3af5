"""Recording: write every request into the journal and give it a tracking id."""

import re
from http import HTTPStatus
from urllib.parse import parse_qsl

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from webex_oauth.emulator.journal import Annotations, Entry, Journal, digest, redacted
from webex_oauth.emulator.randomness import Randomness

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
