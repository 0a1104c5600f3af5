"""Proof key for code exchange, S256 only (RFC 7636)."""

from base64 import urlsafe_b64encode
from hashlib import sha256

from webex_oauth.secret import Secret

FEWEST_RANDOM_BYTES = 32
MOST_RANDOM_BYTES = 96


def code_verifier(random_bytes: bytes) -> Secret:
    """Make a verifier of 43 to 128 characters (section 4.1) from 32 to 96 random bytes.

    Raises ValueError for any other number of bytes.
    """
    if not FEWEST_RANDOM_BYTES <= len(random_bytes) <= MOST_RANDOM_BYTES:
        raise ValueError("a code verifier takes 32 to 96 random bytes")
    return Secret(_base64url(random_bytes))


def code_challenge(verifier: Secret) -> str:
    """Compute the S256 challenge of *verifier* (section 4.2)."""
    return _base64url(sha256(verifier.reveal().encode("ascii")).digest())


def _base64url(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode("ascii")
