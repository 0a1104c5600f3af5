"""Integrations: the OAuth clients registered here, their scopes, and a `.env` for each."""

import hmac
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

from webex_oauth.emulator.conditions import Randomness

KMS_SCOPE = "spark:kms"
ALL_SCOPE = "spark:all"
OPENID_SCOPES = frozenset({"openid", "email", "profile", "phone", "address"})


def is_satisfied(needed: str, granted: Iterable[str]) -> bool:
    """Return whether the granted scopes allow what needs the scope *needed*."""
    names = set(granted)
    return needed in names or (ALL_SCOPE in names and needed.startswith("spark:"))


CLIENT_ID_PREFIX = "C" + b"emulator".hex()
CLIENT_SECRET_PREFIX = "emulator-"  # noqa: S105 - a mark that tells invented secrets from real ones

DEFAULT_NAME = "Local integration"
DEFAULT_REDIRECT_URI = "http://localhost:8080/oauth"
DEFAULT_SCOPES = ("spark:people_read", "spark:rooms_read", KMS_SCOPE)

_CLIENT_ID = re.compile(CLIENT_ID_PREFIX + r"[0-9a-f]{48}")
_REDIRECT_URI = re.compile(r"[a-z][a-z0-9+.-]*:[!$-;=?-Z_a-z~%\[\]]+")
_SCRIPT_SCHEMES = ("javascript:", "data:", "vbscript:", "file:")
_SCOPE = re.compile(r"[!#-\[\]-~]+")  # RFC 6749 section 3.3


@dataclass(frozen=True, slots=True)
class Integration:
    """A registered OAuth client; the first scopes and redirect URIs are its own."""

    client_id: str
    client_secret: str = field(repr=False)
    redirect_uris: tuple[str, ...] = (DEFAULT_REDIRECT_URI,)
    scopes: tuple[str, ...] = DEFAULT_SCOPES
    name: str = DEFAULT_NAME

    def is_secret(self, presented: str) -> bool:
        """Return whether *presented* is this integration's secret."""
        return hmac.compare_digest(self.client_secret.encode(), presented.encode())


def new_integration(
    randomness: Randomness,
    *,
    redirect_uris: tuple[str, ...] = (DEFAULT_REDIRECT_URI,),
    scopes: tuple[str, ...] = DEFAULT_SCOPES,
    name: str = DEFAULT_NAME,
) -> Integration:
    """Invent an integration whose id and secret carry the emulator's mark."""
    credentials = invented_credentials(randomness)
    return Integration(**credentials, redirect_uris=redirect_uris, scopes=scopes, name=name)


def invented_credentials(randomness: Randomness) -> dict[str, str]:
    """Return a client id and secret that carry the emulator's mark."""
    return {
        "client_id": CLIENT_ID_PREFIX + randomness.hex(24),
        "client_secret": CLIENT_SECRET_PREFIX + randomness.hex(32),
    }


class IntegrationRegistry:
    """The registered integrations; those that could be real are refused."""

    def __init__(self, integrations: Iterable[Integration] = ()) -> None:
        self._integration_by_client_id: dict[str, Integration] = {}
        for integration in integrations:
            self.register(integration)

    def __iter__(self) -> Iterator[Integration]:
        return iter(tuple(self._integration_by_client_id.values()))

    def register(self, integration: Integration) -> Integration:
        """Add or replace an integration; raise `ValueError` for one that is refused."""
        _check_mark(integration)
        _check_form(integration)
        self._integration_by_client_id[integration.client_id] = integration
        return integration

    def find(self, client_id: str) -> Integration | None:
        """Return the integration with this client id."""
        return self._integration_by_client_id.get(client_id)


def _check_mark(integration: Integration) -> None:
    if not is_marked(integration.client_id):
        raise ValueError(
            f"the emulator takes only client ids that are 'C' and 64 hexadecimal digits "
            f"and begin with {CLIENT_ID_PREFIX!r}: never give it a real one"
        )
    if not integration.client_secret.startswith(CLIENT_SECRET_PREFIX):
        raise ValueError(
            f"the emulator takes only client secrets that begin with {CLIENT_SECRET_PREFIX!r}: "
            f"never give it a real one"
        )


def _check_form(integration: Integration) -> None:
    if not integration.redirect_uris:
        raise ValueError("an integration needs a redirect URI")
    for redirect_uri in integration.redirect_uris:
        _check_redirect_uri(redirect_uri)
    if not integration.name.strip() or not integration.name.isprintable():
        raise ValueError(f"{integration.name!r} cannot be the name of an integration")
    for scope in integration.scopes:
        if not _SCOPE.fullmatch(scope):
            raise ValueError(f"{scope!r} cannot be a scope")


def _check_redirect_uri(redirect_uri: str) -> None:
    # RFC 6749 section 3.1.2.
    if not _REDIRECT_URI.fullmatch(redirect_uri) or redirect_uri.startswith(_SCRIPT_SCHEMES):
        raise ValueError(f"{redirect_uri!r} cannot be a redirect URI")
    try:
        parts = urlsplit(redirect_uri)
        has_host = bool(parts.hostname) and parts.port != 0
    except ValueError as cause:
        raise ValueError(f"{redirect_uri!r} cannot be a redirect URI: {cause}") from cause
    if parts.scheme in ("http", "https") and not has_host:
        raise ValueError(f"{redirect_uri!r} cannot be a redirect URI: it names no host")


def is_marked(client_id: str) -> bool:
    """Return whether a client id is one that only an emulator issues."""
    return _CLIENT_ID.fullmatch(client_id) is not None


def sample_env(integration: Integration, origin: str) -> str:
    """Return the text of a `.env` that points an application to the emulator at *origin*."""
    redirect_uri = integration.redirect_uris[0]
    parts = urlsplit(redirect_uri)
    # An application behind https has a proxy in front of it, and a port of its own.
    port = parts.port or (80 if parts.scheme == "http" else None)
    query = urlencode(
        {
            "client_id": integration.client_id,
            "response_type": "code",
            "redirect_uri": redirect_uri,
            "scope": " ".join(integration.scopes),
            "state": "set_state_here",
        },
        quote_via=quote,
    )
    lines = (
        "# For the webex-oauth emulator: an invented integration of a local Webex.",
        f"WEBEX_ORIGIN={origin}",
        f"AUTH_INIT_URL={origin}/v1/authorize?{query}",
        f"CLIENT_SECRET={integration.client_secret}",
        *((f"PORT={port}",) if port else ()),
        "# Remove the # to have each step of a sign-in written to the log:",
        "#DEBUG=oauth",
    )
    return "\n".join(lines) + "\n"


def read_sample_env(values: Mapping[str, str | None]) -> tuple[Integration, str]:
    """Return the integration and the origin of a `.env` that `sample_env` wrote.

    Raise `ValueError` unless an emulator invented its integration.
    """
    url = urlsplit(values.get("AUTH_INIT_URL") or "")
    query = dict(parse_qsl(url.query))
    integration = Integration(
        client_id=query.get("client_id", ""),
        client_secret=values.get("CLIENT_SECRET") or "",
        redirect_uris=(query.get("redirect_uri", ""),),
        scopes=tuple(query.get("scope", "").split()),
    )
    IntegrationRegistry([integration])
    return integration, f"{url.scheme}://{url.netloc}"
