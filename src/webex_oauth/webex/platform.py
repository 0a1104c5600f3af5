"""Where Webex is: its origins and endpoints, and how its authorization server differs."""

import re
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from webex_oauth.errors import ConfigurationError
from webex_oauth.oauth.server import AuthorizationServer, ClientAuthentication
from webex_oauth.webex.origin import is_loopback_host, read_origin
from webex_oauth.webex.refusals import TRACKING_HEADER, read_refusal

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


@dataclass(frozen=True, slots=True)
class Platform:
    """One Webex: the real one, a local one, or another of which less is known.

    `server.revocation_endpoint` is None where it is not known.
    """

    origin: str
    api_base_url: str
    server: AuthorizationServer

    @property
    def is_production(self) -> bool:
        """Whether this is the Webex that most people work with."""
        return self.origin == PRODUCTION_ORIGIN

    @property
    def is_local(self) -> bool:
        """Whether this is a Webex on this machine, whose people are invented."""
        return _is_local(self.origin)

    def has_picture(self, url: SplitResult) -> bool:
        """Check whether *url* is of a picture that this Webex keeps."""
        if f"{url.scheme}://{url.netloc}" == self.origin:
            return True
        return url.scheme == "https" and PICTURE_HOSTS.fullmatch(url.netloc.lower()) is not None

    @property
    def host(self) -> str:
        """The host by which people know it, with its port where that is not the usual one."""
        return urlsplit(self.origin).netloc


def platform(
    origin: str = PRODUCTION_ORIGIN,
    broker_origin: str | None = None,
    *,
    authorization_query: str = "",
) -> Platform:
    """Describe the Webex at *origin*, whose identity broker may be elsewhere.

    A local Webex needs no *broker_origin*: its front door answers revocations too. Without one,
    where another Webex revokes tokens is not known, and is not guessed. *authorization_query* is
    what every sign-in asks for besides, as a query.

    Raises ConfigurationError for what is not an origin, for http beyond loopback, and for Webex's
    identity broker as *origin*.
    """
    front_door = read_origin(origin)
    if front_door in BROKER_ORIGINS:
        raise ConfigurationError(
            [f"{front_door} is Webex's identity broker: name its front door, {PRODUCTION_ORIGIN}"]
        )
    broker = read_origin(broker_origin) if broker_origin else _known_broker(front_door)
    server = _authorization_server(front_door, broker, authorization_query)
    return Platform(front_door, f"{front_door}/v1/", server)


def _known_broker(front_door: str) -> str | None:
    if front_door == PRODUCTION_ORIGIN:
        return PRODUCTION_BROKER_ORIGIN
    return front_door if _is_local(front_door) else None


def _is_local(origin: str) -> bool:
    return is_loopback_host(urlsplit(origin).hostname or "")


def _authorization_server(front_door: str, broker: str | None, query: str) -> AuthorizationServer:
    endpoint = f"{front_door}/v1/authorize"
    return AuthorizationServer(
        issuer=f"{broker or front_door}/idb",
        issuer_aliases=REGIONAL_ISSUERS if front_door == PRODUCTION_ORIGIN else frozenset(),
        authorization_endpoint=f"{endpoint}?{query}" if query else endpoint,
        token_endpoint=f"{front_door}/v1/access_token",
        revocation_endpoint=_revocation_endpoint(front_door, broker),
        revocation_authentication=ClientAuthentication.BASIC,
        may_omit_token_type=True,
        tracking_header=TRACKING_HEADER,
        refusal=read_refusal,
    )


def _revocation_endpoint(front_door: str, broker: str | None) -> str | None:
    if broker is None:
        return None
    # Webex revokes at its broker alone, a local Webex at its front door too.
    return f"{front_door}/v1/revoke" if broker == front_door else f"{broker}/idb/oauth2/v1/revoke"


WEBEX = platform()
"""The Webex that people work with."""
