"""Bearer tokens on the wire (RFC 6750)."""

import re

from webex_oauth.secret import Secret

MAX_TOKEN_CHARACTERS = 16 * 1024
_VISIBLE_ASCII = re.compile(r"[\x21-\x7e]+", re.ASCII)


def read_token(value: object) -> Secret | None:
    """Return *value* as a token; None if it could not stand in a header.

    A token is visible ASCII, neither empty nor longer than 16 KiB.
    """
    if not isinstance(value, str) or len(value) > MAX_TOKEN_CHARACTERS:
        return None
    return Secret(value) if _VISIBLE_ASCII.fullmatch(value) else None


def authorization_header(access_token: Secret) -> str:
    """Build the value of the `authorization` header (RFC 6750 section 2.1).

    Raises ValueError when the token could change the request.
    """
    if read_token(access_token.reveal()) is None:
        raise ValueError("the access token could not stand in a header")
    return f"Bearer {access_token.reveal()}"
