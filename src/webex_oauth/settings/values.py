"""The settings as the rest of the program knows them."""

from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from webex_oauth.oauth.server import Client
from webex_oauth.settings.urls import origin_of
from webex_oauth.webex.platform import Platform

DEFAULT_HOST = "127.0.0.1"
DEFAULT_PORT = 8080
DEFAULT_STORE_URL = "sqlite:///.webex-oauth/vault.sqlite"
DEFAULT_KEYS_FILE = ".webex-oauth/keys"
IDLE_SECONDS = 8 * 3600
ABSOLUTE_SECONDS = 7 * 86400


@dataclass(frozen=True, slots=True)
class Settings:
    """A configuration without mistakes; `warnings` are for the operator to read.

    `client` is the registered integration, `scopes` what a sign-in asks for, `host` and `port`
    where the server listens.
    """

    client: Client
    scopes: tuple[str, ...]
    platform: Platform
    host: str
    port: int
    store_url: str
    keys_file: Path
    idle_seconds: int
    absolute_seconds: int
    is_debugging: bool
    proxy: str | None = field(repr=False)
    ca_file: str | None
    warnings: tuple[str, ...]

    @property
    def public_origin(self) -> str:
        """The origin that browsers see, taken from the registered redirect URI."""
        return origin_of(urlsplit(self.client.redirect_uri))

    @property
    def public_host(self) -> str:
        """The only Host header that is answered."""
        return urlsplit(self.public_origin).netloc

    @property
    def callback_path(self) -> str:
        """The path of the registered redirect URI."""
        return urlsplit(self.client.redirect_uri).path

    @property
    def is_https(self) -> bool:
        """Whether browsers reach this application over TLS."""
        return self.client.redirect_uri.startswith("https://")
