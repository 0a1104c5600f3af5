"""A presentation: a claimed refresh token goes to the token endpoint once; what becomes of it."""

import asyncio
import logging
from dataclasses import replace

from webex_oauth.errors import ReauthReason, StoreError, TokenError, UpstreamError, VaultError
from webex_oauth.oauth.token import TokenSet, merge_tokens
from webex_oauth.secret import Secret
from webex_oauth.vault.commit import Commit, Reasons
from webex_oauth.vault.context import VaultContext
from webex_oauth.vault.cooldown import Trouble, judge, retry_at
from webex_oauth.vault.grants import Grant, Held, seal_grant
from webex_oauth.vault.heartbeat import Heartbeat
from webex_oauth.vault.leases import Leases
from webex_oauth.vault.plan import MOST_PRESENTATIONS, may_rotate
from webex_oauth.vault.records import RefreshTrouble
from webex_oauth.vault.token_endpoint import TokenEndpoint

log = logging.getLogger(__name__)


class Presentation:
    """Present refresh tokens, each under a lease, and write down what came of it."""

    def __init__(
        self,
        context: VaultContext,
        endpoint: TokenEndpoint,
        leases: Leases,
        commit: Commit,
        reasons: Reasons,
    ) -> None:
        self._context = context
        self._endpoint = endpoint
        self._leases = leases
        self._commit = commit
        self._reasons = reasons

    async def is_overtaken(self, claimed: Held) -> bool:
        """Give the holder before this one a moment to write its tokens; check whether it did.

        It may live and have been cut off from the store: then it has spent a refresh token that a
        server which rotates takes once. Raises ReauthRequired or StoreError.
        """
        if not self._may_rotate(claimed):
            return False
        await asyncio.sleep(self._context.timing.takeover_seconds)
        try:
            current = await self._context.hold(claimed.record.key)
        except StoreError:
            await self._leases.release(claimed, _unpresented(claimed))
            raise
        return current.record.version != claimed.record.version

    async def present(
        self, claimed: Held, refresh_token: Secret, heartbeat: Heartbeat
    ) -> Secret | None:
        """Present *refresh_token*; give the access token that is in the row afterwards.

        None when nothing is decided and the lease is gone: the caller plans again. Raises
        ReauthRequired, UpstreamError, TokenError or StoreError.
        """
        if not heartbeat.is_steady:
            await self._leases.release(claimed, _unpresented(claimed))
            return None
        requested_at = self._context.clock()
        try:
            tokens = await self._endpoint.refresh(refresh_token, requested_at)
        except (UpstreamError, TokenError) as error:
            return await self._after_failure(claimed, error)
        self._endpoint.cooldown.note_success()
        return await self._keep(claimed, _renewed(claimed, tokens, requested_at))

    async def _keep(self, claimed: Held, grant: Grant) -> Secret | None:
        """Write what came; what the store does not take goes to the rescue, whatever happens."""
        record = seal_grant(self._context.sealer, grant, claimed.record)
        fresh = Held(record, grant, is_refused=grant.is_access_refused)
        try:
            current = await self._commit.tokens(fresh)
        except (StoreError, VaultError) as error:
            log.warning(
                "fresh tokens of grant %(grant)s could not be stored and are rescued: %(error)s",
                {"grant": fresh.name, "error": str(error)},
            )
            await self._context.rescue.keep(fresh)
            current = fresh
        except asyncio.CancelledError:
            self._context.rescue.keep_at_once(fresh)
            raise
        if fresh.is_refused:
            # The server gave the same access token again, which the API has refused.
            raise self._context.reauth(ReauthReason.ACCESS_TOKEN_REFUSED, fresh.record.key)
        return self._token_in(current, claimed)

    async def _after_failure(
        self, claimed: Held, error: UpstreamError | TokenError
    ) -> Secret | None:
        trouble = judge(error)
        if trouble.is_final:
            self._endpoint.cooldown.note_success()
            return await self._after_refusal(claimed, error)
        log.warning(
            "the refresh of grant %(grant)s failed: %(error)s",
            {"grant": claimed.name, "error": str(error)},
        )
        self._endpoint.cooldown.note_failure(trouble, self._context.clock(), self._context.share())
        if not (trouble.is_ambiguous and self._may_rotate(claimed)):
            await self._leases.release(claimed, self._left_behind(claimed, trouble))
            raise error
        return await self._after_ambiguity(claimed, trouble, error)

    async def _after_ambiguity(
        self, claimed: Held, trouble: Trouble, error: UpstreamError | TokenError
    ) -> Secret | None:
        """Allow the one replay of a token that may be spent: at once where time is left."""
        if claimed.record.presented_count >= MOST_PRESENTATIONS:
            return await self._give_up(claimed, ReauthReason.REFRESH_AMBIGUOUS, error)
        if not trouble.is_silence:
            await self._leases.release(claimed, self._left_behind(claimed, trouble))
            raise error
        await self._leases.release(claimed, claimed.record.trouble)
        return None

    async def _after_refusal(
        self, claimed: Held, refusal: UpstreamError | TokenError
    ) -> Secret | None:
        was_presented = claimed.record.presented_count > 1
        reason = self._reason(claimed, was_presented=was_presented)
        try:
            newer = await self._look_again(claimed) if was_presented else await self._newer(claimed)
        except StoreError:
            self._reasons.remember(claimed, reason)
            raise
        if newer is not None:
            return self._token_in(newer, claimed)
        return await self._give_up(claimed, reason, refusal)

    def _reason(self, claimed: Held, *, was_presented: bool) -> ReauthReason:
        if was_presented and self._may_rotate(claimed):
            return ReauthReason.REFRESH_AMBIGUOUS
        ends_at = claimed.grant.tokens.refresh_expires_at
        if ends_at is not None and ends_at <= self._context.clock():
            return ReauthReason.REFRESH_TOKEN_EXPIRED
        return ReauthReason.REFRESH_TOKEN_REFUSED

    async def _give_up(
        self, claimed: Held, reason: str, error: UpstreamError | TokenError
    ) -> Secret | None:
        current = await self._reasons.write(claimed, reason)
        if current is not None and current.has(claimed.access_token):
            raise self._context.reauth(reason, claimed.record.key) from error
        return self._token_in(current, claimed)

    async def _look_again(self, claimed: Held) -> Held | None:
        """Wait a moment for the tokens of whoever presented the same refresh token before."""
        clock = asyncio.get_running_loop().time
        give_up_at = clock() + self._context.timing.look_again_seconds
        while True:
            newer = await self._newer(claimed)
            if newer is not None or clock() >= give_up_at:
                return newer
            await asyncio.sleep(self._context.timing.first_poll_seconds)

    async def _newer(self, claimed: Held) -> Held | None:
        """Find other tokens than the claimed ones; raises ReauthRequired when the row is gone."""
        current = await self._context.hold(claimed.record.key)
        return None if current.has(claimed.access_token) else current

    def _token_in(self, current: Held | None, claimed: Held) -> Secret | None:
        """Return the token in the row; None when the API refused that one too."""
        if current is None:
            raise self._context.reauth(ReauthReason.GRANT_ENDED, claimed.record.key)
        return None if current.is_refused else current.access_token

    def _may_rotate(self, claimed: Held) -> bool:
        return may_rotate(claimed.grant, default=self._endpoint.is_rotating)

    def _left_behind(self, claimed: Held, trouble: Trouble) -> RefreshTrouble:
        record, context = claimed.record, self._context
        failure_count = 0 if trouble.is_throttled else record.failure_count + 1
        return RefreshTrouble(
            presented_count=record.presented_count - (0 if trouble.is_ambiguous else 1),
            failure_count=failure_count,
            retry_at=retry_at(trouble, failure_count, context.clock(), context.share()),
        )


def _unpresented(claimed: Held) -> RefreshTrouble:
    before = claimed.record.trouble
    return replace(before, presented_count=before.presented_count - 1)


def _renewed(claimed: Held, tokens: TokenSet, issued_at: int) -> Grant:
    """Put fresh *tokens* into the claimed grant, and what they tell of their server."""
    grant = claimed.grant
    old, new = grant.tokens.refresh_token, tokens.refresh_token
    is_another = new is not None and new != old
    return replace(
        grant,
        tokens=merge_tokens(grant.tokens, tokens),
        scopes=grant.scopes if tokens.scopes is None else tokens.scopes,
        issued_at=issued_at,
        rotates=is_another or grant.rotates is True,
        is_access_refused=claimed.is_refused and claimed.has(tokens.access_token),
    )
