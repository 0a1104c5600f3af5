"""What names a request in the log: the reference that its page shows, and its peer."""

import secrets

from starlette.types import Scope

REFERENCE_BYTES = 5


def reference_id(scope: Scope) -> str:
    """Give the request's reference; it is drawn when something first needs it."""
    if "reference_id" not in scope:
        scope["reference_id"] = secrets.token_hex(REFERENCE_BYTES)
    return str(scope["reference_id"])


def peer_address(scope: Scope) -> str:
    """Return the address that the request came from; behind a proxy it is the proxy's."""
    client = scope.get("client")
    return str(client[0]) if client else "unknown"
