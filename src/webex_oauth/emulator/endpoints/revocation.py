"""Revocation (RFC 7009), and what a token can say about itself."""

from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from webex_oauth.emulator.endpoints.answers import JSON_TYPE, Shape, json_answer
from webex_oauth.emulator.endpoints.bearer import check_bearer
from webex_oauth.emulator.endpoints.forms import read_form, required_field
from webex_oauth.emulator.endpoints.token import authenticated_client, refused
from webex_oauth.emulator.identity.refusals import OAuthRefusal
from webex_oauth.emulator.state import State

_TOKENS_PATH = "/idb/oauth2/v1/tokens/me"
# Webex revokes at the broker alone. The front door of a local Webex does so too, so that a client
# which was told one address need not be told a second one.
_PATH_BY_SHAPE: dict[Shape, str] = {"gateway": "/v1/revoke", "broker": "/idb/oauth2/v1/revoke"}


class RevocationEndpoint:
    """Take tokens back, and answer errors in the shape of the origin that was asked."""

    def __init__(self, state: State, shape: Shape) -> None:
        self._state = state
        self._shape: Shape = shape

    def routes(self) -> list[Route]:
        """List the path of this endpoint."""
        return [Route(_PATH_BY_SHAPE[self._shape], self.answer, methods=["POST"])]

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
    """Let the bearer of an access token ask about it, and revoke it."""

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
