"""An attempt: one sign-in under way, sealed into a cookie of the browser that began it.

Beginning a sign-in writes nothing on our side. The seal binds the cookie to its state, so that it
answers that state's callback alone.
"""

import hashlib
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Collection

import msgspec

from webex_oauth.errors import AttemptForeign, VaultError
from webex_oauth.secret import Secret
from webex_oauth.vault.sealing import Context, Envelope, Sealer


class Attempt(msgspec.Struct, frozen=True, array_like=True):
    """What a sign-in must remember between the way to Webex and the way back.

    `terms` are what `digest_of_terms` returns. It can be completed before `expires_at`.
    """

    verifier: Secret
    return_to: str
    terms: bytes
    expires_at: int


_ENVELOPE = Envelope(Attempt)


def digest_of_terms(issuer: str, redirect_uri: str, scopes: Collection[str]) -> bytes:
    """Hash whom a sign-in asks, and for what.

    Browsers drop a cookie of more than 4 KiB, and a list of scopes may be that long by itself.
    """
    terms = "\n".join((issuer, redirect_uri, *sorted(scopes)))
    return hashlib.sha256(terms.encode()).digest()


def seal_attempt(sealer: Sealer, attempt: Attempt, state_digest: bytes) -> Secret:
    """Seal *attempt* for the cookie of its browser: URL-safe base64 without padding."""
    sealed = _ENVELOPE.seal(sealer, attempt, _context(state_digest))
    return Secret(urlsafe_b64encode(sealed).rstrip(b"=").decode())


def open_attempt(sealer: Sealer, cookie: Secret | None, state_digest: bytes) -> Attempt:
    """Open the cookie that a browser presents for a state.

    Raises AttemptForeign if it presents none, or one that was not sealed for this state.
    """
    if cookie is None:
        raise AttemptForeign("the browser has no cookie of this attempt")
    text = cookie.reveal()
    try:
        sealed = urlsafe_b64decode(text + "=" * (-len(text) % 4))
        return _ENVELOPE.open(sealer, sealed, _context(state_digest))
    except (ValueError, VaultError) as error:
        raise AttemptForeign("the browser's cookie is not of this attempt") from error


def _context(state_digest: bytes) -> Context:
    return Context(kind="attempt", name=state_digest)
