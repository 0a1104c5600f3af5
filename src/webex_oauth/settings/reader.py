"""From variables to settings: every mistake is collected, each with its remedy."""

import difflib
import re
from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from urllib.parse import urlsplit

from webex_oauth.errors import ConfigurationError, KeyUnavailable
from webex_oauth.oauth.server import Client
from webex_oauth.secret import Secret
from webex_oauth.settings.names import IGNORED_ENVIRONMENT, NAMES
from webex_oauth.settings.portal import UNKNOWN_WEBEX, PortalUrl, read_portal_url
from webex_oauth.settings.storage import (
    MEMORY,
    MEMORY_IS_FOR_ONE,
    keys_of,
    store_url_remedy,
)
from webex_oauth.settings.urls import redirect_uri_remedy, split_url
from webex_oauth.settings.values import (
    ABSOLUTE_SECONDS,
    DEFAULT_HOST,
    DEFAULT_KEYS_FILE,
    DEFAULT_PORT,
    DEFAULT_STORE_URL,
    IDLE_SECONDS,
    Settings,
)
from webex_oauth.webex import scopes as webex_scopes
from webex_oauth.webex.origin import read_origin
from webex_oauth.webex.platform import WEBEX, Platform, platform

MAX_SECONDS = 90 * 86400
MAX_WORKERS = 64
YES_OR_NO = {"yes": True, "no": False}
PLACEHOLDER = re.compile(r"(?i)^(<.*>|x{3,}|\.{3}|changeme|(your|my|paste|insert)[-_ ].*|.*_here)$")
EMULATOR_SECRET_PREFIX = "emulator-"  # noqa: S105 - a mark, not a secret


def read_settings(variables: Mapping[str, str]) -> Settings:
    """Read *variables* into settings.

    Raises ConfigurationError with every mistake at once, each with its remedy.
    """
    return _Reader(variables).settings()


class _Reader:
    """Collect mistakes and warnings while the variables are read."""

    def __init__(self, variables: Mapping[str, str]) -> None:
        self._variables = {name: value.strip() for name, value in variables.items()}
        self._mistakes: list[str] = []
        self._warnings: list[str] = []
        self._portal = self._portal_url()

    def settings(self) -> Settings:
        self._warn_of_what_is_ignored()
        port = self._whole_number("PORT", DEFAULT_PORT, 1, 65535)
        client = Client(
            client_id=self._client_id(),
            client_secret=self._client_secret(),
            redirect_uri=self._redirect_uri(port),
        )
        settings = Settings(
            client=client,
            scopes=self._scopes(),
            platform=self._platform(client),
            host=self._value("WEBEX_HOST") or DEFAULT_HOST,
            port=port,
            workers=self._whole_number("WEBEX_WORKERS", 1, 1, MAX_WORKERS),
            store_url=self._store_url(),
            keys_file=Path(self._value("WEBEX_KEYS_FILE") or DEFAULT_KEYS_FILE),
            keys_text=self._keys_text(),
            keeps_grants=self._yes_or_no("WEBEX_KEEP_GRANTS", default=False),
            runs_keeper=self._yes_or_no("WEBEX_KEEPER", default=True),
            idle_seconds=self._whole_number("WEBEX_IDLE_SECONDS", IDLE_SECONDS, 60, MAX_SECONDS),
            absolute_seconds=self._whole_number(
                "WEBEX_ABSOLUTE_SECONDS", ABSOLUTE_SECONDS, 60, MAX_SECONDS
            ),
            is_debugging=self._is_debugging(),
            proxy=self._proxy(),
            ca_file=self._ca_file(),
            warnings=tuple(self._warnings),
        )
        self._check_workers(settings)
        if self._mistakes:
            raise ConfigurationError(self._mistakes, self._warnings)
        return settings

    def _value(self, name: str) -> str:
        return self._variables.get(name, "")

    def _portal_url(self) -> PortalUrl:
        text = self._value("AUTH_INIT_URL")
        portal = read_portal_url(text) if text else PortalUrl()
        self._mistakes.extend(portal.mistakes)
        self._warnings.extend(portal.warnings)
        return portal

    def _from_portal_or(self, name: str, field: str, named: str | None = None) -> str:
        """Take the named variable or the portal URL's field; both must agree.

        *named* is the variable's value in the spelling that the portal URL's has.
        """
        named = self._value(name) if named is None else named
        copied = self._portal.fields.get(field, "")
        if named and copied and named != copied:
            self._mistakes.append(
                f"{name} and the {field} in AUTH_INIT_URL differ: keep the one that is registered"
            )
        return named or copied

    def _client_id(self) -> str:
        client_id = self._from_portal_or("WEBEX_CLIENT_ID", "client_id")
        if not client_id:
            self._mistakes.append(
                "no client id: set AUTH_INIT_URL to the 'OAuth Authorization URL' that the "
                "Developer Portal shows for your integration (or set WEBEX_CLIENT_ID)"
            )
        elif PLACEHOLDER.fullmatch(client_id):
            self._mistakes.append("the client id is a placeholder: put your integration's own")
        return client_id

    def _client_secret(self) -> Secret:
        secret = self._value("CLIENT_SECRET") or self._secret_from_file()
        if secret is None:
            return Secret("")
        if not secret:
            self._mistakes.append(
                "CLIENT_SECRET is missing: the Developer Portal shows it once, when the "
                "integration is created; 'Regenerate' there makes a new one"
            )
        elif PLACEHOLDER.fullmatch(secret):
            self._mistakes.append("CLIENT_SECRET is a placeholder: put your integration's own")
        return Secret(secret)

    def _secret_from_file(self) -> str | None:
        """Read the secret's file; None when it cannot be read, which is told at once."""
        path = self._value("CLIENT_SECRET_FILE")
        if not path:
            return ""
        try:
            return Path(path).read_text(encoding="utf-8").strip()
        except (OSError, ValueError):
            self._mistakes.append("CLIENT_SECRET_FILE cannot be read: check its path and rights")
            return None

    def _redirect_uri(self, port: int) -> str:
        redirect_uri = self._from_portal_or("WEBEX_REDIRECT_URI", "redirect_uri")
        if not redirect_uri:
            self._mistakes.append(
                "no redirect URI: AUTH_INIT_URL carries it, or set WEBEX_REDIRECT_URI to the one "
                f"that is registered, for example http://localhost:{port}/oauth"
            )
            return redirect_uri
        remedy = redirect_uri_remedy(redirect_uri, port)
        if remedy:
            self._mistakes.append(f"the redirect URI {_shown(redirect_uri)} {remedy}")
        return redirect_uri

    def _scopes(self) -> tuple[str, ...]:
        named = self._value("WEBEX_SCOPES") or self._portal.fields.get("scope", "")
        scopes = tuple(dict.fromkeys(named.split()))
        if not scopes:
            self._mistakes.append(
                "no scopes: AUTH_INIT_URL carries them, or set WEBEX_SCOPES, for example to "
                "'spark:people_read spark:rooms_read'"
            )
        for scope in scopes:
            if not webex_scopes.is_known(scope):
                self._warnings.append(_unknown_scope(scope))
        return scopes

    def _platform(self, client: Client) -> Platform:
        origin = self._from_portal_or("WEBEX_ORIGIN", "origin", self._named_origin())
        try:
            chosen = platform(origin or WEBEX.origin, authorization_query=self._portal.query)
        except ConfigurationError as error:
            self._mistakes.extend(error.mistakes)
            return WEBEX
        if not (chosen.is_production or chosen.is_local):
            self._warnings.append(f"{chosen.origin} {UNKNOWN_WEBEX}")
        self._check_worlds(client, chosen)
        return chosen

    def _named_origin(self) -> str:
        named = self._value("WEBEX_ORIGIN")
        try:
            return read_origin(named) if named else ""
        except ConfigurationError:
            self._mistakes.append(
                f"WEBEX_ORIGIN {_shown(named)} is not an origin such as https://webexapis.com, or "
                "http:// on localhost for the emulator"
            )
            return ""

    def _check_worlds(self, client: Client, chosen: Platform) -> None:
        """Keep the emulator and the real Webex apart."""
        is_emulators = client.client_secret.reveal().startswith(EMULATOR_SECRET_PREFIX)
        if is_emulators and not chosen.is_local:
            self._mistakes.append(
                "CLIENT_SECRET is the emulator's: put the one of your registered integration"
            )
        if chosen.is_local and urlsplit(client.redirect_uri).scheme == "https":
            self._mistakes.append(
                f"{chosen.origin} is a local Webex but the redirect URI is public: an application "
                "for real people must use https://webexapis.com"
            )

    def _store_url(self) -> str:
        url = self._value("WEBEX_STORE_URL") or DEFAULT_STORE_URL
        remedy = store_url_remedy(url)
        if remedy:
            self._mistakes.append(remedy)
        return url

    def _keys_text(self) -> Secret | None:
        text = self._value("WEBEX_KEYS")
        if not text:
            return None
        if self._value("WEBEX_KEYS_FILE"):
            self._mistakes.append("WEBEX_KEYS and WEBEX_KEYS_FILE are both set: keep one of them")
        try:
            return keys_of(text)
        except KeyUnavailable as error:
            self._mistakes.append(str(error))
            return None

    def _proxy(self) -> str | None:
        proxy = self._value("WEBEX_PROXY")
        parts = split_url(proxy)
        if proxy and (parts is None or parts.scheme != "http" or not parts.hostname):
            self._mistakes.append("WEBEX_PROXY must be a URL such as http://proxy.example:3128")
        return proxy or None

    def _ca_file(self) -> str | None:
        path = self._value("WEBEX_CA_FILE")
        if path and not Path(path).is_file():
            self._mistakes.append("WEBEX_CA_FILE is not a file: name a PEM file of authorities")
        return path or None

    def _whole_number(self, name: str, default: int, lowest: int, highest: int) -> int:
        text = self._value(name)
        if not text:
            return default
        if not re.fullmatch(r"[0-9]{1,9}", text) or not lowest <= int(text) <= highest:
            self._mistakes.append(f"{name} must be a whole number from {lowest} to {highest}")
            return default
        return int(text)

    def _yes_or_no(self, name: str, *, default: bool) -> bool:
        text = self._value(name).lower()
        if text and text not in YES_OR_NO:
            self._mistakes.append(f"{name} must be yes or no")
        return YES_OR_NO.get(text, default)

    def _is_debugging(self) -> bool:
        """Read DEBUG as Node's `debug` does: names and patterns, such as oauth*."""
        patterns = re.split(r"[\s,]+", self._value("DEBUG"))
        return any(fnmatchcase("oauth", pattern) for pattern in patterns)

    def _check_workers(self, settings: Settings) -> None:
        if settings.workers > 1 and settings.store_url == MEMORY:
            self._mistakes.append(MEMORY_IS_FOR_ONE)

    def _warn_of_what_is_ignored(self) -> None:
        if self._value("STATE"):
            self._warnings.append(
                "STATE is ignored: a state that never changes protects nobody, because whoever "
                "has seen it once can forge a callback; every sign-in gets its own"
            )
        for name in IGNORED_ENVIRONMENT:
            if self._value(name) or self._value(name.lower()):
                self._warnings.append(
                    f"{name} is ignored: set WEBEX_PROXY or WEBEX_CA_FILE if you mean it"
                )
        for name in self._variables:
            if name.startswith("WEBEX_") and name not in NAMES:
                self._warnings.append(f"{name} is not a setting{_suggestion(name, NAMES)}")


def _unknown_scope(scope: str) -> str:
    suggestion = _suggestion(scope, webex_scopes.SCOPES)
    return (
        f"the scope {_shown(scope)} is not in the catalogue{suggestion}: Webex refuses a sign-in "
        "whose scopes are not registered on the integration"
    )


def _suggestion(name: str, known: Iterable[str]) -> str:
    nearest = difflib.get_close_matches(name, list(known), n=1)
    return f"; did you mean {nearest[0]}?" if nearest else ""


def _shown(text: str) -> str:
    return ascii(text[:200])
