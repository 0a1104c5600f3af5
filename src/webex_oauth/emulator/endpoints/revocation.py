"""Revocation (RFC 7009), and what a token can say about itself."""

from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from webex_oauth.emulator.endpoints.answers import Shape, json_answer
from webex_oauth.emulator.endpoints.bearer import check_bearer
from webex_oauth.emulator.endpoints.forms import read_form, required_field
from webex_oauth.emulator.endpoints.token import authenticated_client, refused
from webex_oauth.emulator.identity.refusals import OAuthRefusal
from webex_oauth.emulator.state import State


class RevocationEndpoint:
    """Take tokens back."""

    def __init__(self, state: State) -> None:
        self._state = state

    def routes(self) -> list[Route]:
        """List the paths of this endpoint."""
        return [
            Route("/v1/revoke", self.gateway, methods=["POST"]),
            Route("/idb/oauth2/v1/revoke", self.broker, methods=["POST"]),
            Route("/idb/oauth2/v1/tokens/me", self.show_own_token),
            Route("/idb/oauth2/v1/tokens/me", self.revoke_own_token, methods=["DELETE"]),
        ]

    async def gateway(self, request: Request) -> Response:
        """Revoke at the front door, which some clients expect there."""
        return await self._answer(request, "gateway")

    async def broker(self, request: Request) -> Response:
        """Revoke at the identity broker."""
        return await self._answer(request, "broker")

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

    async def _answer(self, request: Request, shape: Shape) -> Response:
        try:
            form = await read_form(request)
            integration = authenticated_client(self._state, request, form)
            token = required_field(form, "token")
        except OAuthRefusal as refusal:
            return refused(self._state, request, shape, refusal)
        # RFC 7009 section 2.2: an unknown token is as good as a revoked one.
        self._state.tokens.revoke(token, integration.client_id)
        return Response(status_code=self._state.switchboard.options.revoke_status)
