"""A refresh: claim, request, commit, until the grant has other tokens (RFC 6749 section 6).

Claim: this process takes the lease on the row as it was read. Request: the refresh token goes to
the token endpoint once. Commit: what came goes over the version that was claimed; what the store
does not take goes to the rescue.
"""

import asyncio
import logging
from contextlib import suppress

from msgspec.structs import replace

from webex_oauth.errors import (
    ReauthReason,
    ReauthRequired,
    RefreshPostponed,
    StoreError,
    TokenError,
    UpstreamError,
    VaultError,
)
from webex_oauth.oauth.token import TokenSet, merge_tokens
from webex_oauth.ports import Clock, Randomness, random_share
from webex_oauth.secret import Secret
from webex_oauth.vault.commit import Commit, HeldLease, Notes
from webex_oauth.vault.ledger import Ledger
from webex_oauth.vault.plan import (
    MOST_PRESENTATIONS,
    Claim,
    Held,
    Reauthorize,
    Situation,
    TakeBack,
    Timing,
    may_rotate,
    plan_renewal,
    seconds_left,
)
from webex_oauth.vault.records import Grant, Trouble, name_of_grant, new_version
from webex_oauth.vault.rescue import Rescue
from webex_oauth.vault.rows import Entry
from webex_oauth.vault.token_endpoint import Cooling, Failure, TokenEndpoint, judge, retry_at

log = logging.getLogger(__name__)


class Refresh:
    """New tokens for grants: one process at a time has the lease, and the version decides."""

    def __init__(
        self,
        ledger: Ledger,
        endpoint: TokenEndpoint,
        rescue: Rescue,
        clock: Clock,
        randomness: Randomness,
        *,
        timing: Timing,
        sign_in_url: str,
    ) -> None:
        self._ledger = ledger
        self._endpoint = endpoint
        self._rescue = rescue
        self._clock = clock
        self._randomness = randomness
        self._timing = timing
        self._sign_in_url = sign_in_url
        self._commit = Commit(ledger, clock, randomness, timing)
        self.renewed: Notes[int] = Notes()  # which version of a grant this process got last

    # What this process sees

    async def hold(self, key: bytes) -> Held:
        """Find a grant, rescued tokens included; raise ReauthRequired if it was ended."""
        return self._see(key, await self._ledger.find_grant(key))

    def situation(self, held: Held) -> Situation:
        """Return what this process knows beside the row."""
        now = self._clock()
        return Situation(
            now=now,
            owner=self._commit.owner,
            is_rotating=self._endpoint.is_rotating,
            endpoint=self._endpoint.cooling(now),
            reason=self._commit.noted_reason(held.entry.record),
        )

    def reauth(self, reason: str, grant_key: bytes) -> ReauthRequired:
        """Return the error that says why the person is needed, where, and whose grant it is."""
        return ReauthRequired(reason, self._sign_in_url, grant=name_of_grant(grant_key))

    # Refreshing

    async def run(self, held: Held) -> Secret:
        """Return a token other than the one of *held*, refreshed by this process or another.

        It waits by the loop's clock, which never steps, ever longer between two looks.
        Raises ReauthRequired, UpstreamError, TokenError, StoreError or VaultError.
        """
        stale, timing = held.access_token, self._timing
        give_up_at, pause_seconds = _loop_time() + timing.wait_seconds, timing.first_poll_seconds
        while True:
            if held.is_refused:
                held = await self.mark_refused(held)
            if held.access_token != stale and held.lives(self._clock()):
                return held.access_token
            token = await self._step(held)
            if token is not None:
                return token
            if _loop_time() >= give_up_at:
                left = seconds_left(held.entry.record.lease, self._clock())
                raise RefreshPostponed("another process is refreshing", left)
            await asyncio.sleep(pause_seconds)
            pause_seconds = min(2 * pause_seconds, timing.last_poll_seconds)
            held = await self.hold(held.grant.key)

    async def retire(self, held: Held, step: Reauthorize) -> None:
        """Stop keeping a grant alive for which no refresh can do anything."""
        if not step.is_written:
            is_missing = step.reason == ReauthReason.REFRESH_TOKEN_MISSING
            await self._commit.reason(held.entry, None if is_missing else step.reason)

    async def refuse(self, key: bytes, access_token: Secret) -> None:
        """Hand out *access_token* no more, here or in any other process on the store."""
        self._commit.note_refused(access_token)
        held = await self.hold(key)
        if held.access_token == access_token:
            await self.mark_refused(held)

    async def mark_refused(self, held: Held) -> Held:
        """Write into the row that the access token was refused; return the grant as it is then.

        Raises ReauthRequired if it was ended, StoreError or VaultError.
        """
        if held.is_rescued:
            return held  # the token is not in the row
        return self._see(held.grant.key, await self._commit.refused(held.entry))

    def _see(self, key: bytes, entry: Entry[Grant] | None) -> Held:
        if entry is None:
            raise self.reauth(ReauthReason.GRANT_ENDED, key)
        grant = self._rescue.find(entry.record) or entry.record
        return Held(entry, grant, is_refused=self._commit.is_refused(grant))

    async def _step(self, held: Held) -> Secret | None:
        """Take the next step; None if the row has to be read again after it."""
        situation = self.situation(held)
        match step := plan_renewal(held, situation):
            case Reauthorize():
                return await self._give_up_unclaimed(held, step)
            case Cooling():
                raise step.error(situation.now)
            case TakeBack():
                await self._commit.take_back(held.entry)
            case Claim():
                return await self._claim(held, step)
        return None

    async def _give_up_unclaimed(self, held: Held, step: Reauthorize) -> Secret | None:
        if not step.is_written and step.reason != ReauthReason.REFRESH_TOKEN_MISSING:
            with suppress(StoreError):
                current = await self._commit.reason(held.entry, step.reason)
                if current is None or not current.has(held.access_token):
                    return None
        raise self.reauth(step.reason, held.grant.key)

    # Claim

    async def _claim(self, held: Held, step: Claim) -> Secret | None:
        if step.is_takeover:
            # The process that died may have left tokens behind, on this machine.
            await self._rescue.look()
            if self._rescue.find(held.entry.record) is not None:
                return None
        lease = await self._commit.claim(held.entry)
        if lease is None:
            return None
        async with lease:
            if step.is_takeover and await self._is_overtaken(lease):
                return None
            return await self._request(lease, step.refresh_token)

    async def _is_overtaken(self, lease: HeldLease) -> bool:
        """Wait a moment for tokens of the earlier holder; check whether they came.

        It may be alive and cut off from the store: then it has spent a refresh token that a server
        which rotates takes once. Raises ReauthRequired or StoreError.
        """
        if not self._may_rotate(lease):
            return False
        await asyncio.sleep(self._timing.takeover_seconds)
        try:
            current = await self.hold(lease.grant.key)
        except StoreError:
            await lease.release(_unpresented(lease.grant))
            raise
        return current.entry.record.version != lease.grant.version

    # Request

    async def _request(self, lease: HeldLease, refresh_token: Secret) -> Secret | None:
        """Present *refresh_token*; return the access token that is in the row afterwards.

        None if nothing is decided and the lease is gone: the caller plans again. Raises
        ReauthRequired, UpstreamError, TokenError or StoreError.
        """
        if not lease.is_steady:
            await lease.release(_unpresented(lease.grant))
            return None
        requested_at = self._clock()
        try:
            tokens = await self._endpoint.refresh(refresh_token, requested_at)
        except (UpstreamError, TokenError) as error:
            return await self._after_failure(lease, error)
        return await self._store(lease, tokens, requested_at)

    async def _after_failure(
        self, lease: HeldLease, error: UpstreamError | TokenError
    ) -> Secret | None:
        failure = judge(error)
        if failure.is_final:
            self._endpoint.note_answer()
            return await self._after_refusal(lease, error)
        log.warning(
            "the refresh of grant %(grant)s failed: %(error)s",
            {"grant": lease.grant.name, "error": str(error)},
        )
        self._endpoint.note_failure(failure, self._clock(), random_share(self._randomness))
        if failure.is_ambiguous and self._may_rotate(lease):
            # One replay of a token that may be spent: at once if there is time left.
            if lease.grant.trouble.presented_count >= MOST_PRESENTATIONS:
                return await self._give_up(lease, ReauthReason.REFRESH_AMBIGUOUS, error)
            if failure.is_silence:
                await lease.release(lease.grant.trouble)
                return None
        await lease.release(self._left_behind(lease.grant, failure))
        raise error

    async def _after_refusal(
        self, lease: HeldLease, refusal: UpstreamError | TokenError
    ) -> Secret | None:
        was_presented = lease.grant.trouble.presented_count > 1
        reason = self._reason(lease, was_presented=was_presented)
        wait_seconds = self._timing.look_again_seconds if was_presented else 0.0
        try:
            newer = await self._newer(lease, wait_seconds)
        except StoreError:
            self._commit.note_reason(lease.grant, reason)
            raise
        if newer is not None:
            return self._token_in(newer)
        return await self._give_up(lease, reason, refusal)

    def _reason(self, lease: HeldLease, *, was_presented: bool) -> ReauthReason:
        if was_presented and self._may_rotate(lease):
            return ReauthReason.REFRESH_AMBIGUOUS
        ends_at = lease.grant.tokens.refresh_expires_at
        if ends_at is not None and ends_at <= self._clock():
            return ReauthReason.REFRESH_TOKEN_EXPIRED
        return ReauthReason.REFRESH_TOKEN_REFUSED

    async def _newer(self, lease: HeldLease, wait_seconds: float) -> Grant | None:
        """Return the grant once it has other tokens than the claimed ones; None if it does not.

        Waits *wait_seconds* for another process that presented the same refresh token before.
        Raises ReauthRequired if the row is gone.
        """
        give_up_at = _loop_time() + wait_seconds
        while True:
            grant = (await self.hold(lease.grant.key)).grant
            if not grant.has(lease.grant.tokens.access_token):
                return grant
            if _loop_time() >= give_up_at:
                return None
            await asyncio.sleep(self._timing.first_poll_seconds)

    # Commit

    async def _store(self, lease: HeldLease, tokens: TokenSet, requested_at: int) -> Secret | None:
        """Write what came; what the store does not take goes to the rescue, whatever happens."""
        fresh = self._renewed(lease.grant, tokens, requested_at)
        self.renewed[fresh.key] = fresh.version
        current: Grant | None = fresh
        try:
            current = await self._commit.tokens(fresh, lease.entry)
        except (StoreError, VaultError) as error:
            log.warning(
                "fresh tokens of grant %(grant)s could not be stored and are rescued: %(error)s",
                {"grant": fresh.name, "error": str(error)},
            )
            await self._rescue.keep(fresh)
        except BaseException:  # a cancellation, or an error that nobody thought of
            self._rescue.keep_at_once(fresh)
            raise
        if fresh.is_access_refused:
            # The server returned the same access token again, which the API has refused.
            raise self.reauth(ReauthReason.ACCESS_TOKEN_REFUSED, fresh.key)
        if current is None:
            raise self.reauth(ReauthReason.GRANT_ENDED, fresh.key)
        return self._token_in(current)

    async def _give_up(
        self, lease: HeldLease, reason: str, error: UpstreamError | TokenError
    ) -> Secret | None:
        current = await self._commit.reason(lease.entry, reason)
        if current is None:
            raise self.reauth(ReauthReason.GRANT_ENDED, lease.grant.key)
        if current.has(lease.grant.tokens.access_token):
            raise self.reauth(reason, lease.grant.key) from error
        return self._token_in(current)

    def _renewed(self, claimed: Grant, tokens: TokenSet, issued_at: int) -> Grant:
        """Return the next version: with fresh *tokens*, and what they reveal of their server."""
        old, new = claimed.tokens.refresh_token, tokens.refresh_token
        is_another = new is not None and new != old
        renewed = replace(
            claimed,
            tokens=merge_tokens(claimed.tokens, tokens),
            scopes=claimed.scopes if tokens.scopes is None else tokens.scopes,
            issued_at=issued_at,
            rotates=is_another or claimed.rotates is True,
            is_access_refused=claimed.has(tokens.access_token) and self._commit.is_refused(claimed),
        )
        return new_version(renewed, claimed, self._randomness)

    def _token_in(self, current: Grant) -> Secret | None:
        """Return the token in the row; None if the API refused that one too."""
        return None if self._commit.is_refused(current) else current.tokens.access_token

    def _may_rotate(self, lease: HeldLease) -> bool:
        return may_rotate(lease.grant, default=self._endpoint.is_rotating)

    def _left_behind(self, claimed: Grant, failure: Failure) -> Trouble:
        trouble = claimed.trouble
        failure_count = 0 if failure.is_throttled else trouble.failure_count + 1
        share = random_share(self._randomness)
        return Trouble(
            presented_count=trouble.presented_count - (0 if failure.is_ambiguous else 1),
            failure_count=failure_count,
            retry_at=retry_at(failure, failure_count, self._clock(), share),
        )


def _loop_time() -> float:
    return asyncio.get_running_loop().time()


def _unpresented(claimed: Grant) -> Trouble:
    return replace(claimed.trouble, presented_count=claimed.trouble.presented_count - 1)
