"""Tokens: issued for codes and refresh tokens (RFC 6749), described, and revoked (RFC 7009)."""

import base64
import binascii
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Literal
from urllib.parse import unquote_plus

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from webex_oauth.emulator.endpoints.wire import (
    JSON_TYPE,
    Shape,
    broker_error,
    check_bearer,
    gateway_error,
    json_answer,
    read_form,
    required_field,
)
from webex_oauth.emulator.identity.authorization import OAuthRefusal
from webex_oauth.emulator.identity.integrations import (
    Integration,
    IntegrationRegistry,
    is_marked_client_id,
)
from webex_oauth.emulator.identity.sign_ins import AuthorizationCode, CodeReused
from webex_oauth.emulator.identity.tokens import IssuedTokens
from webex_oauth.emulator.journal import annotations_of
from webex_oauth.emulator.state import State

_UNAUTHORIZED = 401
_PATH_BY_SHAPE: dict[Shape, str] = {
    "gateway": "/v1/access_token",
    "broker": "/idb/oauth2/v1/access_token",
}

_GrantType = Callable[[Request, Integration, Mapping[str, str]], IssuedTokens]
_TOKENS_PATH = "/idb/oauth2/v1/tokens/me"
# Webex revokes at the broker alone. The front door of a local Webex does so too, so that a client
# which was told one address need not be told a second one.
_REVOCATION_PATH_BY_SHAPE: dict[Shape, str] = {
    "gateway": "/v1/revoke",
    "broker": "/idb/oauth2/v1/revoke",
}


class TokenEndpoint:
    """Exchange grants for tokens, and answer errors in the shape of the origin that was asked."""

    def __init__(self, state: State, shape: Shape) -> None:
        self._state = state
        self._shape: Shape = shape
        self._exchange_by_grant_type: dict[str, _GrantType] = {
            "authorization_code": self._exchange_code,
            "refresh_token": self._refresh,
        }

    def routes(self) -> list[Route]:
        """List the path of this endpoint."""
        return [Route(_PATH_BY_SHAPE[self._shape], self.answer, methods=["POST"])]

    async def answer(self, request: Request) -> Response:
        """Issue tokens, or refuse."""
        try:
            tokens = await self._exchange(request)
        except OAuthRefusal as refusal:
            return refused(self._state, request, self._shape, refusal)
        return json_answer(self._token_answer(tokens), headers={"Pragma": "no-cache"})

    async def _exchange(self, request: Request) -> IssuedTokens:
        form = await read_form(request)
        integration = authenticated_client(self._state, request, form)
        exchange = self._exchange_by_grant_type.get(required_field(form, "grant_type"))
        if exchange is None:
            raise OAuthRefusal("unsupported_grant_type", "unsupported_grant_type")
        return exchange(request, integration, form)

    def _exchange_code(
        self, request: Request, integration: Integration, form: Mapping[str, str]
    ) -> IssuedTokens:
        code = self._redeemed_code(integration, form)
        if code.request.challenge:
            annotations_of(request.scope).notes.append("pkce_verified")
        person = self._state.world.person(code.person_uuid)
        if person is None:
            raise OAuthRefusal("invalid_grant", "The person who granted this is gone.")
        tokens = self._state.tokens.issue(integration.client_id, person, code.scopes)
        self._state.codes.note_grant(code, tokens.grant.id)
        return tokens

    def _redeemed_code(
        self, integration: Integration, form: Mapping[str, str]
    ) -> AuthorizationCode:
        try:
            return self._state.codes.redeem(
                required_field(form, "code"),
                client_id=integration.client_id,
                redirect_uri=form.get("redirect_uri"),
                verifier=form.get("code_verifier"),
            )
        except CodeReused as reused:
            if self._state.switchboard.options.code_reuse_revokes_tokens and reused.grant_id:
                self._state.tokens.revoke_grant(reused.grant_id)
            raise

    def _refresh(
        self, _: Request, integration: Integration, form: Mapping[str, str]
    ) -> IssuedTokens:
        return self._state.tokens.refresh(
            integration.client_id, required_field(form, "refresh_token")
        )

    def _token_answer(self, tokens: IssuedTokens) -> dict[str, Any]:
        now = self._state.clock.now()
        answer: dict[str, Any] = {
            "access_token": tokens.access_token.value,
            "expires_in": tokens.access_token.expires_at - now,
            "token_type": "Bearer",
        }
        if tokens.refresh_token:
            answer["refresh_token"] = tokens.refresh_token.value
            answer["refresh_token_expires_in"] = tokens.refresh_token.expires_at - now
        if self._state.switchboard.options.is_scope_in_answer:
            answer["scope"] = " ".join(tokens.grant.scopes)
        return answer


def authenticated_client(state: State, request: Request, form: Mapping[str, str]) -> Integration:
    """Find out which client asks, and note how it proved it; raise `OAuthRefusal`."""
    authorization = request.headers.get("authorization")
    authenticated = authenticate(state.integrations, authorization, form)
    annotations = annotations_of(request.scope)
    annotations.client_id = authenticated.integration.client_id
    annotations.notes.append(f"client_authenticated:{authenticated.method}")
    return authenticated.integration


def refused(state: State, request: Request, shape: Shape, refusal: OAuthRefusal) -> Response:
    """Answer a refusal in the shape of the origin, or in the one that an option asks for."""
    options = state.switchboard.options
    if options.error_shape != "by_path":
        shape = options.error_shape
    status = refusal.status
    if status == _UNAUTHORIZED:
        status = options.wrong_secret_status
    if shape == "broker":
        return broker_error(request, status, refusal.error, refusal.description)
    return gateway_error(request, status, refusal.description)


class RevocationEndpoint:
    """Revoke tokens, and answer errors in the shape of the origin that was asked."""

    def __init__(self, state: State, shape: Shape) -> None:
        self._state = state
        self._shape: Shape = shape

    def routes(self) -> list[Route]:
        """List the path of this endpoint."""
        return [Route(_REVOCATION_PATH_BY_SHAPE[self._shape], self.answer, methods=["POST"])]

    async def answer(self, request: Request) -> Response:
        """Revoke a token, or refuse."""
        try:
            form = await read_form(request)
            integration = authenticated_client(self._state, request, form)
            token = required_field(form, "token")
        except OAuthRefusal as refusal:
            return refused(self._state, request, self._shape, refusal)
        # RFC 7009 section 2.2: an unknown token is as good as a revoked one.
        self._state.tokens.revoke(token, integration.client_id)
        # Some clients read every answer as JSON, and refuse one that does not say that it is.
        status = self._state.switchboard.options.revoke_status
        return Response(status_code=status, media_type=JSON_TYPE)


class OwnToken:
    """The endpoint at which the bearer of an access token describes and revokes it."""

    def __init__(self, state: State) -> None:
        self._state = state

    def routes(self) -> list[Route]:
        """List the paths of this endpoint."""
        return [
            Route(_TOKENS_PATH, self.show_own_token),
            Route(_TOKENS_PATH, self.revoke_own_token, methods=["DELETE"]),
        ]

    async def show_own_token(self, request: Request) -> Response:
        """Describe the token that is presented."""
        token = check_bearer(self._state, request)
        grant = self._state.tokens.grant_of(token)
        integration = self._state.integrations.find(grant.client_id)
        described = {
            "token_type": "access_token",
            "client_id": grant.client_id,
            "client_name": integration.name if integration else "",
            "oauth2scope": list(grant.scopes),
            "expires_in": token.expires_at - self._state.clock.now(),
        }
        return json_answer({"data": [described]})

    async def revoke_own_token(self, request: Request) -> Response:
        """Revoke the token that is presented."""
        self._state.tokens.revoke(check_bearer(self._state, request).value)
        return Response(status_code=HTTPStatus.NO_CONTENT)


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
