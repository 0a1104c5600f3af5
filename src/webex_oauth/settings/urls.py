"""URLs in the settings: split, compared as browsers do, and judged with a remedy."""

import re
from urllib.parse import SplitResult, urlsplit

from webex_oauth.settings.pages import is_page
from webex_oauth.webex.origin import DEFAULT_PORTS, is_loopback_host, write_origin

# RFC 3986 knows no space, no control and nothing beyond ASCII; browsers read "\\" as "/".
PLAIN = re.compile(r"[!-\[\]-~]+")
# Without empty and dot segments, which browsers and proxies resolve.
CALLBACK_PATH = re.compile(r"(?:/(?!\.{1,2}(?:/|$))[A-Za-z0-9._~-]+)+/?")


def split_url(text: str) -> SplitResult | None:
    """Split a URL; None when it is none or its port cannot be."""
    try:
        parts = urlsplit(text)
        is_port_good = parts.port != 0
    except ValueError:
        return None
    return parts if is_port_good else None


def origin_of(parts: SplitResult) -> str:
    """Return the origin of a URL in its one spelling."""
    return write_origin(parts.scheme, parts.hostname or "", parts.port)


def is_loopback(parts: SplitResult) -> bool:
    """Return whether a URL leads to this machine."""
    return is_loopback_host(parts.hostname or "")


def is_https_or_loopback(parts: SplitResult) -> bool:
    """Return whether secrets may travel to a URL."""
    return parts.scheme == "https" or (parts.scheme == "http" and is_loopback(parts))


def proxy_remedy(proxy: str) -> str | None:
    """Return the remedy where *proxy* is not the URL of an HTTP proxy."""
    parts = split_url(proxy) if PLAIN.fullmatch(proxy) else None
    is_origin = parts is not None and not (parts.path.strip("/") or parts.query or parts.fragment)
    if parts is not None and is_origin and parts.scheme == "http" and parts.hostname:
        return None
    return "WEBEX_PROXY must be a URL such as http://proxy.example:3128"


def redirect_uri_remedy(redirect_uri: str, port: int) -> str | None:
    """Return what is wrong with a redirect URI for a server on *port*, and what to do."""
    parts = split_url(redirect_uri)
    if parts is None or parts.scheme not in DEFAULT_PORTS or not parts.hostname:
        return "is not an http or https URL: register one such as http://localhost:8080/oauth"
    if not PLAIN.fullmatch(redirect_uri):
        return "has characters that no URL has: register one without (in names, their xn-- form)"
    if "#" in redirect_uri or "?" in redirect_uri or parts.username is not None:
        return "must have no query, fragment or user name: register one without"
    if is_page(parts.path):
        return "is the address of another page: register one that ends in /oauth"
    if not CALLBACK_PATH.fullmatch(parts.path):
        return "must have a plain path: register one that ends in /oauth"
    if parts.scheme == "http" and not is_loopback(parts):
        return "must use https: plain http is only for localhost"
    if parts.scheme == "http" and (parts.port or 80) != port:
        return (
            f"is not this server, which listens on port {port}: set PORT={parts.port or 80} "
            "or register the other port"
        )
    return None


def base_doubt(redirect_uri: str) -> str | None:
    """Return what to see to if a good redirect URI is below a path: the pages are not."""
    parts = urlsplit(redirect_uri)
    folder = parts.path.rstrip("/").rpartition("/")[0]
    if not folder:
        return None
    return (
        f"the redirect URI is below {folder}/, but the pages are not: pass every path of "
        f"{origin_of(parts)} to this application, or register a redirect URI without {folder}"
    )
