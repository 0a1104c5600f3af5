"""Sign in where there is no browser: a person enters a code elsewhere (RFC 8628)."""

import asyncio
import logging
from collections.abc import Callable, Collection

from msgspec import Struct

from webex_oauth.errors import InvalidResponse, SignInTimedOut, UpstreamError
from webex_oauth.flows.code_redemption import CodeRedemption
from webex_oauth.flows.context import FlowContext
from webex_oauth.oauth.authorization import check_scopes
from webex_oauth.oauth.device import (
    LONGEST_INTERVAL_SECONDS,
    DeviceAuthorization,
    Pending,
    device_request,
    device_token_request,
    read_device_response,
    read_device_token_response,
)
from webex_oauth.oauth.token import TokenSet
from webex_oauth.ports import TOKEN_LIMITS, Sleep

log = logging.getLogger(__name__)

SLOWER_BY_SECONDS = 5


class DeviceSignIn(Struct, frozen=True):
    """Ask for a code that allows *scopes* or more, then for the tokens until a person decided."""

    context: FlowContext
    scopes: tuple[str, ...]
    redemption: CodeRedemption
    sleep: Sleep = asyncio.sleep

    async def begin(self, scopes: Collection[str] = ()) -> DeviceAuthorization:
        """Return a code to show, which asks for *scopes* too; nothing is stored.

        Raises ValueError for what are no scopes, TokenError or UpstreamError.
        """
        context, requested_at = self.context, self.context.clock()
        check_scopes(scopes)
        server, asked = context.platform.server, tuple(dict.fromkeys((*self.scopes, *scopes)))
        request = device_request(server, context.client, asked)
        response = await context.transport.send(request, TOKEN_LIMITS)
        started = read_device_response(server, response, requested_at, asked)
        shown = started.shown
        for url in filter(None, (shown.verification_uri, shown.verification_uri_complete)):
            if not context.platform.has_page(url):
                raise InvalidResponse(f"a person cannot be sent to {url}")
        return started

    async def complete(
        self, started: DeviceAuthorization, check: Callable[[], object] = lambda: None
    ) -> bytes:
        """Wait until the person has decided, keep and hold the grant, and return its key.

        *check* is called before each question, and ends the wait with what it raises. Raises
        AuthorizationRefused, SignInTimedOut, TokenError, UpstreamError, ApiError, StoreError or
        VaultError; tokens that were issued by then are revoked.
        """
        every_seconds = wait_seconds = started.shown.interval
        while True:
            await self._pause(wait_seconds, started)
            check()
            requested_at = self.context.clock()
            try:
                answer = await self._ask(started, requested_at)
            except UpstreamError as error:
                log.debug("the question for tokens failed: %(error)s", {"error": str(error)})
                longer = min(wait_seconds * 2, LONGEST_INTERVAL_SECONDS)  # section 3.5
                wait_seconds = max(every_seconds, longer, error.retry_after_seconds or 0)
                continue
            if isinstance(answer, TokenSet):
                scopes = frozenset(started.scopes) if answer.scopes is None else answer.scopes
                return await self.redemption.keep(answer, scopes, requested_at)
            if answer is Pending.SLOW_DOWN:
                every_seconds += SLOWER_BY_SECONDS
            wait_seconds = every_seconds

    async def _ask(self, started: DeviceAuthorization, requested_at: int) -> TokenSet | Pending:
        context, server = self.context, self.context.platform.server
        request = device_token_request(server, context.client, started.device_code)
        response = await context.transport.send(request, TOKEN_LIMITS)
        return read_device_token_response(server, response, requested_at)

    async def _pause(self, seconds: int, started: DeviceAuthorization) -> None:
        """Wait before the next question; raise SignInTimedOut if the code ends before it."""
        remaining_seconds = started.expires_at - self.context.clock()
        await self.sleep(max(0, min(seconds, remaining_seconds)))
        if self.context.clock() >= started.expires_at:
            raise SignInTimedOut("the code has expired before it was entered")
