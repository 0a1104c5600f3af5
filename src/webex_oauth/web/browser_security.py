"""The headers that protect a browser, on every answer."""

from collections.abc import Sequence
from typing import Final, TypeAlias
from urllib.parse import urlsplit

from webex_oauth.settings.urls import is_loopback

HeaderList: TypeAlias = Sequence[tuple[bytes, bytes]]

PERMISSIONS_POLICY: Final = (
    b"accelerometer=(), camera=(), display-capture=(), geolocation=(), gyroscope=(), "
    b"magnetometer=(), microphone=(), payment=(), usb=()"
)


def security_headers(public_origin: str) -> HeaderList:
    """Return the headers of every answer that does not bring its own of the same name."""
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
    # HSTS applies to every port of a host: on localhost it would reach all that runs there.
    if parts.scheme == "https" and not is_loopback(parts):
        headers.append((b"strict-transport-security", b"max-age=63072000; includeSubDomains"))
    return headers


def content_security_policy(
    image_origin: str | None = None, *, leads_to_webex: bool = False
) -> bytes:
    """Allow this origin's own files, nothing inline, and images of *image_origin* if given.

    Forms may only post here, except on a page that *leads_to_webex*: Chromium applies form-action
    to every redirect that follows a form, and how many origins lie between Webex and a company's
    own sign-in is not known here.
    """
    images = f"'self' {image_origin}" if image_origin else "'self'"
    form_action = "" if leads_to_webex else "form-action 'self'; "
    return (
        "default-src 'none'; script-src 'self'; style-src 'self'; "
        f"img-src {images}; {form_action}object-src 'none'; "
        "base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'"
    ).encode("ascii")
