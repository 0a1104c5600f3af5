"""The log of refusals: one event for each, with a bound on how many of a kind a second may bring.

What a stranger can cause must not fill a disk. Events beyond the bound are counted, and their
number is written when the second is over.
"""

import asyncio
import logging
import secrets
from collections import Counter
from typing import Final

from starlette.types import Scope

log = logging.getLogger(__name__)

MAX_EVENTS: Final = 20
"""How many events of one kind are written in one second."""

WINDOW_SECONDS: Final = 1.0
REFERENCE_BYTES: Final = 5


class RefusalLog:
    """Write refusals to the log; use it inside a running event loop."""

    def __init__(self) -> None:
        self._count_by_kind: Counter[str] = Counter()

    def note(
        self,
        kind: str,
        reason: str,
        *,
        peer: str,
        exc_info: BaseException | None = None,
        **facts: object,
    ) -> None:
        """Write that something was refused: what *kind* of refusal, why, and to which address.

        *kind* is one of our own words, never a text of the peer; *facts* are further fields of the
        event.
        """
        if kind not in self._count_by_kind:
            asyncio.get_running_loop().call_later(WINDOW_SECONDS, self._close_window, kind)
        self._count_by_kind[kind] += 1
        if self._count_by_kind[kind] <= MAX_EVENTS:
            log.warning(
                "request refused (%(failure)s): %(reason)s; from %(peer)s",
                {"failure": kind, "reason": reason, "peer": peer, **facts},
                exc_info=exc_info,
            )

    def _close_window(self, kind: str) -> None:
        unwritten = self._count_by_kind.pop(kind) - MAX_EVENTS
        if unwritten > 0:
            log.warning(
                "and %(count)s more requests refused in that second (%(failure)s)",
                {"failure": kind, "count": unwritten},
            )


def reference_id(scope: Scope) -> str:
    """Give the request's reference; it is drawn when something first needs it."""
    if "reference_id" not in scope:
        scope["reference_id"] = secrets.token_hex(REFERENCE_BYTES)
    return str(scope["reference_id"])


def peer_address(scope: Scope) -> str:
    """Return the address that the request came from; behind a proxy it is the proxy's."""
    client = scope.get("client")
    return str(client[0]) if client else "unknown"
