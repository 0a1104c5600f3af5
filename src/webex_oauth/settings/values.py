"""The settings as the rest of the program knows them, and where they let things be kept."""

import re
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import parse_qsl, urlsplit

from webex_oauth.oauth.server import Client
from webex_oauth.secret import Secret
from webex_oauth.settings.names import SQLITE
from webex_oauth.settings.urls import origin_of, split_url
from webex_oauth.webex.platform import DEFAULT_PORTS, Platform, is_loopback_host

DEFAULT_PORT: Final = 8080
APP_NAME: Final = "webex-oauth"
MEMORY: Final = "memory:"
STORE_URL_REMEDY: Final = (
    "WEBEX_STORE_URL must be sqlite:///PATH (four slashes for an absolute path), "
    "postgresql://USER:PASSWORD@HOST/DATABASE, redis://:PASSWORD@HOST (rediss:// for TLS), or "
    "memory: to forget everything at exit"
)
STORE_URL: Final = re.compile(r"memory:|sqlite:///.+|postgresql://.+|rediss?://.+")
CREDENTIALS: Final = re.compile(r"(?<=://)([^:/?#@]*):.*@", re.DOTALL)
SECRET_FIELD: Final = re.compile(r"(?i)(?<=[?&])([^=&]*(?:pass|secret|token)[^=&]*)=[^&#]*")


@dataclass(frozen=True, slots=True)
class Settings:
    """A configuration without mistakes; `warnings` are for the operator to read.

    `client` is the registered integration, `scopes` what a sign-in asks for, `host` and `port`
    where the server listens. `keys_text` is the text of a key file that stands in the environment
    instead; no file is read or made then. With `keeps_grants` the tokens outlive the last session.
    Pages call the application `app_name`, and send people to `help_url` for help.
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
    app_name: str = APP_NAME
    help_url: str | None = None

    @property
    def shown_store_url(self) -> str:
        """The store's URL without its password."""
        return without_password(self.store_url)

    @property
    def spool_folder(self) -> Path:
        """Where sealed tokens wait that the store did not take."""
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


def without_password(url: str) -> str:
    """Return a URL in which every secret is hidden."""
    return SECRET_FIELD.sub(r"\1=***", CREDENTIALS.sub(r"\1:***@", url))


def store_url_remedy(url: str) -> str | None:
    """Return what is wrong with a store's URL; it may hold a password and is not repeated."""
    if split_url(url) is None or not STORE_URL.fullmatch(url):
        return STORE_URL_REMEDY
    if url.startswith(SQLITE):
        return file_remedy("WEBEX_STORE_URL", Path(url.removeprefix(SQLITE)))
    return None


def file_remedy(name: str, path: Path) -> str | None:
    """Return what to do if the setting *name* leads to a folder and not to a file."""
    with suppress(OSError):  # a path that cannot be inspected is reported when it is opened
        if path.is_dir():
            return f"{name} leads to a folder, {path}: name a file in it"
    return None


def store_url_doubt(url: str) -> str | None:
    """Return a warning if what is kept would travel to another machine in the clear."""
    parts = split_url(url)
    if parts is None or parts.scheme not in {"postgresql", "redis"}:
        return None
    fields = dict(parse_qsl(parts.query))
    named = (parts.netloc.rpartition("@")[2], fields.get("host", ""), fields.get("hostaddr", ""))
    if all(_is_on_this_machine(host) for host in ",".join(named).split(",")):
        return None
    if parts.scheme == "redis":
        return (
            "WEBEX_STORE_URL leads to another machine without TLS, password and all: use rediss://"
        )
    if fields.get("sslmode") in {"verify-full", "verify-ca"}:
        return None
    return (
        "WEBEX_STORE_URL leads to another machine and does not check who answers there: add "
        "?sslmode=verify-full"
    )


def _is_on_this_machine(host: str) -> bool:
    name = host.rpartition(":")[0] if not host.endswith("]") and ":" in host else host
    return not name or name.startswith(("/", "%2F")) or is_loopback_host(name.strip("[]"))


def one_folder_doubt(store_url: str, keys_file: Path) -> str | None:
    """Return a warning if one copy of a folder has both the store and its keys."""
    folder = Path(store_url.removeprefix(SQLITE)).parent
    if keys_file.parent != folder:
        return None
    return (
        f"store and keys lie in one folder, {folder}, so that one copy of it has both: set "
        "WEBEX_KEYS_FILE to a folder of its own that backups leave out"
    )
