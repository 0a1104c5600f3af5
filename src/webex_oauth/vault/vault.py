"""The vault: hands out access tokens that are good, and keeps grants alive (RFC 6749 section 6).

A refresh is a single flight: all callers in this process who need it share it. It belongs to the
vault and not to those who wait: it completes even if all of them are cancelled.
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from enum import Enum
from typing import Any, Generic, TypeAlias, TypeVar

from webex_oauth.errors import (
    AnswerLost,
    DeadlineExceeded,
    ReauthReason,
    ReauthRequired,
    RequestNotSent,
    TokenError,
    UpstreamError,
)
from webex_oauth.oauth.server import AuthorizationServer, Client
from webex_oauth.ports import Clock, Randomness, Transport
from webex_oauth.secret import Secret
from webex_oauth.vault.ledger import Ledger
from webex_oauth.vault.plan import (
    Claim,
    Held,
    Reauthorize,
    Serve,
    TakeBack,
    Timing,
    is_fresh,
    plan,
    plan_renewal,
)
from webex_oauth.vault.records import Grant, check_grant_key, check_secret
from webex_oauth.vault.refresh import Refresh
from webex_oauth.vault.rescue import Rescue
from webex_oauth.vault.token_endpoint import TokenEndpoint

DEFAULT_MIN_TTL_SECONDS = 60
MOST_UNWATCHED = 32
CLOSED = "the vault is closed: use an integration inside its `async with` block, or open another"

T = TypeVar("T")
Start: TypeAlias = Callable[[], Coroutine[Any, Any, T]]

log = logging.getLogger(__name__)


class Kept(Enum):
    """What became of a grant that was looked at to be kept.

    RENEWED: this process got new tokens. NOT_DUE: it needs nothing now, or is gone. POSTPONED: it
    has to be tried again later. NEEDS_PERSON: no refresh can help, and it is not due any more.
    """

    RENEWED = "renewed"
    NOT_DUE = "not_due"
    POSTPONED = "postponed"
    NEEDS_PERSON = "needs_person"


class Vault:
    """Hand out access tokens of grants.

    *sign_in_url* is where a person goes when only they can help.
    """

    def __init__(  # noqa: PLR0913 - everything it works with comes in here
        self,
        ledger: Ledger,
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
        self._is_closed = False
        self._clock = clock
        self._flight_seconds = timing.flight_seconds
        self._endpoint = TokenEndpoint(transport, server, client, timing.request_seconds)
        self._refresh = Refresh(
            ledger,
            self._endpoint,
            rescue,
            clock,
            randomness,
            timing=timing,
            sign_in_url=sign_in_url,
        )
        self._flights: Flights[Secret] = Flights(timing.flight_seconds)

    @property
    def quiet_seconds(self) -> int:
        """How long to leave the token endpoint alone, for whatever grant; 0 if not at all."""
        now = self._clock()
        cooling = self._endpoint.cooling(now)
        return 0 if cooling is None else cooling.until - now

    async def grant(self, key: bytes) -> Grant:
        """Return a grant as it is, tokens and all; raise ReauthRequired if there is none."""
        self._check_use(key)
        return (await self._refresh.hold(key)).grant

    async def access_token(
        self, key: bytes, *, min_ttl_seconds: int = DEFAULT_MIN_TTL_SECONDS
    ) -> Secret:
        """Return an access token that is good for *min_ttl_seconds*, refreshed if needed.

        A failed refresh costs nothing while the old token lives: it is served. Raises
        ReauthRequired if only the person can help, UpstreamError, InvalidClient or
        TokenRequestRefused if no refresh was possible, StoreUnavailable, VaultError.
        """
        self._check_use(key)
        held = await self._refresh.hold(key)
        if is_fresh(held, self._clock(), min_ttl_seconds):
            return held.access_token
        step = plan(held, self._refresh.situation(held), min_ttl_seconds)
        if not isinstance(step, Serve):
            return await self._renewed_or_old(held)
        if step.renews:
            self._flights.launch(key, lambda: self._refresh.run(held))
        return step.access_token

    async def refreshed(self, key: bytes, refused: Secret) -> Secret:
        """Return another access token than *refused*, which the API did not accept.

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
        """Write down, for every process on the store, that the API does not accept *refused*.

        Raises ReauthRequired if the grant was ended, StoreUnavailable or VaultError.
        """
        self._check_use(key)
        check_secret(refused)
        await self._refresh.refuse(key, refused)

    def reauth(self, key: bytes, reason: str) -> ReauthRequired:
        """Return the error that says why the person is needed, where, and whose grant it is."""
        return self._refresh.reauth(reason, key)

    async def keep(self, key: bytes) -> Kept:
        """Renew a grant that is due to be kept alive, whether it is used or not.

        Raises StoreUnavailable or VaultError.
        """
        check_grant_key(key)
        if self._is_closed:
            return Kept.POSTPONED
        try:
            held = await self._refresh.hold(key)
        except ReauthRequired:
            return Kept.NOT_DUE
        keep_at = held.entry.record.keep_at
        if keep_at is None or self._clock() < keep_at:
            return Kept.NOT_DUE
        step = plan_renewal(held, self._refresh.situation(held))
        if isinstance(step, Reauthorize):
            await self._refresh.retire(held, step)
            return Kept.NEEDS_PERSON
        if not isinstance(step, Claim | TakeBack):
            return Kept.POSTPONED
        try:
            await self._renewed(held)
        except ReauthRequired as error:
            is_over = error.reason == ReauthReason.GRANT_ENDED
            return Kept.NOT_DUE if is_over else Kept.NEEDS_PERSON
        except (UpstreamError, TokenError):
            return Kept.POSTPONED
        is_ours = self._refresh.renewed.get(key, 0) > held.grant.version
        return Kept.RENEWED if is_ours else Kept.NOT_DUE

    async def close(self, grace_seconds: float | None = None) -> None:
        """Start no more refreshes; let those under way finish within *grace_seconds*.

        Without *grace_seconds* they have all the time that one may take.
        """
        self._is_closed = True
        await self._flights.drain(self._flight_seconds if grace_seconds is None else grace_seconds)

    def _check_use(self, key: bytes) -> None:
        """Raise TypeError for what is no key, RuntimeError after the end."""
        check_grant_key(key)
        if self._is_closed:
            raise RuntimeError(CLOSED)

    async def _renewed(self, held: Held) -> Secret:
        return await self._flights.join(held.grant.key, lambda: self._refresh.run(held))

    async def _renewed_or_old(self, held: Held) -> Secret:
        try:
            return await self._renewed(held)
        except (UpstreamError, TokenError, ReauthRequired) as error:
            if _is_ended(error) or not held.lives(self._clock()):
                raise
            # Read again: the API may have refused the old token meanwhile.
            held = await self._refresh.hold(held.grant.key)
            if not held.lives(self._clock()):
                raise
            log.debug(
                "serving the old token of grant %(grant)s: %(error)s",
                {"grant": held.grant.name, "error": str(error)},
            )
            return held.access_token


class Flights(Generic[T]):
    """At most one flight for each key, which ends within *deadline_seconds*.

    At most *most_unwatched* run that no caller asked to wait for.
    """

    def __init__(self, deadline_seconds: float, most_unwatched: int = MOST_UNWATCHED) -> None:
        self._deadline_seconds = deadline_seconds
        self._most_unwatched = most_unwatched
        self._flying: dict[bytes, asyncio.Task[T]] = {}
        self._unwatched: set[bytes] = set()
        self._is_closed = False

    async def join(self, key: bytes, start: Start[T]) -> T:
        """Wait for the flight under way for *key*, or for the one that *start* begins.

        All who wait get the same result or the same error.
        """
        if self._is_closed:
            raise RequestNotSent("the vault is closed")
        flight = self._flying.get(key) or self._take_off(key, start)
        return await asyncio.shield(flight)

    def launch(self, key: bytes, start: Start[T]) -> bool:
        """Start a flight and wait for nothing; return False if there is one, or no room for it."""
        if self._is_closed or key in self._flying or len(self._unwatched) >= self._most_unwatched:
            return False
        self._take_off(key, start)
        self._unwatched.add(key)
        return True

    async def drain(self, grace_seconds: float) -> None:
        """Start no more; let those under way land within *grace_seconds*, then cancel them."""
        self._is_closed = True
        flights = list(self._flying.values())
        if not flights:
            return
        _, late = await asyncio.wait(flights, timeout=grace_seconds)
        for flight in late:
            flight.cancel()
        await asyncio.gather(*late, return_exceptions=True)

    def _take_off(self, key: bytes, start: Start[T]) -> "asyncio.Task[T]":
        flight = asyncio.create_task(self._fly(key, start))
        flight.add_done_callback(_retrieve_error)
        self._flying[key] = flight
        return flight

    async def _fly(self, key: bytes, start: Start[T]) -> T:
        try:
            async with asyncio.timeout(self._deadline_seconds):
                return await start()
        except TimeoutError as error:
            raise DeadlineExceeded("the work did not end in time") from error
        except asyncio.CancelledError as error:
            raise AnswerLost("the vault closed before the work ended") from error
        finally:
            del self._flying[key]
            self._unwatched.discard(key)


def _retrieve_error(flight: "asyncio.Task[T]") -> None:
    """Take an error that no caller waits for out of the task; it was logged where it arose."""
    if not flight.cancelled():
        flight.exception()


def _is_ended(error: Exception) -> bool:
    return isinstance(error, ReauthRequired) and error.reason == ReauthReason.GRANT_ENDED
