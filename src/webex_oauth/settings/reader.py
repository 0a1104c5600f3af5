"""Settings read from variables: every mistake is collected, each with its remedy."""

import re
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from msgspec.structs import replace

from webex_oauth.errors import ConfigurationError, KeyUnavailable
from webex_oauth.oauth.server import Client
from webex_oauth.secret import Secret
from webex_oauth.settings import urls
from webex_oauth.settings.collector import Collector
from webex_oauth.settings.names import (
    EMULATOR_PREFIX,
    SQLITE,
    cleaned,
    client_id_remedy,
    client_secret_remedy,
    credentials_doubt,
    suggestion,
)
from webex_oauth.settings.places import (
    MEMORY,
    file_remedy,
    one_folder_doubt,
    store_url_doubt,
    store_url_remedy,
)
from webex_oauth.settings.variables import USUAL_FILE, Sources
from webex_oauth.vault.private_files import exposure
from webex_oauth.webex import scopes as webex_scopes
from webex_oauth.webex.platform import WEBEX, Platform, platform, read_origin

HOST: Final = "127.0.0.1"
DEFAULT_PORT: Final = 8080
APP_NAME: Final = "webex-oauth"
IDLE_SECONDS: Final = 8 * 3600
ABSOLUTE_SECONDS: Final = 7 * 86400
MAX_SECONDS: Final = 90 * 86400
MAX_WORKERS: Final = 64
MAX_NAME_CHARACTERS: Final = 60


class Reader(Collector):
    """The variables, read one after the other and judged together."""

    def __init__(self, sources: Sources) -> None:
        super().__init__(sources)
        self._sources = sources
        text = self.value("AUTH_INIT_URL")
        self._portal = urls.read_portal_url(text) if text else urls.PortalUrl()
        self.mistakes += self._portal.mistakes
        self.warnings += self._portal.warnings

    def values(self) -> dict[str, Any]:
        """Return the fields of the settings, as far as the variables have them."""
        self.warn_of_ignored_names()
        client = self._client()
        port = urls.loopback_port(client.redirect_uri) or DEFAULT_PORT
        host = urls.loopback_address(client.redirect_uri) or HOST
        idle_seconds, absolute_seconds = self._lifetimes()
        values: dict[str, Any] = {
            "client": client,
            "scopes": self._scopes(),
            "platform": self._platform(client),
            "store_url": self._store_url(),
            "keys_file": self._keys_file(),
            "keys": self._keys(),
            "keep_grants": self.yes_or_no("WEBEX_KEEP_GRANTS", default=False),
            "keeper": self.yes_or_no("WEBEX_KEEPER", default=True),
            "idle_seconds": idle_seconds,
            "absolute_seconds": absolute_seconds,
            "proxy": self.checked("WEBEX_PROXY", urls.proxy_remedy) or None,
            "ca_file": self.checked("WEBEX_CA_FILE", _ca_file_remedy) or None,
            "person": self.value("WEBEX_PERSON") or None,
            "app_name": self.checked("WEBEX_APP_NAME", _app_name_remedy) or APP_NAME,
            "help_url": urls.help_url(self.checked("WEBEX_HELP", _help_remedy)),
            "host": self.value("WEBEX_HOST") or host,
            "port": self.whole_number("PORT", port, 1, 65535),
            "workers": self.whole_number("WEBEX_WORKERS", 1, 1, MAX_WORKERS),
            "debug": self._is_debugging(),
        }
        self._judge_together(values)
        return values | {"warnings": tuple(self.warnings)}

    def _judge_together(self, values: dict[str, Any]) -> None:
        if values["workers"] > 1 and values["store_url"] == MEMORY:
            self.mistakes.append(
                "WEBEX_STORE_URL is memory:, which each process has for itself: set WEBEX_WORKERS "
                "to 1, or choose a store that processes share"
            )
        if not self.mistakes and values["keys"] is None:
            is_https = urlsplit(values["client"].redirect_uri).scheme == "https"
            self.warn(
                one_folder_doubt(values["store_url"], values["keys_file"]) if is_https else None
            )
        absent = self._sources.absent
        if absent is not None and (self.mistakes or absent.name != USUAL_FILE):
            self.mistakes.insert(0, f"{absent} does not exist: check the path of the file")

    def _from_portal_or(self, name: str, field: str, named: str | None = None) -> str:
        """Return the variable *name* or the portal URL's *field*; both must agree.

        *named* is the variable's value, if it has to be spelled as in the portal URL.
        """
        named = self.value(name) if named is None else named
        copied = self._portal.fields.get(field, "")
        if named and copied and named != copied:
            self.mistakes.append(
                f"{name} and the {field} in AUTH_INIT_URL differ: keep the one that is registered"
            )
        return named or copied

    def _client(self) -> Client:
        client_id = self._from_portal_or("WEBEX_CLIENT_ID", "client_id")
        self.add(client_id_remedy(client_id))
        secret = self._client_secret()
        if secret is not None:
            self.add(client_secret_remedy(secret, client_id))
        return Client(client_id, Secret(secret or ""), self._redirect_uri())

    def _client_secret(self) -> str | None:
        """Return the secret; None if its file cannot be read, which is a mistake."""
        secret, path = self.value("CLIENT_SECRET"), self.value("CLIENT_SECRET_FILE")
        if secret and path:
            self.add("CLIENT_SECRET and CLIENT_SECRET_FILE are both set: keep one of them")
        if secret or not path:
            return secret
        return self._secret_from_file(Path(path))

    def _secret_from_file(self, path: Path) -> str | None:
        try:
            text = path.read_text(encoding="utf-8-sig")
            self.warn(exposure(path))
        except OSError as error:
            self.add(f"CLIENT_SECRET_FILE cannot be read ({error.strerror}): check path and rights")
            return None
        except ValueError:
            self.add("CLIENT_SECRET_FILE cannot be read (not text): check its path and content")
            return None
        secret, mistakes = cleaned("CLIENT_SECRET", text)
        self.mistakes.extend(mistake.replace(" ", "_FILE ", 1) for mistake in mistakes)
        return secret

    def _redirect_uri(self) -> str:
        redirect_uri = self._from_portal_or("WEBEX_REDIRECT_URI", "redirect_uri")
        if not redirect_uri:
            self.mistakes.append(
                "no redirect URI: AUTH_INIT_URL carries it, or set WEBEX_REDIRECT_URI to the one "
                f"that is registered, for example http://localhost:{DEFAULT_PORT}/oauth"
            )
            return redirect_uri
        remedy = urls.redirect_uri_remedy(redirect_uri)
        if remedy:
            self.mistakes.append(f"the redirect URI {_shown(redirect_uri)} {remedy}")
        return redirect_uri

    def _scopes(self) -> tuple[str, ...]:
        named, copied = self.value("WEBEX_SCOPES"), self._portal.fields.get("scope", "")
        if named and copied and set(named.split()) != set(copied.split()):
            self.warn(
                "WEBEX_SCOPES replaces the scopes in AUTH_INIT_URL, which are others: remove it "
                "unless you mean it; Webex refuses scopes that are not registered"
            )
        scopes = tuple(dict.fromkeys((named or copied).split()))
        if not scopes:
            self.mistakes.append(
                "no scopes: AUTH_INIT_URL carries them, or set WEBEX_SCOPES, for example to "
                "'spark:people_read spark:rooms_read'"
            )
        for scope in scopes:
            if scope not in webex_scopes.SCOPES:
                self.warnings.append(_unknown_scope(scope))
        return scopes

    def _platform(self, client: Client) -> Platform:
        origin = self._from_portal_or("WEBEX_ORIGIN", "origin", self._named_origin())
        try:
            chosen = platform(origin or WEBEX.origin, authorization_query=self._portal.query)
        except ConfigurationError as error:
            self.mistakes.extend(error.mistakes)
            return WEBEX
        if not (chosen.is_production or chosen.is_local):
            self.warnings.append(
                f"{chosen.origin} is a Webex that this program does not know. The client secret "
                "and people's tokens go there: make sure that it is right. Where it revokes tokens "
                "is unknown: a sign-out forgets them here, and they end by themselves there"
            )
        chosen = replace(chosen, token_origins=frozenset(self._token_origins()))
        self._check_worlds(client, chosen)
        if not self.mistakes and not chosen.is_local:
            self.warn(credentials_doubt(client.client_id, client.client_secret.reveal()))
        return chosen

    def _token_origins(self) -> Iterator[str]:
        for word in self.value("WEBEX_TOKEN_ORIGINS").split():
            try:
                yield read_origin(word)
            except ConfigurationError as error:
                self.mistakes.extend(f"WEBEX_TOKEN_ORIGINS: {one}" for one in error.mistakes)
            else:
                self.warnings.append(
                    f"WEBEX_TOKEN_ORIGINS lets people's tokens go to {word} too: make sure that "
                    "it is Webex's"
                )

    def _named_origin(self) -> str:
        named = self.value("WEBEX_ORIGIN")
        try:
            return read_origin(named) if named else ""
        except ConfigurationError:
            self.mistakes.append(
                f"WEBEX_ORIGIN {_shown(named)} is not an origin such as https://webexapis.com, or "
                "http:// on localhost for the emulator"
            )
            return ""

    def _check_worlds(self, client: Client, chosen: Platform) -> None:
        """Check that the emulator and the real Webex are kept apart."""
        is_emulators = client.client_secret.reveal().startswith(EMULATOR_PREFIX)
        if is_emulators and not chosen.is_local:
            self.mistakes.append(
                "CLIENT_SECRET is the emulator's: put the one of your registered integration"
            )
        if chosen.is_local and not urls.is_loopback(urlsplit(client.redirect_uri)):
            self.mistakes.append(
                f"{chosen.origin} is a local Webex but the redirect URI is public: an application "
                "for real people must use https://webexapis.com"
            )

    def _store_url(self) -> str:
        url = self.value("WEBEX_STORE_URL")
        if not url:
            return f"{SQLITE}{self._sources.folder / 'vault.sqlite'}"
        self.add(store_url_remedy(url))
        self.warn(store_url_doubt(url))
        return url

    def _keys_file(self) -> Path:
        path = Path(self.value("WEBEX_KEYS_FILE") or self._sources.folder / "keys")
        self.add(file_remedy("WEBEX_KEYS_FILE", path))
        return path

    def _lifetimes(self) -> tuple[int, int]:
        """Return how long a session may be idle, and how long it may last."""
        absolute = self.whole_number("WEBEX_ABSOLUTE_SECONDS", ABSOLUTE_SECONDS, 60, MAX_SECONDS)
        idle = self.whole_number("WEBEX_IDLE_SECONDS", IDLE_SECONDS, 60, MAX_SECONDS)
        if idle > absolute and self.value("WEBEX_IDLE_SECONDS"):
            self.add(
                f"WEBEX_IDLE_SECONDS is longer than a session lives: {absolute} at most, or raise "
                "WEBEX_ABSOLUTE_SECONDS"
            )
        return min(idle, absolute), absolute

    def _keys(self) -> Secret | None:
        text = self.value("WEBEX_KEYS")
        if not text:
            return None
        if self.value("WEBEX_KEYS_FILE"):
            self.mistakes.append("WEBEX_KEYS and WEBEX_KEYS_FILE are both set: keep one of them")
        try:
            return _keys_in(text)
        except KeyUnavailable as error:
            self.mistakes.append(str(error))
            return Secret(text)

    def _is_debugging(self) -> bool:
        """Return whether DEBUG names oauth, with patterns such as oauth* as in Node's `debug`."""
        patterns = re.split(r"[\s,]+", self.value("DEBUG"))
        return any(fnmatchcase("oauth", pattern) for pattern in patterns)


def _ca_file_remedy(path: str) -> str | None:
    if Path(path).is_file():
        return None
    return "WEBEX_CA_FILE is not a file: name a PEM file of authorities"


def _app_name_remedy(name: str) -> str | None:
    if len(name) <= MAX_NAME_CHARACTERS and name.isprintable():
        return None
    return f"WEBEX_APP_NAME is not one line of {MAX_NAME_CHARACTERS} characters: shorten it"


def _help_remedy(text: str) -> str | None:
    if urls.help_url(text) is not None:
        return None
    return (
        "WEBEX_HELP is neither a URL nor an e-mail address: set it to one such as "
        "https://help.example.com or help@example.com"
    )


def _keys_in(text: str) -> Secret:
    """Return the text of a key file from keys that each end in a comma or a line end.

    Raises KeyUnavailable.
    """
    # Most commands, and most settings, have nothing to do with keys and what they need.
    from webex_oauth.vault.key_file import read_keys  # noqa: PLC0415

    lines = "".join(f"{line.strip()}\n" for line in re.split(r"[,\n]", text))
    read_keys(lines, "WEBEX_KEYS")
    return Secret(lines)


def _unknown_scope(scope: str) -> str:
    guess = suggestion(scope, webex_scopes.SCOPES)
    return (
        f"the scope {_shown(scope)} is not in the catalogue{guess}: Webex refuses a sign-in "
        "whose scopes are not registered on the integration"
    )


def _shown(text: str) -> str:
    return ascii(text[:200])
