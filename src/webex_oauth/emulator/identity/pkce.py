"""Proof key for code exchange (RFC 7636)."""

import base64
import hashlib
import hmac
import re
from dataclasses import dataclass

from webex_oauth.emulator.identity.refusals import OAuthRefusal

_ALLOWED = re.compile(r"[A-Za-z0-9._~-]{43,128}")
METHODS = ("S256", "plain")


@dataclass(frozen=True, slots=True)
class Challenge:
    """What the client committed itself to when it asked for a code."""

    value: str
    method: str


def read_challenge(value: str | None, method: str | None) -> Challenge | None:
    """Read the challenge of an authorization request, if it has one. RFC 7636 section 4.3."""
    if value is None and method is None:
        return None
    if value is None or not _ALLOWED.fullmatch(value):
        raise OAuthRefusal("invalid_request", "code_challenge must be 43 to 128 characters long.")
    if (method or "plain") not in METHODS:
        raise OAuthRefusal("invalid_request", "code_challenge_method must be S256 or plain.")
    return Challenge(value, method or "plain")


def check_verifier(challenge: Challenge | None, verifier: str | None) -> None:
    """Refuse a verifier that is missing, malformed, uncalled for or wrong. Section 4.6."""
    if challenge is None and verifier is None:
        return
    if challenge is None:
        raise OAuthRefusal("invalid_request", "code_verifier was not expected.")
    if verifier is None:
        raise OAuthRefusal("invalid_request", "code_verifier is required.")
    if not _ALLOWED.fullmatch(verifier):
        raise OAuthRefusal("invalid_request", "code_verifier must be 43 to 128 characters long.")
    computed = _transformed(challenge.method, verifier)
    if not hmac.compare_digest(computed, challenge.value):
        raise OAuthRefusal("invalid_grant", "code_verifier does not match the code_challenge.")


def _transformed(method: str, verifier: str) -> str:
    if method == "plain":
        return verifier
    digest = hashlib.sha256(verifier.encode()).digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")
