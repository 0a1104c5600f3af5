"""The vault: gives access tokens that are good, and keeps grants alive (RFC 6749 section 6)."""

import logging
from dataclasses import dataclass, replace

from webex_oauth.errors import (
    InvalidGrant,
    ReauthRequired,
    StoreConflict,
    TokenError,
    UpstreamError,
)
from webex_oauth.oauth.server import AuthorizationServer, Client
from webex_oauth.oauth.token import TokenSet, merge_tokens, read_token_response, refresh_request
from webex_oauth.ports import TOKEN_LIMITS, Clock, Transport
from webex_oauth.secret import Secret
from webex_oauth.vault.flights import Flights
from webex_oauth.vault.grants import Grant, open_grant, seal_grant
from webex_oauth.vault.records import GrantRecord
from webex_oauth.vault.refresh import Reauthorize, ReauthReason, Serve, lives, plan, plan_renewal
from webex_oauth.vault.sealing import Sealer
from webex_oauth.vault.store import Store

DEFAULT_MIN_TTL_SECONDS = 60
STORE_SECONDS = 2.0
COMMIT_TRIES = 3
FLIGHT_SECONDS = TOKEN_LIMITS.deadline_seconds + (1 + 2 * COMMIT_TRIES) * STORE_SECONDS

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Held:
    record: GrantRecord
    grant: Grant

    @property
    def access_token(self) -> Secret:
        return self.grant.tokens.access_token


class Vault:
    """Hand out access tokens of grants, refreshing each once for all who wait for it."""

    def __init__(
        self,
        store: Store,
        sealer: Sealer,
        transport: Transport,
        server: AuthorizationServer,
        client: Client,
        clock: Clock,
    ) -> None:
        self._store = store
        self._sealer = sealer
        self._transport = transport
        self._server = server
        self._client = client
        self._clock = clock
        self._flights: Flights[Secret] = Flights(FLIGHT_SECONDS)

    async def grant(self, key: bytes) -> Grant:
        """Give a grant as it is, tokens and all; raise ReauthRequired when there is none."""
        return (await self._hold(key)).grant

    async def access_token(
        self, key: bytes, *, min_ttl_seconds: int = DEFAULT_MIN_TTL_SECONDS
    ) -> Secret:
        """Give an access token that is good for *min_ttl_seconds*, refreshed where needed.

        A failed refresh costs nothing while the old token lives: it is served. Raises
        ReauthRequired when only the person can help, UpstreamError, InvalidClient or
        TokenRequestRefused when no refresh was possible, StoreUnavailable, VaultError.
        """
        held = await self._hold(key)
        step = plan(held.grant, self._clock(), min_ttl_seconds)
        if isinstance(step, Serve):
            return step.access_token
        if isinstance(step, Reauthorize):
            raise ReauthRequired(step.reason)
        try:
            return await self._renew(key, held.access_token)
        except (UpstreamError, TokenError) as error:
            if not lives(held.grant.tokens, self._clock()):
                raise
            _log.warning("grant %s: serving the old token: %s", _name(key), error)
            return held.access_token

    async def refreshed(self, key: bytes, refused: Secret) -> Secret:
        """Give another access token than *refused*, which the API did not accept.

        Refreshes unless somebody already did. Raises as `access_token` does.
        """
        held = await self._hold(key)
        if held.access_token != refused:
            return await self.access_token(key)
        return await self._renew(key, refused)

    async def close(self, grace_seconds: float = FLIGHT_SECONDS) -> None:
        """Start no more refreshes; let those under way finish within *grace_seconds*."""
        await self._flights.drain(grace_seconds)

    async def _renew(self, key: bytes, stale: Secret) -> Secret:
        return await self._flights.join(key, lambda: self._refresh(key, stale))

    async def _refresh(self, key: bytes, stale: Secret) -> Secret:
        held = await self._hold(key)
        if held.access_token != stale:
            return held.access_token
        step = plan_renewal(held.grant, self._clock())
        if isinstance(step, Reauthorize):
            raise ReauthRequired(step.reason)
        try:
            fresh = await self._ask(step.refresh_token)
        except InvalidGrant as refusal:
            return await self._after_refusal(held, refusal)
        return await self._commit(held, merge_tokens(held.grant.tokens, fresh))

    async def _ask(self, refresh_token: Secret) -> TokenSet:
        requested_at = self._clock()
        request = refresh_request(self._server, self._client, refresh_token)
        response = await self._transport.send(request, TOKEN_LIMITS)
        return read_token_response(self._server, response, requested_at)

    async def _commit(self, held: _Held, tokens: TokenSet) -> Secret:
        scopes = held.grant.scopes if tokens.scopes is None else tokens.scopes
        grant = replace(held.grant, tokens=tokens, scopes=scopes)
        return await self._write(held, grant)

    async def _after_refusal(self, held: _Held, refusal: InvalidGrant) -> Secret:
        marked = replace(held.grant, reauth_reason=ReauthReason.REFRESH_TOKEN_REFUSED.value)
        token = await self._write(held, marked)
        if token != held.access_token:
            return token
        _log.warning("grant %s: the refresh token was refused", _name(held.record.key))
        raise ReauthRequired(ReauthReason.REFRESH_TOKEN_REFUSED) from refusal

    async def _write(self, held: _Held, grant: Grant) -> Secret:
        """Write *grant* over *held*, unless newer tokens are there: then give theirs."""
        for _ in range(COMMIT_TRIES):
            record = seal_grant(self._sealer, grant, held.record)
            try:
                await self._store.replace_grant(record, held.record.version)
            except StoreConflict:
                current = await self._hold(held.record.key)
                if current.access_token != held.access_token:
                    _log.info("grant %s: adopted newer tokens", _name(held.record.key))
                    return current.access_token
                held = current
            else:
                return grant.tokens.access_token
        raise StoreConflict("the grant kept moving")

    async def _hold(self, key: bytes) -> _Held:
        record = await self._store.find_grant(key)
        if record is None:
            raise ReauthRequired(ReauthReason.GRANT_ENDED)
        return _Held(record, open_grant(self._sealer, record))


def _name(key: bytes) -> str:
    return key.hex()[:12]
