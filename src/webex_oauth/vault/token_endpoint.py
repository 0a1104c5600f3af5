"""The token endpoint as the vault uses it: asked once, and left alone while it cools down."""

from webex_oauth.oauth.server import AuthorizationServer, Client
from webex_oauth.oauth.token import TokenSet, read_token_response, refresh_request
from webex_oauth.ports import TOKEN_LIMITS, Limits, Transport
from webex_oauth.secret import Secret
from webex_oauth.vault.cooldown import EndpointCooldown


class TokenEndpoint:
    """Present refresh tokens of one client at one server."""

    def __init__(
        self,
        transport: Transport,
        server: AuthorizationServer,
        client: Client,
        deadline_seconds: float,
    ) -> None:
        self._transport = transport
        self._server = server
        self._client = client
        self._limits = Limits(deadline_seconds, TOKEN_LIMITS.max_body_bytes)
        self.cooldown = EndpointCooldown()
        self._has_rotated: bool | None = None

    @property
    def is_rotating(self) -> bool:
        """Whether a refresh has to be taken for one that spends its refresh token.

        Where that is not known, it may, until a refresh here has brought the same token again.
        """
        stated = self._server.rotates_refresh_tokens
        return self._has_rotated is not False if stated is None else stated

    async def refresh(self, refresh_token: Secret, requested_at: int) -> TokenSet:
        """Present *refresh_token*, once; raises as `read_token_response` and `Transport.send`."""
        request = refresh_request(self._server, self._client, refresh_token)
        response = await self._transport.send(request, self._limits)
        tokens = read_token_response(self._server, response, requested_at)
        old, new = refresh_token, tokens.refresh_token
        if new is not None:
            self._has_rotated = self._has_rotated is True or new != old
        return tokens
