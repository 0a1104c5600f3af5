"""URLs in the settings: the redirect URI, the proxy, and what the Developer Portal shows."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Final
from urllib.parse import SplitResult, parse_qsl, urlencode, urlsplit

from msgspec import Struct

from webex_oauth.settings.pages import is_page
from webex_oauth.webex.platform import (
    BROKER_ORIGINS,
    DEFAULT_PORTS,
    PRODUCTION_ORIGIN,
    is_loopback_host,
    write_origin,
)

# RFC 3986 knows no space, no control and nothing beyond ASCII; browsers read "\\" as "/".
PLAIN: Final = re.compile(r"[!-\[\]-~]+")
EMAIL = re.compile(r"[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+")
# Without empty and dot segments, which browsers and proxies resolve.
CALLBACK_PATH: Final = re.compile(r"(?:/(?!\.{1,2}(?:/|$))[A-Za-z0-9._~-]+)+/?")
AUTHORIZE_PATH: Final = "/v1/authorize"
BROKER_PATH: Final = "/idb/oauth2/v1/authorize"
COPY: Final = (
    "copy the whole 'OAuth Authorization URL' of your integration from the Developer Portal"
)
PORTAL_FIELDS: Final = frozenset({"client_id", "redirect_uri", "scope", "response_type"})
EVERY_SIGN_IN_HAS_ITS_OWN: Final = "every sign-in gets its own"
NOT_SENT: Final[Mapping[str, str]] = {
    "state": EVERY_SIGN_IN_HAS_ITS_OWN,
    "code_challenge": EVERY_SIGN_IN_HAS_ITS_OWN,
    "code_challenge_method": EVERY_SIGN_IN_HAS_ITS_OWN,
    "nonce": "no id_token is read",
    "response_mode": "the answer must come in the query of the redirect URI",
    "request": "Webex takes no request objects",
    "request_uri": "Webex takes no request objects",
}
STATE_OF_THE_PORTAL: Final = ("state", "set_state_here")
SECRETS: Final = ("secret", "token", "password", "code_verifier")


def split_url(text: str) -> SplitResult | None:
    """Return the parts of a URL; None if it is none or its port is impossible."""
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


def help_url(text: str) -> str | None:
    """Return the address of a page, or an e-mail address, as a link; None if *text* is neither."""
    if not PLAIN.fullmatch(text):
        return None
    parts = split_url(text)
    if parts is not None and parts.scheme in DEFAULT_PORTS and parts.hostname:
        return text
    return f"mailto:{text}" if EMAIL.fullmatch(text) else None


def proxy_remedy(proxy: str) -> str | None:
    """Return what to do if *proxy* is not the URL of an HTTP proxy."""
    parts = split_url(proxy) if PLAIN.fullmatch(proxy) else None
    is_origin = parts is not None and not (parts.path.strip("/") or parts.query or parts.fragment)
    if parts is not None and is_origin and parts.scheme == "http" and parts.hostname:
        return None
    return "WEBEX_PROXY must be a URL such as http://proxy.example:3128"


def redirect_uri_remedy(redirect_uri: str) -> str | None:
    """Return what is wrong with a redirect URI, and what to do."""
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
    return None


def loopback_port(redirect_uri: str) -> int | None:
    """Return the port on this machine to which browsers are sent without TLS."""
    parts = split_url(redirect_uri)
    if parts is None or parts.scheme != "http" or not is_loopback(parts):
        return None
    return parts.port or DEFAULT_PORTS["http"]


def loopback_address(redirect_uri: str) -> str | None:
    """Return the address of this machine that browsers are sent to without TLS; None for a name."""
    parts = split_url(redirect_uri)
    host = parts and parts.hostname
    if loopback_port(redirect_uri) is None or not host or host == "localhost":
        return None
    return host


class PortalUrl(Struct, frozen=True):
    """What the OAuth Authorization URL of the Developer Portal says, and what is wrong with it.

    `fields` are settings, and under `origin` where it leads; `query` is what else it asks for,
    which is sent with every sign-in.
    """

    fields: Mapping[str, str] = {}
    query: str = ""
    mistakes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


def read_portal_url(text: str) -> PortalUrl:
    """Read *text*; nothing in it is dropped without a word."""
    parts = split_url(text) if text.isprintable() else None
    if parts is None or not parts.netloc:
        return PortalUrl(mistakes=(f"AUTH_INIT_URL is not a URL: {COPY}",))
    try:
        pairs = parse_qsl(parts.query, keep_blank_values=True, errors="strict")
    except ValueError:
        return PortalUrl(mistakes=(f"AUTH_INIT_URL is not percent-encoded UTF-8: {COPY}",))
    fields = {name: value for name, value in pairs if name in PORTAL_FIELDS}
    known = PORTAL_FIELDS | NOT_SENT.keys()
    origin = PRODUCTION_ORIGIN if _is_brokers(parts) else origin_of(parts)
    return PortalUrl(
        fields=fields | {"origin": origin},
        query=urlencode([(name, value) for name, value in pairs if name not in known]),
        mistakes=(*_mistakes_of_place(parts), *_mistakes_of_query(pairs)),
        warnings=tuple(_warnings(parts, pairs)),
    )


def _is_brokers(parts: SplitResult) -> bool:
    """Return whether this is where Webex's front door sends browsers on to."""
    return origin_of(parts) in BROKER_ORIGINS


def _mistakes_of_place(parts: SplitResult) -> Iterator[str]:
    if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(parts)):
        yield "AUTH_INIT_URL must begin with https://"
    if parts.fragment or parts.username is not None:
        yield f"AUTH_INIT_URL must have no fragment (#) and no user name (@): {COPY}"
    if parts.path.rstrip("/") != (BROKER_PATH if _is_brokers(parts) else AUTHORIZE_PATH):
        yield (
            f"AUTH_INIT_URL leads to the path {parts.path[:80]!a}, which is not Webex's "
            f"{AUTHORIZE_PATH}: {COPY}"
        )


def _mistakes_of_query(pairs: list[tuple[str, str]]) -> Iterator[str]:
    counts = Counter(name for name, _ in pairs)
    for name in counts:
        shown = ascii(name[:40])
        if counts[name] > 1:
            yield f"AUTH_INIT_URL has more than one {shown}: keep the right one"
        if name.startswith("amp;"):
            yield f"AUTH_INIT_URL has &amp; where & belongs: {COPY}"
        elif any(part in name.lower() for part in SECRETS):
            yield f"AUTH_INIT_URL has {shown}, which must not go through a browser: remove it"
    if dict(pairs).get("response_type", "code") != "code":
        yield "AUTH_INIT_URL must ask for response_type=code"


def _warnings(parts: SplitResult, pairs: list[tuple[str, str]]) -> Iterator[str]:
    if _is_brokers(parts):
        yield (
            "AUTH_INIT_URL is the address of Webex's identity broker, as an address bar shows it: "
            f"{PRODUCTION_ORIGIN}{AUTHORIZE_PATH} is used, which the Developer Portal shows"
        )
    for name, value in pairs:
        if name in NOT_SENT and (name, value) != STATE_OF_THE_PORTAL:
            yield f"AUTH_INIT_URL's {name} is not sent: {NOT_SENT[name]}"
