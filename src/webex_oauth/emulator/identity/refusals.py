"""Refusals: what the identity broker says no to, and in which words."""

from dataclasses import dataclass


@dataclass(slots=True)
class OAuthRefusal(Exception):
    """An OAuth request that is answered with an error. RFC 6749 sections 4.1.2.1 and 5.2."""

    error: str
    description: str
    status: int = 400
