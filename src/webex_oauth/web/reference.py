"""The reference of a request, which ties what a person is told to what the log says."""

import secrets

from starlette.types import Scope

REFERENCE_BYTES = 5


def reference_id(scope: Scope) -> str:
    """Give the request's reference; it is drawn when something first needs it."""
    if "reference_id" not in scope:
        scope["reference_id"] = secrets.token_hex(REFERENCE_BYTES)
    return str(scope["reference_id"])
