"""A refresh: claim, request, commit, until the grant has other tokens (RFC 6749 section 6)."""

import asyncio
from contextlib import suppress

from webex_oauth.errors import ReauthReason, RefreshPostponed, StoreError
from webex_oauth.secret import Secret
from webex_oauth.vault.commit import Commit, Reasons
from webex_oauth.vault.context import VaultContext
from webex_oauth.vault.grants import Held
from webex_oauth.vault.heartbeat import Heartbeat
from webex_oauth.vault.leases import Leases
from webex_oauth.vault.plan import (
    Claim,
    CoolDown,
    Reauthorize,
    Situation,
    TakeBack,
    plan_renewal,
    seconds_left,
)
from webex_oauth.vault.presentation import Presentation
from webex_oauth.vault.timing import Timing
from webex_oauth.vault.token_endpoint import TokenEndpoint


class Refresh:
    """Bring grants new tokens; one process at a time has the lease, the version decides."""

    def __init__(self, context: VaultContext, endpoint: TokenEndpoint) -> None:
        self._context = context
        self._endpoint = endpoint
        self._leases = Leases(context)
        self._commit = Commit(context.store, context.sealer, context.clock)
        self._reasons = Reasons(self._commit)
        self._presentation = Presentation(
            context, endpoint, self._leases, self._commit, self._reasons
        )

    async def run(self, key: bytes, stale: Secret) -> Secret:
        """Get another access token than *stale*, be it somebody else's who was quicker.

        Raises ReauthRequired, UpstreamError, TokenError, StoreError or VaultError.
        """
        patience = _Patience(self._context.timing)
        while True:
            held = await self._context.hold(key)
            if not held.has(stale) and held.lives(self._context.clock()):
                return held.access_token
            if held.is_refused:
                await self._context.refused.mark(held)
            token = await self._step(held)
            if token is not None:
                return token
            await patience.pause(seconds_left(held.record, self._context.clock()))

    def situation(self, held: Held) -> Situation:
        """Tell what this process knows beside the row."""
        now = self._context.clock()
        return Situation(
            now=now,
            owner=self._leases.owner,
            is_rotating=self._endpoint.is_rotating,
            endpoint=self._endpoint.cooldown.cooling(now),
            reason=self._reasons.unwritten(held.record),
        )

    async def retire(self, held: Held, step: Reauthorize) -> None:
        """Stop keeping a grant alive for which no refresh can do anything."""
        if step.reason == ReauthReason.REFRESH_TOKEN_MISSING:
            await self._commit.end_of_keeping(held)
        elif not step.is_written:
            await self._reasons.write(held, step.reason)

    async def _step(self, held: Held) -> Secret | None:
        """Do what is to be done first; None when one has to look again afterwards."""
        situation = self.situation(held)
        step = plan_renewal(held, situation)
        match step:
            case Reauthorize():
                return await self._give_up(held, step)
            case CoolDown():
                raise step.cooling.error(situation.now)
            case TakeBack():
                await self._leases.take_back(held)
            case Claim():
                return await self._claim(held, step)
        return None

    async def _claim(self, held: Held, step: Claim) -> Secret | None:
        if step.is_takeover:
            # Whoever died may have left tokens behind, on this machine.
            await self._context.rescue.look()
            if self._context.rescue.find(held.record) is not None:
                return None
        claimed = await self._leases.claim(held)
        if claimed is None:
            return None
        async with Heartbeat(self._context, claimed) as heartbeat:
            if step.is_takeover and await self._presentation.is_overtaken(claimed):
                return None
            return await self._presentation.present(claimed, step.refresh_token, heartbeat)

    async def _give_up(self, held: Held, step: Reauthorize) -> Secret | None:
        if not step.is_written and step.reason != ReauthReason.REFRESH_TOKEN_MISSING:
            with suppress(StoreError):
                current = await self._reasons.write(held, step.reason)
                if current is None or not current.has(held.access_token):
                    return None
        raise self._context.reauth(step.reason, held.record.key)


class _Patience:
    """Pause ever longer, until it is over; measured by the loop's clock, which never steps."""

    def __init__(self, timing: Timing) -> None:
        self._give_up_at = _loop_time() + timing.wait_seconds
        self._pause_seconds = timing.first_poll_seconds
        self._last_seconds = timing.last_poll_seconds

    async def pause(self, retry_after_seconds: int) -> None:
        """Wait before the next look; raise RefreshPostponed when it lasts too long."""
        if _loop_time() >= self._give_up_at:
            raise RefreshPostponed("another process is refreshing", retry_after_seconds)
        await asyncio.sleep(self._pause_seconds)
        self._pause_seconds = min(2 * self._pause_seconds, self._last_seconds)


def _loop_time() -> float:
    return asyncio.get_running_loop().time()
