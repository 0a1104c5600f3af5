"""Client authentication: in the form or by HTTP Basic. RFC 6749 section 2.3.1."""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal
from urllib.parse import unquote_plus

from webex_oauth.emulator.identity.integrations import (
    Integration,
    IntegrationRegistry,
    is_marked_client_id,
)
from webex_oauth.emulator.identity.refusals import OAuthRefusal

_UNAUTHORIZED = 401


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
