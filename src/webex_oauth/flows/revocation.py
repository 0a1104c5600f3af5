"""Give tokens back to Webex: best effort and bounded, after they are gone from here (RFC 7009)."""

import asyncio
import logging

from webex_oauth.errors import TokenError, UpstreamError, VaultError
from webex_oauth.flows.context import FlowContext
from webex_oauth.oauth.revocation import (
    TokenTypeHint,
    read_revocation_response,
    revocation_request,
)
from webex_oauth.oauth.token import TokenSet
from webex_oauth.ports import TOKEN_LIMITS
from webex_oauth.secret import Secret
from webex_oauth.vault.grants import open_grant
from webex_oauth.vault.records import GrantRecord

log = logging.getLogger(__name__)

REVOCATION_SECONDS = 2.0


async def revoke_grant(context: FlowContext, record: GrantRecord) -> bool:
    """Revoke the tokens of a grant that is gone from here; False also when its seal is broken."""
    try:
        grant = open_grant(context.sealer, record)
    except VaultError as error:
        log.warning("tokens were not revoked", extra={"error": type(error).__name__})
        return False
    return await revoke_tokens(context, grant.tokens)


async def revoke_tokens(context: FlowContext, tokens: TokenSet) -> bool:
    """Revoke the refresh token, then the access token; say whether Webex confirmed in time."""
    try:
        async with asyncio.timeout(REVOCATION_SECONDS):
            if tokens.refresh_token is not None:
                await _revoke(context, tokens.refresh_token, "refresh_token")
            await _revoke(context, tokens.access_token, "access_token")
    except (TimeoutError, UpstreamError, TokenError) as error:
        log.warning("tokens were not revoked", extra={"error": type(error).__name__})
        return False
    log.debug("tokens revoked")
    return True


async def _revoke(context: FlowContext, token: Secret, hint: TokenTypeHint) -> None:
    server, requested_at = context.platform.server, context.clock()
    request = revocation_request(server, context.client, token, hint)
    response = await context.transport.send(request, TOKEN_LIMITS)
    read_revocation_response(server, response, requested_at)
