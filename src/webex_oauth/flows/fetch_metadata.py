"""What a browser says about why it asks; header names are in lower case."""

from collections.abc import Mapping
from enum import Enum, auto


def is_prefetch(headers: Mapping[str, str]) -> bool:
    """Return whether the browser asks ahead of the person, who may never come."""
    purposes = f"{headers.get('sec-purpose', '')} {headers.get('purpose', '')}".lower()
    return "prefetch" in purposes or headers.get("x-moz", "").lower() == "prefetch"


def is_navigation(headers: Mapping[str, str]) -> bool:
    """Return whether a person is going somewhere, rather than a page loading an image or a frame.

    Absent headers mean nothing: old browsers and scripts send none, and Node's fetch its own.
    """
    return (
        headers.get("sec-fetch-mode", "navigate") == "navigate"
        and headers.get("sec-fetch-dest", "document") == "document"
    )


def is_from_elsewhere(headers: Mapping[str, str], public_origin: str) -> bool:
    """Return whether another site caused the request, as far as the browser says.

    Pages with `Referrer-Policy: no-referrer`, such as ours, post with `Origin: null` even to their
    own origin, so that proves nothing. A browser without Sec-Fetch-Site (Safari before 16.4, or one
    behind a gateway that drops it) then names no cause, and the form's token alone decides.
    """
    site, origin = headers.get("sec-fetch-site"), headers.get("origin")
    if site not in {None, "same-origin", "none"}:
        return True
    if origin == "null":
        return site == "none"
    return origin is not None and origin != public_origin


def is_foreign(headers: Mapping[str, str], public_origin: str) -> bool:
    """Return whether another site may have sent a request that no token of a form vouches for.

    Then a hidden origin counts as another: of a WebSocket Chromium says nothing else.
    """
    is_hidden = headers.get("origin") == "null" and "sec-fetch-site" not in headers
    return is_hidden or is_from_elsewhere(headers, public_origin)


class Follower(Enum):
    """Who follows a link that begins a sign-in, as far as the browser says."""

    PERSON = auto()
    OTHER_SITE = auto()
    """A person perhaps, sent by another site: they are asked first."""
    NOBODY = auto()
    """A prefetch, an image or a frame, or a question for the headers alone."""


def follower_of(method: str, headers: Mapping[str, str], public_origin: str) -> Follower:
    """Return who follows a link that begins a sign-in."""
    if method == "HEAD" or is_prefetch(headers) or not is_navigation(headers):
        return Follower.NOBODY
    if is_from_elsewhere(headers, public_origin):
        return Follower.OTHER_SITE
    return Follower.PERSON
