"""A registration: what a client knows of the server that knows it; other processes can be told."""

from dataclasses import dataclass
from pathlib import Path

from webex_oauth.oauth.server import AuthorizationServer, Client, ClientAuthentication
from webex_oauth.secret import Secret
from webex_oauth.settings import Settings, changed
from webex_oauth.webex.platform import PRODUCTION_ORIGIN, Platform, platform

HOUR = 3600


@dataclass(frozen=True, slots=True)
class Registration:
    """Describe a server and a client of it; a Webex needs no endpoints.

    `knows_rotation` says whether it is known beforehand that refreshes spend refresh tokens.
    """

    origin: str
    client_id: str
    client_secret: str
    redirect_uri: str
    scopes: tuple[str, ...]
    is_webex: bool = False
    authorization_endpoint: str = ""
    token_endpoint: str = ""
    revocation_endpoint: str = ""
    authentication: ClientAuthentication = ClientAuthentication.POST
    sends_issuer: bool = False
    rotates_refresh_tokens: bool | None = None


def settings_of(registration: Registration, store_url: str, folder: Path) -> Settings:
    """Write the settings of an integration that keeps its keys in *folder*."""
    settings = Settings(
        client_id="C1",  # client and platform below may be such as no Webex has
        client_secret=registration.client_secret,
        redirect_uri=registration.redirect_uri,
        scopes=registration.scopes,
        origin=registration.origin if registration.is_webex else PRODUCTION_ORIGIN,
        store_url=store_url,
        keys_file=folder / "keys" / "keys",
        keeper=False,
        absolute_seconds=HOUR,
    )
    return changed(settings, client=_client(registration), platform=_platform(registration))


def _client(registration: Registration) -> Client:
    return Client(
        registration.client_id,
        Secret(registration.client_secret),
        registration.redirect_uri,
        registration.authentication,
    )


def _platform(registration: Registration) -> Platform:
    origin = registration.origin
    if registration.is_webex:
        return platform(origin)
    server = AuthorizationServer(
        issuer=origin,
        authorization_endpoint=registration.authorization_endpoint,
        token_endpoint=registration.token_endpoint,
        revocation_endpoint=registration.revocation_endpoint,
        sends_issuer=registration.sends_issuer,
        rotates_refresh_tokens=registration.rotates_refresh_tokens,
    )
    return Platform(origin, api_base_url=f"{origin}/", server=server)
