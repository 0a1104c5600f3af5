"""Recording: write every request into the journal and give it a tracking id."""

import re
from urllib.parse import parse_qsl

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from webex_oauth.emulator.journal import Annotations, Entry, Journal, digest, redacted
from webex_oauth.emulator.randomness import Randomness

_ANNOTATIONS = "webex_oauth.emulator.annotations"
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
        annotations = Annotations()
        scope[_TRACKING_ID] = tracking_id
        scope[_ANNOTATIONS] = annotations
        if scope["path"].startswith(CONTROL_PATH):
            await self._app(scope, receive, _tracked(send, tracking_id))
            return
        await self._record(scope, receive, _tracked(send, tracking_id), annotations)

    async def _record(
        self, scope: Scope, receive: Receive, send: Send, annotations: Annotations
    ) -> None:
        entry = self._journal.open(_entry(scope))
        body = bytearray()
        status: int | None = None

        async def receive_copying() -> Message:
            message = await receive()
            body.extend(message.get("body", b"")[: _LONGEST_FORM - len(body)])
            return message

        async def send_watching(message: Message) -> None:
            nonlocal status
            status = message.get("status", status)
            await send(message)

        try:
            await self._app(scope, receive_copying, send_watching)
        finally:
            annotations.form = _form(scope, bytes(body))
            self._journal.close(entry, status, annotations)

    def _tracking_id(self, scope: Scope) -> str:
        sent = Headers(scope=scope).get("trackingid", "")
        if _ACCEPTABLE_TRACKING_ID.fullmatch(sent):
            return sent
        return f"ROUTER_{self._randomness.uuid().upper()}"


def annotations_of(scope: Scope) -> Annotations:
    """Find what has been learnt about a request."""
    annotations = scope[_ANNOTATIONS]
    if not isinstance(annotations, Annotations):
        raise TypeError("the request did not come through Recording")
    return annotations


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
