"""The settings as the rest of the program knows them: judged as a whole when they are made."""

import os
from collections.abc import Iterable, Mapping
from copy import copy
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from webex_oauth.errors import ConfigurationError
from webex_oauth.oauth.server import Client
from webex_oauth.secret import Secret
from webex_oauth.settings.pages import base_of
from webex_oauth.settings.reader import ABSOLUTE_SECONDS, APP_NAME, HOST, Reader
from webex_oauth.settings.urls import loopback_port, origin_of
from webex_oauth.settings.variables import Sources, field_words, read_sources, sources_of_fields
from webex_oauth.webex.platform import DEFAULT_PORTS, PRODUCTION_ORIGIN, Platform


@dataclass(frozen=True, slots=True, init=False)
class Settings:
    """A configuration without mistakes; `warnings` are for the operator to read.

    `client` is the registered integration, `scopes` what a sign-in asks for. `keys` is the text of
    a key file; no file is read or made then. With `keep_grants` the tokens outlive the last
    session; with `keeper` those that nobody uses are kept alive. `person`, an id or an e-mail
    address, says whose grant `grants.one()` is. The application alone reads `host`, `port`,
    `workers`, `debug`, `app_name`, and `help_url`, where it sends people for help.
    """

    client: Client
    scopes: tuple[str, ...]
    platform: Platform
    store_url: str = field(repr=False)
    keys_file: Path
    keys: Secret | None
    keep_grants: bool
    keeper: bool
    idle_seconds: int
    absolute_seconds: int
    proxy: str | None = field(repr=False)
    ca_file: str | None
    person: str | None
    app_name: str
    help_url: str | None
    host: str
    port: int
    workers: int
    debug: bool
    warnings: tuple[str, ...]

    def __init__(  # noqa: PLR0913 - all but four have a default
        self,
        *,
        client_id: str,
        client_secret: Secret | str,
        redirect_uri: str,
        scopes: Iterable[str],
        origin: str = PRODUCTION_ORIGIN,
        token_origins: Iterable[str] = (),
        store_url: str | None = None,
        keys_file: str | Path | None = None,
        keys: Secret | None = None,
        keep_grants: bool = False,
        keeper: bool = True,
        idle_seconds: int | None = None,
        absolute_seconds: int = ABSOLUTE_SECONDS,
        proxy: str | None = None,
        ca_file: str | Path | None = None,
        person: str | None = None,
        app_name: str = APP_NAME,
        help_url: str | None = None,
        host: str = HOST,
        port: int | None = None,
        workers: int = 1,
        debug: bool = False,
    ) -> None:
        given = {name: value for name, value in locals().items() if name != "self"}
        reader = Reader(sources_of_fields(given))
        _set(self, reader.values())
        _set(self, {"warnings": field_words(self.warnings)})
        if reader.mistakes:
            raise ConfigurationError(field_words(reader.mistakes), self.warnings)

    @classmethod
    def from_env(
        cls,
        env_file: str | Path | None = ".env",
        environment: Mapping[str, str] | None = None,
    ) -> "Settings":
        """Return the settings of the environment and, below it, of *env_file*.

        An absent `.env` is no mistake if the environment has what is needed. Relative paths, and
        what has no path, lie beside the file if it names any setting, else in the user's data
        folder. Raises ConfigurationError with every mistake at once, each with its remedy.
        """
        environment = os.environ if environment is None else environment
        settings, mistakes = judged_settings(read_sources(env_file, environment))
        if mistakes:
            raise ConfigurationError(mistakes, settings.warnings)
        return settings

    @property
    def spool_folder(self) -> Path:
        """Where sealed tokens wait that the store did not take."""
        return self.keys_file.parent / "spool"

    @property
    def public_origin(self) -> str:
        """The origin that browsers see, taken from the registered redirect URI."""
        return origin_of(urlsplit(self.client.redirect_uri))

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
    def base_path(self) -> str:
        """The folder of the redirect URI, below which all pages are; it ends in a slash."""
        return base_of(self.callback_path)

    def path_of(self, page: str) -> str:
        """Return the path of *page*, a `PagePath`, as browsers ask for it."""
        return self.base_path + page.removeprefix("/")

    def url_of(self, page: str) -> str:
        """Return the whole address of *page*."""
        return self.public_origin + self.path_of(page)


def judged_settings(sources: Sources) -> tuple[Settings, tuple[str, ...]]:
    """Return the settings as far as *sources* has them, and every mistake in them."""
    reader, settings = Reader(sources), object.__new__(Settings)
    _set(settings, reader.values())
    return settings, tuple(reader.mistakes)


def changed(settings: Settings, **values: object) -> Settings:
    """Return *settings* with other values, which are not judged."""
    new = copy(settings)
    _set(new, values)
    return new


def port_mistakes(settings: Settings) -> tuple[str, ...]:
    """Return what is wrong if browsers come back to a port on which this server is not."""
    uri, port = settings.client.redirect_uri, settings.port
    wanted = loopback_port(uri)
    if wanted in {None, port}:
        return ()
    mistake = (
        f"the redirect URI {uri!a} is not this server, which listens on port {port}: set "
        f"PORT={wanted} or register the other port"
    )
    return (mistake,)


def _set(settings: Settings, values: Mapping[str, object]) -> None:
    for name, value in values.items():
        object.__setattr__(settings, name, value)
