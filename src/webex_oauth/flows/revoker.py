"""Ask Webex to accept tokens no longer (RFC 7009)."""

import asyncio
import math

from webex_oauth.errors import RateLimited, TokenRequestRefused
from webex_oauth.flows.context import FlowContext
from webex_oauth.oauth.revocation import (
    TokenTypeHint,
    read_revocation_response,
    revocation_request,
)
from webex_oauth.oauth.token import TokenSet
from webex_oauth.ports import TOKEN_LIMITS
from webex_oauth.secret import Secret

UNSUPPORTED = "unsupported_token_type"


class Revoker:
    """Revoke tokens, and leave a server alone for as long as it asks."""

    def __init__(self, context: FlowContext) -> None:
        self._context = context
        self._quiet_until = 0.0

    @property
    def quiet_seconds(self) -> int:
        """Say for how long the server asked to be left alone."""
        return max(0, math.ceil(self._quiet_until - asyncio.get_running_loop().time()))

    async def revoke(self, tokens: TokenSet) -> None:
        """Revoke the refresh token, then the access token.

        A server without a revocation endpoint lets them end by themselves. Raises UpstreamError or
        TokenError; RateLimited also without asking, while the server wants to be left alone.
        """
        if self._context.platform.server.revocation_endpoint is None:
            return
        if self.quiet_seconds:
            raise RateLimited(self.quiet_seconds)
        try:
            if tokens.refresh_token is not None:
                await self._revoke(tokens.refresh_token, "refresh_token")
            await self._revoke(tokens.access_token, "access_token")
        except RateLimited as error:
            self._quiet_until = asyncio.get_running_loop().time() + error.retry_after_seconds
            raise

    async def _revoke(self, token: Secret, hint: TokenTypeHint) -> None:
        context, server = self._context, self._context.platform.server
        requested_at = context.clock()
        request = revocation_request(server, context.client, token, hint)
        response = await context.transport.send(request, TOKEN_LIMITS)
        try:
            read_revocation_response(server, response, requested_at)
        except TokenRequestRefused as error:
            # Section 2.2.1: tokens of this kind are not revoked here, now or later.
            if error.error != UNSUPPORTED:
                raise
