"""What only this application can derive of a session: proof that a page or a link is its own."""

import hashlib
import hmac

from webex_oauth.secret import Secret

PURPOSE = b"webex-oauth csrf"
NOTICE_PURPOSE = b"webex-oauth notice "


def csrf_token(session_id: Secret) -> Secret:
    """Derive the token; it tells nothing of the session id."""
    return Secret(hmac.new(session_id.reveal().encode(), PURPOSE, hashlib.sha256).hexdigest())


def is_csrf_token(presented: str, session_id: Secret) -> bool:
    """Compare in constant time."""
    return Secret(presented) == csrf_token(session_id)


def notice_proof(notice: str, session_id: Secret) -> str:
    """Derive what a link carries beside *notice*, so that no other link can let a page say it."""
    content = NOTICE_PURPOSE + notice.encode("utf-8", "replace")
    return hmac.new(session_id.reveal().encode(), content, hashlib.sha256).hexdigest()[:32]


def is_notice_proof(presented: str, notice: str, session_id: Secret) -> bool:
    """Compare in constant time."""
    return Secret(presented) == Secret(notice_proof(notice, session_id))
