"""What protects a browser: headers on answers, form tokens, and where a request came from."""

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from urllib.parse import urlsplit

from webex_oauth.secret import Secret
from webex_oauth.settings.urls import is_loopback

PERMISSIONS_POLICY = (
    b"accelerometer=(), camera=(), display-capture=(), geolocation=(), gyroscope=(), "
    b"magnetometer=(), microphone=(), payment=(), usb=()"
)

PURPOSE = b"webex-oauth csrf"
NOTICE_PURPOSE = b"webex-oauth notice "


def security_headers(public_origin: str) -> Sequence[tuple[bytes, bytes]]:
    """Build the headers that every answer carries unless it brings its own of the same name."""
    parts = urlsplit(public_origin)
    headers = [
        (b"content-security-policy", content_security_policy()),
        (b"cache-control", b"no-store"),
        (b"vary", b"cookie"),
        (b"x-content-type-options", b"nosniff"),
        (b"referrer-policy", b"no-referrer"),
        (b"cross-origin-opener-policy", b"same-origin"),
        (b"cross-origin-resource-policy", b"same-origin"),
        (b"permissions-policy", PERMISSIONS_POLICY),
    ]
    # HSTS holds for every port of a host: on localhost it would reach all that runs there.
    if parts.scheme == "https" and not is_loopback(parts):
        headers.append((b"strict-transport-security", b"max-age=63072000; includeSubDomains"))
    return headers


def content_security_policy(
    image_origin: str | None = None, *, leads_to_webex: bool = False
) -> bytes:
    """Allow this origin's own files, nothing inline, and images of *image_origin* if given.

    Forms may only post here, except on a page that *leads_to_webex*: Chromium holds form-action
    against every redirect that follows a form, and through how many origins Webex and a company's
    own sign-in lead a person is not known here.
    """
    images = f"'self' {image_origin}" if image_origin else "'self'"
    form_action = "" if leads_to_webex else "form-action 'self'; "
    return (
        "default-src 'none'; script-src 'self'; style-src 'self'; "
        f"img-src {images}; {form_action}object-src 'none'; "
        "base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'"
    ).encode("ascii")


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


def is_prefetch(headers: Mapping[str, str]) -> bool:
    """Tell whether the browser asks ahead of the person, who may never come."""
    purposes = f"{headers.get('sec-purpose', '')} {headers.get('purpose', '')}".lower()
    return "prefetch" in purposes or headers.get("x-moz", "").lower() == "prefetch"


def is_navigation(headers: Mapping[str, str]) -> bool:
    """Tell whether a person is going somewhere, rather than a page loading an image or a frame."""
    return (
        headers.get("sec-fetch-mode", "navigate") == "navigate"
        and headers.get("sec-fetch-dest", "document") == "document"
    )


def is_from_elsewhere(headers: Mapping[str, str], public_origin: str) -> bool:
    """Return whether another site caused the request, as far as the browser says.

    Pages with `Referrer-Policy: no-referrer`, as ours are, post with `Origin: null`, also to their
    own origin. So that says nothing, and a browser without Sec-Fetch-Site (Safari before 16.4, or
    one behind a gateway that drops it) has told no cause; then the form's token alone decides.
    """
    site, origin = headers.get("sec-fetch-site"), headers.get("origin")
    if site not in {None, "same-origin", "none"}:
        return True
    if origin == "null":
        return site == "none"
    return origin is not None and origin != public_origin
