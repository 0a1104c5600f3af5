"""Integrations: the OAuth clients that are registered with the local Webex."""

import hmac
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from webex_oauth.emulator.identity.scopes import KMS_SCOPE
from webex_oauth.emulator.randomness import Randomness

CLIENT_ID_PREFIX = "C" + b"emulator".hex()
CLIENT_SECRET_PREFIX = "emulator-"  # noqa: S105 - a mark that tells invented secrets from real ones

DEFAULT_REDIRECT_URI = "http://localhost:8080/oauth"
DEFAULT_SCOPES = (
    "spark:people_read",
    "spark:rooms_read",
    "spark:memberships_read",
    "spark:messages_read",
    KMS_SCOPE,
)

_CLIENT_ID = re.compile(r"C[0-9a-f]{64}")
_REDIRECT_URI = re.compile(r"[a-z][a-z0-9+.-]*:[!$-;=?-Z_a-z~%\[\]]+")
_SCRIPT_SCHEMES = ("javascript:", "data:", "vbscript:", "file:")
_SCOPE = re.compile(r"[!#-\[\]-~]+")  # RFC 6749 section 3.3


class MalformedIntegration(ValueError):
    """A registration that Webex would not take."""


class ForeignIntegration(ValueError):
    """A registration that does not carry the emulator's mark, so that it could be a real one."""


@dataclass(frozen=True, slots=True)
class Integration:
    """A registered OAuth client; the first scopes and redirect URIs are its own."""

    client_id: str
    client_secret: str = field(repr=False)
    redirect_uris: tuple[str, ...] = (DEFAULT_REDIRECT_URI,)
    scopes: tuple[str, ...] = DEFAULT_SCOPES
    name: str = "Local integration"

    def is_secret(self, presented: Iterable[str]) -> bool:
        """Tell whether one of the presented readings of a secret is this integration's."""
        expected = self.client_secret.encode()
        matches = [hmac.compare_digest(expected, one.encode()) for one in presented]
        return any(matches)


def new_integration(
    randomness: Randomness,
    *,
    redirect_uris: tuple[str, ...] = (DEFAULT_REDIRECT_URI,),
    scopes: tuple[str, ...] = DEFAULT_SCOPES,
    name: str = "Local integration",
) -> Integration:
    """Invent an integration whose id and secret carry the emulator's mark."""
    return Integration(
        client_id=CLIENT_ID_PREFIX + randomness.hex(24),
        client_secret=CLIENT_SECRET_PREFIX + randomness.hex(32),
        redirect_uris=redirect_uris,
        scopes=scopes,
        name=name,
    )


class IntegrationRegistry:
    """Know the registered integrations by client id; refuse those that could be real."""

    def __init__(self, integrations: Iterable[Integration] = ()) -> None:
        self._integration_by_client_id: dict[str, Integration] = {}
        for integration in integrations:
            self.register(integration)

    def __iter__(self) -> Iterator[Integration]:
        return iter(tuple(self._integration_by_client_id.values()))

    def register(self, integration: Integration) -> Integration:
        """Add or replace an integration.

        Raise `ForeignIntegration` for one without the mark, and `MalformedIntegration` for one
        whose redirect URIs or scopes cannot be.
        """
        check_mark(integration)
        check_form(integration)
        self._integration_by_client_id[integration.client_id] = integration
        return integration

    def remove(self, client_id: str) -> None:
        """Forget an integration."""
        self._integration_by_client_id.pop(client_id, None)

    def find(self, client_id: str) -> Integration | None:
        """Find an integration by its client id."""
        return self._integration_by_client_id.get(client_id)


def check_mark(integration: Integration) -> None:
    """Refuse an integration whose id or secret lacks the emulator's mark."""
    if not is_marked_client_id(integration.client_id):
        raise ForeignIntegration(
            f"the emulator takes only client ids that are 'C' and 64 hexadecimal digits "
            f"and begin with {CLIENT_ID_PREFIX!r}: never give it a real one"
        )
    if not integration.client_secret.startswith(CLIENT_SECRET_PREFIX):
        raise ForeignIntegration(
            f"the emulator takes only client secrets that begin with {CLIENT_SECRET_PREFIX!r}: "
            f"never give it a real one"
        )


def check_form(integration: Integration) -> None:
    """Refuse redirect URIs that are not absolute or have a fragment, and scopes that are none."""
    if not integration.redirect_uris:
        raise MalformedIntegration("an integration needs a redirect URI")
    for redirect_uri in integration.redirect_uris:
        _check_redirect_uri(redirect_uri)
    if not integration.name.strip() or not integration.name.isprintable():
        raise MalformedIntegration(f"{integration.name!r} cannot be the name of an integration")
    for scope in integration.scopes:
        if not _SCOPE.fullmatch(scope):
            raise MalformedIntegration(f"{scope!r} cannot be a scope")


def _check_redirect_uri(redirect_uri: str) -> None:
    # RFC 6749 section 3.1.2.
    if not _REDIRECT_URI.fullmatch(redirect_uri) or redirect_uri.startswith(_SCRIPT_SCHEMES):
        raise MalformedIntegration(f"{redirect_uri!r} cannot be a redirect URI")
    try:
        parts = urlsplit(redirect_uri)
        has_host = bool(parts.hostname) and parts.port != 0
    except ValueError as cause:
        raise MalformedIntegration(f"{redirect_uri!r} cannot be a redirect URI: {cause}") from cause
    if parts.scheme in ("http", "https") and not has_host:
        raise MalformedIntegration(f"{redirect_uri!r} cannot be a redirect URI: it names no host")


def is_marked_client_id(client_id: str) -> bool:
    """Tell whether a client id is one that only an emulator gives out."""
    return client_id.startswith(CLIENT_ID_PREFIX) and _CLIENT_ID.fullmatch(client_id) is not None
