"""Integrations: the OAuth clients registered here, and how they prove themselves."""

import base64
import binascii
import hmac
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import unquote_plus, urlsplit

from webex_oauth.emulator.identity.refusals import OAuthRefusal
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
_UNAUTHORIZED = 401


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
        """Return whether one of the presented readings of a secret is this integration's."""
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
    """The registered integrations by client id; those that could be real are refused."""

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
    """Return whether a client id is one that only an emulator gives out."""
    return client_id.startswith(CLIENT_ID_PREFIX) and _CLIENT_ID.fullmatch(client_id) is not None


@dataclass(frozen=True, slots=True)
class Authenticated:
    """A client that proved itself, and how."""

    integration: Integration
    method: Literal["form", "basic"]


@dataclass(frozen=True, slots=True)
class _Credentials:
    client_ids: tuple[str, ...]
    secrets: tuple[str, ...]
    method: Literal["form", "basic"]


def authenticate(
    registry: IntegrationRegistry, authorization: str | None, form: Mapping[str, str]
) -> Authenticated:
    """Find out which client asks; raise `OAuthRefusal` unless it proves it."""
    credentials = _presented(authorization, form)
    integration = _find(registry, credentials.client_ids)
    if not integration.is_secret(credentials.secrets):
        raise OAuthRefusal("invalid_client", "Client authentication failed.", _UNAUTHORIZED)
    return Authenticated(integration, credentials.method)


def _presented(authorization: str | None, form: Mapping[str, str]) -> _Credentials:
    if authorization is None:
        return _form_credentials(form)
    # RFC 6749 section 2.3: one method in each request.
    if "client_secret" in form:
        raise OAuthRefusal("invalid_request", "The client authenticates in two ways at once.")
    credentials = _basic_credentials(authorization)
    if form.get("client_id") not in (None, *credentials.client_ids):
        raise OAuthRefusal("invalid_request", "Two client_ids are given that differ.")
    return credentials


def _form_credentials(form: Mapping[str, str]) -> _Credentials:
    for name in ("client_id", "client_secret"):
        if not form.get(name):
            raise OAuthRefusal("invalid_request", f"{name} cannot be null or empty")
    return _Credentials((form["client_id"],), (form["client_secret"],), "form")


def _basic_credentials(authorization: str) -> _Credentials:
    scheme, _, encoded = authorization.partition(" ")
    try:
        text = base64.b64decode(encoded.strip(), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError) as cause:
        raise _malformed() from cause
    client_id, separator, secret = text.partition(":")
    if scheme.lower() != "basic" or not separator:
        raise _malformed()
    # Webex's own SDK does not percent-encode what RFC 6749 says to encode: take both readings.
    return _Credentials(
        (client_id, unquote_plus(client_id)), (secret, unquote_plus(secret)), "basic"
    )


def _malformed() -> OAuthRefusal:
    description = "The Authorization header is not HTTP Basic."
    return OAuthRefusal("invalid_client", description, _UNAUTHORIZED)


def _find(registry: IntegrationRegistry, client_ids: tuple[str, ...]) -> Integration:
    for client_id in client_ids:
        integration = registry.find(client_id)
        if integration:
            return integration
    if any(is_marked_client_id(client_id) for client_id in client_ids):
        raise OAuthRefusal("invalid_client", "Client authentication failed.", _UNAUTHORIZED)
    raise OAuthRefusal(
        "invalid_client",
        "Client authentication failed: this is an emulator, and the client_id is not one "
        "that an emulator gives out. Never send it the credentials of a real integration.",
        _UNAUTHORIZED,
    )
