"""The vault: gives access tokens that are good, and keeps grants alive (RFC 6749 section 6)."""

import logging
from enum import Enum

from webex_oauth.errors import (
    ReauthReason,
    ReauthRequired,
    TokenError,
    UpstreamError,
)
from webex_oauth.oauth.server import AuthorizationServer, Client
from webex_oauth.ports import Clock, Randomness, Transport
from webex_oauth.secret import Secret
from webex_oauth.vault.context import VaultContext
from webex_oauth.vault.flights import Flights
from webex_oauth.vault.grants import Grant, Held
from webex_oauth.vault.plan import (
    Claim,
    Reauthorize,
    Serve,
    ServeAndRenew,
    TakeBack,
    is_fresh,
    plan,
    plan_renewal,
)
from webex_oauth.vault.records import check_grant_key, check_secret
from webex_oauth.vault.refresh import Refresh
from webex_oauth.vault.rescue import Rescue
from webex_oauth.vault.sealing import Sealer
from webex_oauth.vault.store import Store
from webex_oauth.vault.timing import Timing
from webex_oauth.vault.token_endpoint import TokenEndpoint

DEFAULT_MIN_TTL_SECONDS = 60
CLOSED = "the vault is closed: use an integration inside its `async with` block, or open another"

log = logging.getLogger(__name__)


class Kept(Enum):
    """Say what became of a grant that was looked at to be kept.

    RENEWED: it has new tokens. NOT_DUE: it needs nothing now, or is gone. POSTPONED: it has to be
    tried again later. NEEDS_PERSON: no refresh can help, and it is not due any more.
    """

    RENEWED = "renewed"
    NOT_DUE = "not_due"
    POSTPONED = "postponed"
    NEEDS_PERSON = "needs_person"


class Vault:
    """Hand out access tokens of grants, refreshing each once for all who wait for it.

    *sign_in_url* is where a person goes when only they can help.
    """

    def __init__(  # noqa: PLR0913 - everything it works with comes in here
        self,
        store: Store,
        sealer: Sealer,
        transport: Transport,
        server: AuthorizationServer,
        client: Client,
        clock: Clock,
        *,
        rescue: Rescue,
        randomness: Randomness,
        sign_in_url: str,
        timing: Timing | None = None,
    ) -> None:
        timing = timing or Timing()
        context = VaultContext(store, sealer, clock, randomness, rescue, timing, sign_in_url)
        self._is_closed = False
        self._context = context
        self._endpoint = TokenEndpoint(transport, server, client, timing.request_seconds)
        self._refresh = Refresh(context, self._endpoint)
        self._flights: Flights[Secret] = Flights(timing.flight_seconds)

    @property
    def quiet_seconds(self) -> int:
        """How long the token endpoint wants to be left alone by everybody; 0 when it does not."""
        now = self._context.clock()
        cooling = self._endpoint.cooldown.cooling(now)
        return 0 if cooling is None else cooling.until - now

    async def grant(self, key: bytes) -> Grant:
        """Give a grant as it is, tokens and all; raise ReauthRequired when there is none."""
        self._check_use(key)
        return (await self._context.hold(key)).grant

    async def access_token(
        self, key: bytes, *, min_ttl_seconds: int = DEFAULT_MIN_TTL_SECONDS
    ) -> Secret:
        """Give an access token that is good for *min_ttl_seconds*, refreshed where needed.

        A failed refresh costs nothing while the old token lives: it is served. Raises
        ReauthRequired when only the person can help, UpstreamError, InvalidClient or
        TokenRequestRefused when no refresh was possible, StoreUnavailable, VaultError.
        """
        self._check_use(key)
        held = await self._context.hold(key)
        if is_fresh(held, self._context.clock(), min_ttl_seconds):
            return held.access_token
        step = plan(held, self._refresh.situation(held), min_ttl_seconds)
        if isinstance(step, ServeAndRenew):
            self._flights.launch(key, lambda: self._refresh.run(key, held.access_token))
        if isinstance(step, Serve | ServeAndRenew):
            return step.access_token
        return await self._renewed_or_old(key, held)

    async def refreshed(self, key: bytes, refused: Secret) -> Secret:
        """Give another access token than *refused*, which the API did not accept.

        Refreshes unless that was done already. Raises as `access_token` does.
        """
        await self.refuse(key, refused)
        try:
            return await self.access_token(key)
        except (UpstreamError, TokenError, ReauthRequired):
            # A refresh that began before the refusal may have written over the mark.
            await self.refuse(key, refused)
            raise

    async def refuse(self, key: bytes, refused: Secret) -> None:
        """Remember for every process on the store that the API does not accept *refused*.

        Raises ReauthRequired when the grant was ended, StoreUnavailable or VaultError.
        """
        self._check_use(key)
        check_secret(refused)
        self._context.refused.remember(refused)
        held = await self._context.hold(key)
        if held.has(refused):
            await self._context.refused.mark(held)

    def reauth(self, key: bytes, reason: str) -> ReauthRequired:
        """Return the error that says why the person is needed, where, and whose grant it is."""
        return self._context.reauth(reason, key)

    async def keep(self, key: bytes) -> Kept:
        """Renew a grant that is due to be kept alive, whether anybody uses it or not.

        Raises StoreUnavailable or VaultError.
        """
        check_grant_key(key)
        if self._is_closed:
            return Kept.POSTPONED
        held = await self._context.find(key)
        if (
            held is None
            or held.record.keep_at is None
            or self._context.clock() < held.record.keep_at
        ):
            return Kept.NOT_DUE
        step = plan_renewal(held, self._refresh.situation(held))
        if isinstance(step, Reauthorize):
            await self._refresh.retire(held, step)
            return Kept.NEEDS_PERSON
        if not isinstance(step, Claim | TakeBack):
            return Kept.POSTPONED
        try:
            await self._renewed(key, held.access_token)
        except ReauthRequired as error:
            is_over = error.reason == ReauthReason.GRANT_ENDED
            return Kept.NOT_DUE if is_over else Kept.NEEDS_PERSON
        except (UpstreamError, TokenError):
            return Kept.POSTPONED
        return Kept.RENEWED

    async def close(self, grace_seconds: float | None = None) -> None:
        """Start no more refreshes; let those under way finish within *grace_seconds*.

        Without *grace_seconds* they have all the time that one may take.
        """
        self._is_closed = True
        await self._flights.drain(
            self._context.timing.flight_seconds if grace_seconds is None else grace_seconds
        )

    def _check_use(self, key: bytes) -> None:
        """Raise TypeError for what is no key, RuntimeError after the end."""
        check_grant_key(key)
        if self._is_closed:
            raise RuntimeError(CLOSED)

    async def _renewed(self, key: bytes, stale: Secret) -> Secret:
        return await self._flights.join(key, lambda: self._refresh.run(key, stale))

    async def _renewed_or_old(self, key: bytes, held: Held) -> Secret:
        try:
            return await self._renewed(key, held.access_token)
        except (UpstreamError, TokenError, ReauthRequired) as error:
            if _is_ended(error) or not held.lives(self._context.clock()):
                raise
            held = await self._context.hold(key)  # which the API may have refused meanwhile
            if not held.lives(self._context.clock()):
                raise
            log.debug(
                "serving the old token of grant %(grant)s: %(error)s",
                {"grant": held.name, "error": str(error)},
            )
            return held.access_token


def _is_ended(error: Exception) -> bool:
    return isinstance(error, ReauthRequired) and error.reason == ReauthReason.GRANT_ENDED
