"""Where Webex is: its origins and endpoints, and how its authorization server differs."""

import re
from dataclasses import dataclass
from urllib.parse import SplitResult

from webex_oauth.oauth.server import AuthorizationServer, ClientAuthentication
from webex_oauth.webex.error_body import TRACKING_HEADER
from webex_oauth.webex.origin import read_origin
from webex_oauth.webex.refusals import read_refusal

PRODUCTION_ORIGIN = "https://webexapis.com"
PRODUCTION_BROKER_ORIGIN = "https://idbroker.webex.com"
REGIONAL_ISSUERS = frozenset(
    f"https://idbroker-{region}.webex.com/idb"
    for region in ("ae", "au", "b-us", "ca", "eu", "in", "sg")
)
PICTURE_HOSTS = re.compile(
    r"(?:[a-z0-9-]+\.)+(?:webexcontent\.com|webex\.com|ciscospark\.com|wbx2\.com|clouddrive\.com)"
    r"|[a-z0-9]+-c62266528714497a17239ececf39e9e2\.ssl\.cf1\.rackcdn\.com"
)
"""Where Webex keeps the pictures of people; the last is its own container at a shared host."""


@dataclass(frozen=True, slots=True)
class Platform:
    """Describe one Webex, the real one or a local one."""

    origin: str
    broker_origin: str
    api_base_url: str
    server: AuthorizationServer

    @property
    def is_production(self) -> bool:
        """Tell whether this is the Webex that people work with."""
        return self.origin == PRODUCTION_ORIGIN

    def has_picture(self, url: SplitResult) -> bool:
        """Check whether *url* is of a picture that this Webex keeps."""
        if f"{url.scheme}://{url.netloc}" == self.origin:
            return True
        return url.scheme == "https" and PICTURE_HOSTS.fullmatch(url.netloc.lower()) is not None


def platform(origin: str = PRODUCTION_ORIGIN, broker_origin: str | None = None) -> Platform:
    """Describe the Webex at *origin*, whose identity broker may be elsewhere.

    A local Webex needs no *broker_origin*: its front door answers revocations too.

    Raises ConfigurationError for what is not an origin, and for http beyond loopback.
    """
    front_door = read_origin(origin)
    broker = read_origin(broker_origin or _default_broker_origin(front_door))
    return Platform(
        origin=front_door,
        broker_origin=broker,
        api_base_url=f"{front_door}/v1/",
        server=_authorization_server(front_door, broker),
    )


def _authorization_server(front_door: str, broker: str) -> AuthorizationServer:
    is_production = front_door == PRODUCTION_ORIGIN
    return AuthorizationServer(
        issuer=f"{broker}/idb",
        issuer_aliases=REGIONAL_ISSUERS if is_production else frozenset(),
        authorization_endpoint=f"{front_door}/v1/authorize",
        token_endpoint=f"{front_door}/v1/access_token",
        revocation_endpoint=_revocation_endpoint(front_door, broker),
        revocation_authentication=ClientAuthentication.BASIC,
        may_omit_token_type=True,
        tracking_header=TRACKING_HEADER,
        refusal=read_refusal,
    )


def _revocation_endpoint(front_door: str, broker: str) -> str:
    # Webex revokes at its broker alone. Where no broker is named, the front door does it.
    return f"{front_door}/v1/revoke" if broker == front_door else f"{broker}/idb/oauth2/v1/revoke"


def _default_broker_origin(front_door: str) -> str:
    return PRODUCTION_BROKER_ORIGIN if front_door == PRODUCTION_ORIGIN else front_door


WEBEX = platform()
"""The Webex that people work with."""
