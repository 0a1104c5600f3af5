"""Where Webex is: its origins and endpoints, and how its servers refuse."""

import re
from collections.abc import Mapping
from http import HTTPStatus
from ipaddress import IPv4Address, IPv6Address, ip_address
from urllib.parse import SplitResult, urlsplit

from msgspec import Struct

from webex_oauth.errors import (
    ConfigurationError,
    InvalidClient,
    InvalidGrant,
    TokenError,
    TokenRequestRefused,
)
from webex_oauth.oauth.http import read_text
from webex_oauth.oauth.server import AuthorizationServer, ClientAuthentication

PRODUCTION_ORIGIN = "https://webexapis.com"
PRODUCTION_BROKER_ORIGIN = "https://idbroker.webex.com"
REGIONAL_BROKER_ORIGINS = frozenset(
    f"https://idbroker-{region}.webex.com"
    for region in ("ae", "au", "b-us", "ca", "eu", "in", "sg")
)
BROKER_ORIGINS = REGIONAL_BROKER_ORIGINS | {PRODUCTION_BROKER_ORIGIN}
REGIONAL_ISSUERS = frozenset(f"{origin}/idb" for origin in REGIONAL_BROKER_ORIGINS)
PICTURE_HOSTS = re.compile(
    r"(?:[a-z0-9-]+\.)+(?:webexcontent\.com|webex\.com|ciscospark\.com|wbx2\.com|clouddrive\.com)"
    r"|[a-z0-9]+-c62266528714497a17239ececf39e9e2\.ssl\.cf1\.rackcdn\.com"
)
"""Where Webex keeps the pictures of people; the last is its own container at a shared host."""

BEARER_ORIGINS = re.compile(
    r"https://(?:(?:mcp|analytics|analytics-calling(?:-[a-z]{2,3})?)\.webexapis\.com"
    r"|api\.wxcc-[a-z]{2}[0-9]{1,2}\.cisco\.com)"
)
"""Other origins of Webex's own that take the same access tokens."""

TRACKING_HEADER = "trackingid"
DEFAULT_PORTS = {"https": 443, "http": 80}
_ORIGIN = re.compile(
    r"(?P<scheme>https?)://(?P<host>[a-z0-9](?:[a-z0-9._-]*[a-z0-9])?|\[[0-9a-f:.]+\])"
    r"(?::(?P<port>[0-9]{1,5}))?/?",
    re.ASCII | re.IGNORECASE,
)
_URL = re.compile(r"(?P<origin>[a-zA-Z]+://[^/?#]+)([/?#][\x21-\x7e]*)?", re.ASCII)
_HIGHEST_PORT = 65_535
_GRANT_CODES = frozenset({"invalid_grant", "invalid_refresh_token"})
_UNSPECIFIC_CODES = frozenset({"", "invalid_request"})
_OTHER_CODES = frozenset(
    {
        "access_denied",
        "authorization_pending",
        "expired_token",
        "invalid_client",
        "invalid_scope",
        "server_error",
        "slow_down",
        "temporarily_unavailable",
        "tokenlimit_reached",
        "unauthorized_client",
        "unsupported_grant_type",
        "unsupported_token_type",
    }
)
_CODES = _GRANT_CODES | _UNSPECIFIC_CODES | _OTHER_CODES
_CLIENT_TEXTS = ("client_secret", "client secret", "client id is invalid")
_WORD = re.compile(r"[a-z_]+")


class Platform(Struct, frozen=True):
    """One Webex: the real one, a local one, or another of which less is known.

    `server.revocation_endpoint` is None if it is not known. `token_origins` are others that an
    operator lets access tokens go to.
    """

    origin: str
    api_base_url: str
    server: AuthorizationServer
    token_origins: frozenset[str] = frozenset()

    @property
    def is_production(self) -> bool:
        """Whether this is the Webex that most people work with."""
        return self.origin == PRODUCTION_ORIGIN

    @property
    def is_local(self) -> bool:
        """Whether this is a Webex on this machine, whose people are invented."""
        return _is_local(self.origin)

    @property
    def host(self) -> str:
        """The host by which people know it, with its port if that is not the usual one."""
        return urlsplit(self.origin).netloc

    def has_page(self, url: str) -> bool:
        """Return whether people may be sent to *url*: over TLS, or to a page of a local Webex."""
        origin = _origin_of(url)
        return origin.startswith("https:") or (bool(origin) and self.is_local)

    def takes_token(self, url: str) -> bool:
        """Return whether an access token may go to *url*: to the API and a few more of Webex's own.

        Clients disagree about URLs with a user name, a backslash or a space: they are refused.
        """
        origin = _origin_of(url)
        is_webex = self.is_production and BEARER_ORIGINS.fullmatch(origin) is not None
        return origin == self.origin or is_webex or origin in self.token_origins

    def has_picture(self, url: SplitResult) -> bool:
        """Return whether *url* is of a picture that this Webex keeps."""
        if f"{url.scheme}://{url.netloc}" == self.origin:
            return True
        return url.scheme == "https" and PICTURE_HOSTS.fullmatch(url.netloc.lower()) is not None


def platform(origin: str = PRODUCTION_ORIGIN, *, authorization_query: str = "") -> Platform:
    """Return the Webex at *origin*; *authorization_query* is added to every sign-in's query.

    A local Webex revokes tokens at its front door too; where another Webex does is not known, and
    not guessed. Raises ConfigurationError for what is not an origin, for http beyond loopback, and
    for Webex's identity broker as *origin*.
    """
    front_door = read_origin(origin)
    if front_door in BROKER_ORIGINS:
        raise ConfigurationError(
            [f"{front_door} is Webex's identity broker: name its front door, {PRODUCTION_ORIGIN}"]
        )
    is_production = front_door == PRODUCTION_ORIGIN
    endpoint = f"{front_door}/v1/authorize"
    server = AuthorizationServer(
        issuer=f"{PRODUCTION_BROKER_ORIGIN if is_production else front_door}/idb",
        issuer_aliases=REGIONAL_ISSUERS if is_production else frozenset(),
        authorization_endpoint=f"{endpoint}?{authorization_query}"
        if authorization_query
        else endpoint,
        token_endpoint=f"{front_door}/v1/access_token",
        revocation_endpoint=_revocation_endpoint(front_door),
        revocation_authentication=ClientAuthentication.BASIC,
        may_omit_token_type=True,
        tracking_header=TRACKING_HEADER,
        refusal=read_refusal,
        device_authorization_endpoint=f"{front_door}/v1/device/authorize",
        device_token_endpoint=f"{front_door}/v1/device/token",
        device_authentication=ClientAuthentication.BASIC,
    )
    return Platform(front_door, f"{front_door}/v1/", server)


def _revocation_endpoint(front_door: str) -> str | None:
    if front_door == PRODUCTION_ORIGIN:
        return f"{PRODUCTION_BROKER_ORIGIN}/idb/oauth2/v1/revoke"
    return f"{front_door}/v1/revoke" if _is_local(front_door) else None


def _is_local(origin: str) -> bool:
    return is_loopback_host(urlsplit(origin).hostname or "")


def _origin_of(url: str) -> str:
    """Return the origin of *url*, empty if that is no plain http or https address."""
    parts = _URL.fullmatch(url)
    try:
        return read_origin(parts["origin"]) if parts else ""
    except ConfigurationError:
        return ""


def read_origin(text: str) -> str:
    """Return the one spelling of the origin (RFC 6454) in *text*.

    Raises ConfigurationError for what is not an origin, and for http beyond loopback.
    """
    parts = _ORIGIN.fullmatch(text)
    host = parts["host"].strip("[]") if parts else ""
    if parts is None or (host != parts["host"] and _address(host) is None):
        raise ConfigurationError([f"{text!r} is not an origin such as https://webexapis.com"])
    scheme = parts["scheme"].lower()
    port = int(parts["port"] or DEFAULT_PORTS[scheme])
    if not 0 < port <= _HIGHEST_PORT:
        raise ConfigurationError([f"{text!r} has an impossible port"])
    if scheme == "http" and not is_loopback_host(host):
        raise ConfigurationError([f"{text!r} must use https, because tokens travel there"])
    return write_origin(scheme, host, port)


def write_origin(scheme: str, host: str, port: int | None) -> str:
    """Return an origin as browsers write it: lower case, no default port, a short IPv6 address."""
    address = _address(host)
    named = f"[{address}]" if isinstance(address, IPv6Address) else host.lower()
    if port in {None, DEFAULT_PORTS.get(scheme)}:
        return f"{scheme}://{named}"
    return f"{scheme}://{named}:{port}"


def is_loopback_host(host: str) -> bool:
    """Return whether a host, without brackets, is this machine."""
    address = _address(host)
    return host.lower() == "localhost" if address is None else address.is_loopback


def _address(host: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(host)
    except ValueError:
        return None


class ErrorBody(Struct, frozen=True):
    """An error body of Webex, which has two shapes: the gateway's and the identity broker's.

    `code` is the broker's OAuth error code, `message` the text of either.
    """

    code: str | None
    message: str | None
    tracking_id: str | None


def read_error_body(members: Mapping[str, object]) -> ErrorBody:
    """Read `message, errors, trackingId` or `error, error_description, trackingID`."""
    message = (
        read_text(members.get("error_description"))
        or read_text(members.get("message"))
        or _first_description(members.get("errors"))
    )
    tracking_id = read_text(members.get("trackingId")) or read_text(members.get("trackingID"))
    return ErrorBody(read_text(members.get("error")), message, tracking_id)


def _first_description(errors: object) -> str | None:
    match errors:
        case [{"description": description}, *_]:
            return read_text(description)
    return None


def read_refusal(status: int, members: Mapping[str, object]) -> TokenError:
    """Return the error for a refusal of either shape.

    Wrong credentials of the integration are a 401, or a 400 that speaks of them; any other 400
    without a reason of its own means that the code or the refresh token is spent. A 428 is the
    device grant's: the person has not decided yet.
    """
    body = read_error_body(members)
    # The gateway sends no code: only here does the text of a message decide anything.
    code = body.code or _code_in(body.message or "")
    if status == HTTPStatus.PRECONDITION_REQUIRED and not code:
        code = "authorization_pending"
    kind: type[TokenError] = TokenRequestRefused
    if code in _GRANT_CODES:
        kind = InvalidGrant
    elif status == HTTPStatus.UNAUTHORIZED or _is_about_client(code, body.message or ""):
        kind, code = InvalidClient, code or "invalid_client"
    elif status == HTTPStatus.BAD_REQUEST and code in _UNSPECIFIC_CODES:
        kind, code = InvalidGrant, code or "invalid_grant"
    return kind(code or f"status {status}", body.message, tracking_id=body.tracking_id)


def _is_about_client(code: str, message: str) -> bool:
    if code not in _UNSPECIFIC_CODES:
        return code == "invalid_client"
    return any(text in message.lower() for text in _CLIENT_TEXTS)


def _code_in(message: str) -> str:
    return next((word for word in _WORD.findall(message) if word in _CODES), "")


WEBEX = platform()
"""The Webex that people work with."""
