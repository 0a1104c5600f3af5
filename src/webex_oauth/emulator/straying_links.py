"""Next links that lead astray: to the same page, to pages without end, to another origin."""

import re
from urllib.parse import urlencode

from starlette.datastructures import MutableHeaders
from starlette.types import Message, Scope, Send

from webex_oauth.emulator.faults import NextLink

_LINK_ORIGIN = re.compile(r"<https?://[^/>]+")
_TURN = re.compile(rb"(?:^|&)turn=([0-9]{1,9})(?:&|$)")
_EMPTY_PAGE = b'{"items":[]}'


class Straying:
    """Send the answer to a listing on, with a `next` link that the fault has chosen."""

    def __init__(self, fault: NextLink, origin: str, scope: Scope, send: Send) -> None:
        self._fault = fault
        self._url = f"{origin}{scope['path']}"
        self._query: bytes = scope["query_string"]
        self._send = send

    async def __call__(self, message: Message) -> None:
        """Send one message of the answer."""
        if message["type"] == "http.response.start":
            self._change(MutableHeaders(raw=message["headers"]))
        elif self._fault.to == "empty":
            message = {**message, "body": _EMPTY_PAGE}
        await self._send(message)

    def _change(self, headers: MutableHeaders) -> None:
        headers["link"] = self._link(headers.get("link"))
        if self._fault.to == "empty":
            headers["content-length"] = str(len(_EMPTY_PAGE))

    def _link(self, honest_link: str | None) -> str:
        same = f'<{self._url}?{self._query.decode("latin-1")}>; rel="next"'
        if self._fault.to == "self":
            return same
        if self._fault.to == "foreign":
            return _LINK_ORIGIN.sub(f"<{self._fault.foreign_origin}", honest_link or same)
        # A number that grows, so that no two links are the same.
        query = urlencode({"max": "1", "turn": str(self._turn() + 1)})
        return f'<{self._url}?{query}>; rel="next"'

    def _turn(self) -> int:
        form = _TURN.search(self._query)
        return int(form[1]) if form else 0
