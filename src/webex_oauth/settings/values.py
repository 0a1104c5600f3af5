"""The settings as the rest of the program knows them."""

from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from webex_oauth.oauth.server import Client
from webex_oauth.secret import Secret
from webex_oauth.settings.storage import without_password
from webex_oauth.settings.urls import origin_of
from webex_oauth.webex.origin import DEFAULT_PORTS
from webex_oauth.webex.platform import Platform

DEFAULT_HOST = "127.0.0.1"
DEFAULT_PORT = 8080
STORE_NAME = "vault.sqlite"
KEYS_NAME = "keys"
IDLE_SECONDS = 8 * 3600
ABSOLUTE_SECONDS = 7 * 86400


@dataclass(frozen=True, slots=True)
class Settings:
    """A configuration without mistakes; `warnings` are for the operator to read.

    `client` is the registered integration, `scopes` what a sign-in asks for, `host` and `port`
    where the server listens. `keys_text` is the text of a key file that stands in the environment
    instead; no file is read or made then. With `keeps_grants` the tokens outlive the last session.
    """

    client: Client
    scopes: tuple[str, ...]
    platform: Platform
    host: str
    port: int
    workers: int
    store_url: str = field(repr=False)
    keys_file: Path
    keys_text: Secret | None
    keeps_grants: bool
    runs_keeper: bool
    idle_seconds: int
    absolute_seconds: int
    is_debugging: bool
    proxy: str | None = field(repr=False)
    ca_file: str | None
    warnings: tuple[str, ...]

    @property
    def shown_store_url(self) -> str:
        """The store's URL for people's eyes: without its password."""
        return without_password(self.store_url)

    @property
    def spool_folder(self) -> Path:
        """Where tokens wait, sealed, that the store would not take."""
        return self.keys_file.parent / "spool"

    @property
    def public_origin(self) -> str:
        """The origin that browsers see, taken from the registered redirect URI."""
        return origin_of(urlsplit(self.client.redirect_uri))

    @property
    def public_host(self) -> str:
        """The Host header that browsers send."""
        return urlsplit(self.public_origin).netloc

    @property
    def public_hosts(self) -> frozenset[str]:
        """The Host headers that are answered: with and without the scheme's own port."""
        parts = urlsplit(self.public_origin)
        with_port = parts.netloc if parts.port else f"{parts.netloc}:{DEFAULT_PORTS[parts.scheme]}"
        return frozenset({parts.netloc, with_port})

    @property
    def callback_path(self) -> str:
        """The path of the registered redirect URI."""
        return urlsplit(self.client.redirect_uri).path

    @property
    def is_https(self) -> bool:
        """Whether browsers reach this application over TLS."""
        return urlsplit(self.client.redirect_uri).scheme == "https"
