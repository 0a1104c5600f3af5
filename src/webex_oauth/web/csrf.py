"""The token that a form carries to prove that this session's own page sent it."""

import hashlib
import hmac

from webex_oauth.secret import Secret

PURPOSE = b"webex-oauth csrf"


def csrf_token(session_id: Secret) -> Secret:
    """Derive the token; it tells nothing of the session id."""
    return Secret(hmac.new(session_id.reveal().encode(), PURPOSE, hashlib.sha256).hexdigest())


def is_csrf_token(presented: str, session_id: Secret) -> bool:
    """Compare in constant time."""
    return Secret(presented) == csrf_token(session_id)
