"""Revocations: tokens that are gone from here are revoked at Webex, at once or from a queue.

The queue is in the store, so that it outlives this process. The process that queues tokens tries
them first; the worker takes what is still there some seconds later.
"""

import asyncio
import logging
import math

from webex_oauth.errors import (
    RateLimited,
    StoreError,
    TokenError,
    TokenRequestRefused,
    UpstreamError,
    VaultError,
    WebexOAuthError,
)
from webex_oauth.flows.context import FlowContext
from webex_oauth.oauth.token import (
    TokenSet,
    TokenTypeHint,
    read_revocation_response,
    revocation_request,
)
from webex_oauth.ports import TOKEN_LIMITS
from webex_oauth.secret import Secret
from webex_oauth.vault.records import Grant, Revocation, name_of_grant, new_version, revocation_of

log = logging.getLogger(__name__)

REVOCATION_SECONDS = 2.0
HEAD_START_SECONDS = 3
DELIVERY_SECONDS = 15.0
TAKEN_SECONDS = 60
BATCH = 8
LOOK_EVERY_SECONDS = 5.0
MAX_HANDED_OVER = 100
FIRST_WAIT_SECONDS = 30
LONGEST_WAIT_SECONDS = 6 * 3600
MAX_TRIES = 30
UNSUPPORTED = "unsupported_token_type"


class Revocations:
    """Revoke tokens that are queued, and queue those that cannot be revoked at once."""

    def __init__(self, context: FlowContext) -> None:
        self._context = context
        self._revoker = _Revoker(context)
        self._handed_over: asyncio.Queue[Revocation] = asyncio.Queue(MAX_HANDED_OVER)

    async def at_once(self, record: Revocation) -> bool:
        """Revoke queued tokens within REVOCATION_SECONDS; return whether Webex confirmed.

        What fails stays in the queue.
        """
        return await self._deliver(record, REVOCATION_SECONDS)

    def soon(self, record: Revocation | None) -> None:
        """Hand queued tokens, if there are any, to the worker, which revokes them next."""
        if record is None:
            return
        try:
            self._handed_over.put_nowait(record)
        except asyncio.QueueFull:
            log.debug(
                "the revocation of grant %(grant)s waits for its turn", {"grant": _name(record)}
            )

    async def give_back(self, grant: Grant) -> bool:
        """Revoke tokens that were never kept, or queue them; return whether Webex confirmed.

        Raises nothing: the caller already has an error to report.
        """
        try:
            async with asyncio.timeout(REVOCATION_SECONDS):
                await self._revoker.revoke(grant.tokens)
        except (TimeoutError, UpstreamError, TokenError) as error:
            await self._queue(grant, wait_seconds(1, error))
            return False
        return True

    async def run(self) -> None:
        """Deliver what is due, and between two looks what is handed over, until cancelled."""
        while True:
            try:
                await self.deliver_due()
            except StoreError as error:
                log.warning("revocations are postponed: %(error)s", {"error": _text(error)})
            await self.deliver_handed_over(LOOK_EVERY_SECONDS)

    async def deliver_due(self) -> int:
        """Deliver what is due in the queue; return how many Webex confirmed.

        Raises StoreUnavailable.
        """
        confirmed_count = 0
        while not self._revoker.quiet_seconds:
            now = self._context.clock()
            records = await self._context.ledger.take_revocations(
                now - HEAD_START_SECONDS, now + TAKEN_SECONDS, BATCH
            )
            delivered = await asyncio.gather(
                *(self._deliver(record, DELIVERY_SECONDS) for record in records)
            )
            confirmed_count += sum(delivered)
            if len(records) < BATCH:
                break
        return confirmed_count

    async def deliver_handed_over(self, seconds: float = 0.0) -> None:
        """Deliver what `soon` was given until now, and is given within *seconds*."""
        give_up_at = asyncio.get_running_loop().time() + seconds
        while True:
            try:
                async with asyncio.timeout_at(give_up_at):
                    record = await self._handed_over.get()
            except TimeoutError:
                return
            await self.at_once(record)

    async def _deliver(self, record: Revocation, within_seconds: float) -> bool:
        try:
            return await self._settle(record, within_seconds)
        except StoreError as error:
            # It is in the queue as before, or will be there again when its time is over.
            _log_postponed(record, error)
            return False

    async def _settle(self, record: Revocation, within_seconds: float) -> bool:
        """Revoke what *record* holds, then take it off the queue, or set its next try."""
        try:
            async with asyncio.timeout(within_seconds):
                tokens = await self._tokens(record)
                if tokens is not None:
                    await self._revoker.revoke(tokens)
        except (TimeoutError, UpstreamError, TokenError, VaultError) as error:
            await self._keep_trying(record, error)
            return False
        await self._context.ledger.drop_revocation(record)
        if self._context.platform.server.revocation_endpoint is None:
            log.info(
                "the tokens of grant %(grant)s are forgotten: where this Webex revokes is unknown",
                {"grant": _name(record)},
            )
        else:
            log.info("the tokens of grant %(grant)s are revoked", {"grant": _name(record)})
        return True

    async def _tokens(self, record: Revocation) -> TokenSet | None:
        """Return the tokens; None if the person has the same ones again.

        A server may give a person who signs in again the refresh token that they had. Revoking it
        would end what they have now.
        """
        current = await self._context.ledger.find_grant(record.grant_key)
        is_needed = current is not None and is_shared(record.tokens, current.record.tokens)
        return None if is_needed else record.tokens

    async def _keep_trying(self, record: Revocation, error: Exception) -> None:
        if record.try_count >= MAX_TRIES:
            await self._context.ledger.drop_revocation(record)
            log.error(
                "the tokens of grant %(grant)s were not revoked and end by themselves: %(error)s",
                {"grant": _name(record), "error": _text(error)},
            )
            return
        due_at = self._context.clock() + wait_seconds(record.try_count, error)
        await self._context.ledger.postpone_revocation(record, due_at)
        _log_postponed(record, error)

    async def _queue(self, grant: Grant, wait: int) -> None:
        context = self._context
        try:
            version = new_version(grant, None, context.randomness)
            await context.ledger.add_revocation(revocation_of(version, context.clock() + wait))
        except WebexOAuthError:
            log.exception("tokens were not revoked and could not be queued")


class _Revoker:
    """Revoke tokens at Webex (RFC 7009), and leave it alone for as long as it asks."""

    def __init__(self, context: FlowContext) -> None:
        self._context = context
        self._quiet_until = 0.0

    @property
    def quiet_seconds(self) -> int:
        """For how long the server asked to be left alone."""
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


def wait_seconds(try_count: int, error: Exception) -> int:
    """Return how long to wait after that many tries: twice as long each time, up to six hours.

    A server whose *error* asks for longer is obeyed.
    """
    asked_seconds = error.retry_after_seconds if isinstance(error, UpstreamError) else None
    doublings = min(max(try_count - 1, 0), MAX_TRIES)
    own = min(FIRST_WAIT_SECONDS << doublings, LONGEST_WAIT_SECONDS)
    return max(own, asked_seconds or 0)


def is_shared(tokens: TokenSet, others: TokenSet) -> bool:
    """Check whether revoking *tokens* would end *others*."""
    if tokens.refresh_token is not None and tokens.refresh_token == others.refresh_token:
        return True
    return tokens.access_token == others.access_token


def _log_postponed(record: Revocation, error: Exception) -> None:
    log.warning(
        "the revocation of grant %(grant)s is postponed: %(error)s",
        {"grant": _name(record), "error": _text(error)},
    )


def _text(error: Exception) -> str:
    return str(error) or type(error).__name__


def _name(record: Revocation) -> str:
    return name_of_grant(record.grant_key)
