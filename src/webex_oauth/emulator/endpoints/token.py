"""Tokens: issued for codes and refresh tokens (RFC 6749), described, and revoked (RFC 7009)."""

import base64
import binascii
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any, Literal
from urllib.parse import unquote_plus

from starlette.requests import Request
from starlette.responses import Response

from webex_oauth.emulator.endpoints import wire
from webex_oauth.emulator.identity import OAuthRefusal
from webex_oauth.emulator.identity.integrations import Integration, IntegrationRegistry, is_marked
from webex_oauth.emulator.identity.tokens import IssuedTokens
from webex_oauth.emulator.journal import entry_of
from webex_oauth.emulator.state import State

_Method = Literal["form", "basic"]
_Exchange = Callable[[State, Request, Integration, Mapping[str, str]], IssuedTokens]


def _issuing(exchange_by_grant_type: Mapping[str, _Exchange]) -> wire.Handler:
    """Return the token endpoint for some types of grant."""

    async def issue(state: State, request: Request) -> Response:
        form = await wire.read_form(request)
        integration = authenticated_client(state, request, form)
        exchange = exchange_by_grant_type.get(wire.required_field(form, "grant_type"))
        if exchange is None:
            raise OAuthRefusal("unsupported_grant_type", "unsupported_grant_type")
        tokens = exchange(state, request, integration, form)
        return wire.json_answer(token_answer(state, tokens), headers={"Pragma": "no-cache"})

    return issue


def _exchange_code(
    state: State, request: Request, integration: Integration, form: Mapping[str, str]
) -> IssuedTokens:
    code = state.sign_ins.redeem(
        wire.required_field(form, "code"),
        client_id=integration.client_id,
        redirect_uri=form.get("redirect_uri"),
        verifier=form.get("code_verifier"),
    )
    if code.request.challenge:
        entry_of(request.scope).notes.append("pkce_verified")
    return state.tokens.issue(
        integration.client_id, code.person, code.scopes, grant_id=code.grant_id
    )


def _refresh(
    state: State, _: Request, integration: Integration, form: Mapping[str, str]
) -> IssuedTokens:
    refresh_token = wire.required_field(form, "refresh_token")
    return state.tokens.refresh(integration.client_id, refresh_token)


def _exchange_device_code(
    state: State, _: Request, integration: Integration, form: Mapping[str, str]
) -> IssuedTokens:
    code = wire.required_field(form, "device_code")
    person, scopes = state.devices.redeem(code, integration.client_id)
    lifetime_seconds = state.options.device_access_token_lifetime_seconds
    return state.tokens.issue(
        integration.client_id, person, scopes, lifetime_seconds=lifetime_seconds
    )


def token_answer(state: State, tokens: IssuedTokens) -> dict[str, Any]:
    """Return the body of a token response."""
    now = state.clock.now()
    answer: dict[str, Any] = {
        "access_token": tokens.access_token.value,
        "expires_in": tokens.access_token.expires_at - now,
        "token_type": "Bearer",
    }
    if tokens.refresh_token:
        answer["refresh_token"] = tokens.refresh_token.value
        answer["refresh_token_expires_in"] = tokens.refresh_token.expires_at - now
    if state.options.is_scope_in_answer:
        answer["scope"] = " ".join(tokens.grant.scopes)
    return answer


async def _revoke(state: State, request: Request) -> Response:
    form = await wire.read_form(request)
    integration = authenticated_client(state, request, form)
    # RFC 7009 section 2.2: an unknown token is as good as a revoked one.
    state.tokens.revoke(wire.required_field(form, "token"), integration.client_id)
    # Some clients read every answer as JSON, and refuse one that does not say that it is.
    return Response(status_code=state.options.revoke_status, media_type=wire.JSON_TYPE)


async def _show_own_token(state: State, request: Request) -> Response:
    token = wire.check_bearer(state, request)
    integration = state.integrations.find(token.grant.client_id)
    described = {
        "token_type": "access_token",
        "client_id": token.grant.client_id,
        "client_name": integration.name if integration else "",
        "oauth2scope": list(token.grant.scopes),
        "expires_in": token.expires_at - state.clock.now(),
    }
    return wire.json_answer({"data": [described]})


async def _revoke_own_token(state: State, request: Request) -> Response:
    state.tokens.revoke(wire.check_bearer(state, request).value)
    return Response(status_code=HTTPStatus.NO_CONTENT)


def authenticated_client(state: State, request: Request, form: Mapping[str, str]) -> Integration:
    """Return which client asks, and note how it proved it; raise `OAuthRefusal` unless it did."""
    authorization = request.headers.get("authorization")
    integration, method = authenticate(state.integrations, authorization, form)
    entry = entry_of(request.scope)
    entry.client_id = integration.client_id
    entry.notes.append(f"client_authenticated:{method}")
    return integration


def authenticate(
    registry: IntegrationRegistry, authorization: str | None, form: Mapping[str, str]
) -> tuple[Integration, _Method]:
    """Return which client asks and how it proved it; raise `OAuthRefusal` unless it did."""
    if authorization is None:
        client_id = wire.required_field(form, "client_id")
        readings = [(client_id, wire.required_field(form, "client_secret"))]
        return _integration_with(registry, readings), "form"
    # RFC 6749 section 2.3: one method in each request.
    if "client_secret" in form:
        raise OAuthRefusal("invalid_request", "The client authenticates in two ways at once.")
    client_id, secret = _basic_credentials(authorization)
    # Webex's own SDK does not percent-encode what RFC 6749 says to encode: accept both readings.
    readings = [(client_id, secret), (unquote_plus(client_id), unquote_plus(secret))]
    if form.get("client_id") not in (None, *(one for one, _ in readings)):
        raise OAuthRefusal("invalid_request", "Two client_ids are given that differ.")
    return _integration_with(registry, readings), "basic"


def _basic_credentials(authorization: str) -> tuple[str, str]:
    scheme, _, encoded = authorization.partition(" ")
    try:
        text = base64.b64decode(encoded.strip(), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        text = ""
    client_id, separator, secret = text.partition(":")
    if scheme.lower() != "basic" or not separator:
        raise _unauthorized("The Authorization header is not HTTP Basic.")
    return client_id, secret


def _integration_with(
    registry: IntegrationRegistry, readings: list[tuple[str, str]]
) -> Integration:
    for client_id, secret in readings:
        integration = registry.find(client_id)
        if integration and integration.is_secret(secret):
            return integration
    if any(is_marked(client_id) for client_id, _ in readings):
        raise _unauthorized("Client authentication failed.")
    raise _unauthorized(
        "Client authentication failed: this is an emulator, and the client_id is not one "
        "that an emulator issues. Never send it the credentials of a real integration."
    )


def _unauthorized(description: str) -> OAuthRefusal:
    return OAuthRefusal("invalid_client", description, HTTPStatus.UNAUTHORIZED)


_ISSUE = _issuing({"authorization_code": _exchange_code, "refresh_token": _refresh})
_ISSUE_TO_DEVICE = _issuing({"urn:ietf:params:oauth:grant-type:device_code": _exchange_device_code})
FRONT_DOOR_ROUTES: wire.Routes = (
    ("POST", "/v1/access_token", _ISSUE),
    ("POST", "/v1/device/token", _ISSUE_TO_DEVICE),
    # Webex revokes at the broker alone. The front door of a local Webex does so too, so that a
    # client which was given one address needs no second one.
    ("POST", "/v1/revoke", _revoke),
)
BROKER_ROUTES: wire.Routes = (
    ("POST", "/idb/oauth2/v1/access_token", _ISSUE),
    ("POST", "/idb/oauth2/v1/revoke", _revoke),
    ("GET", "/idb/oauth2/v1/tokens/me", _show_own_token),
    ("DELETE", "/idb/oauth2/v1/tokens/me", _revoke_own_token),
)
