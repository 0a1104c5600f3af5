"""Next links that lead astray: to the same page, to pages without end, to another origin."""

import re
from urllib.parse import urlencode

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from webex_oauth.emulator.faults import NextLink

_LINK_ORIGIN = re.compile(r"<https?://[^/>]+")


async def straying(
    fault: NextLink, app: ASGIApp, scope: Scope, receive: Receive, send: Send
) -> None:
    """Answer a listing, with a `next` link that the fault has chosen."""

    async def send_straying(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(raw=message["headers"])
            headers["link"] = _link(fault, scope, headers.get("link", ""))
            _make_room(fault, headers)
        elif fault.to == "empty":
            message = {**message, "body": b'{"items":[]}'}
        await send(message)

    await app(scope, receive, send_straying)


def _make_room(fault: NextLink, headers: MutableHeaders) -> None:
    if fault.to == "empty":
        headers["content-length"] = str(len(b'{"items":[]}'))


def _link(fault: NextLink, scope: Scope, honest_link: str) -> str:
    origin = f"{scope['scheme']}://{_host(scope)}"
    if fault.to == "foreign":
        return _foreign_link(fault, scope, honest_link)
    if fault.to == "self":
        query = scope["query_string"].decode("latin-1")
        return f'<{origin}{scope["path"]}?{query}>; rel="next"'
    # A page number that grows, so that no two links are the same.
    turn = _turn(scope) + 1
    return f'<{origin}{scope["path"]}?{urlencode({"max": "1", "turn": str(turn)})}>; rel="next"'


def _foreign_link(fault: NextLink, scope: Scope, honest_link: str) -> str:
    if honest_link:
        return _LINK_ORIGIN.sub(f"<{fault.foreign_origin}", honest_link)
    query = scope["query_string"].decode("latin-1")
    return f'<{fault.foreign_origin}{scope["path"]}?{query}>; rel="next"'


def _turn(scope: Scope) -> int:
    form = re.search(rb"(?:^|&)turn=([0-9]{1,9})(?:&|$)", scope["query_string"])
    return int(form[1]) if form else 0


def _host(scope: Scope) -> str:
    for name, value in scope["headers"]:
        if name == b"host":
            return str(value.decode("latin-1"))
    host, port = scope["server"]
    return f"{host}:{port}"
