"""The composition root: settings become an integration at work."""

import asyncio
import logging
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from socket import gethostname

from msgspec import Struct

from webex_oauth.errors import WebexOAuthError
from webex_oauth.flows.adoption import Adoption
from webex_oauth.flows.code_redemption import CodeRedemption
from webex_oauth.flows.context import FlowContext
from webex_oauth.flows.housekeeping import Keeper, Sweeper
from webex_oauth.flows.person_api import PersonApi
from webex_oauth.flows.revocation import Revocations
from webex_oauth.flows.sessions import Sessions
from webex_oauth.flows.sign_in import SignIn
from webex_oauth.opening import OpenVault, Tasks, open_vault
from webex_oauth.opening.shared_clock import steady_seconds
from webex_oauth.ports import Clock, Randomness, Sleep, Transport
from webex_oauth.settings import Settings
from webex_oauth.vault.event_log import EventLog
from webex_oauth.vault.key_agreement import KeyPresence
from webex_oauth.vault.records import check_grant_key
from webex_oauth.vault.rescue import Rescue
from webex_oauth.vault.rows import Rows
from webex_oauth.vault.vault import Vault

FIRST_PAUSE_SECONDS = 1.0
LONGEST_PAUSE_SECONDS = 60.0
STEADY_SECONDS = 300.0

log = logging.getLogger(__name__)


class OpenIntegration(Struct, frozen=True):
    """An integration at work: signs people in, calls Webex as them, signs them out."""

    settings: Settings
    context: FlowContext
    vault: Vault
    sign_in: SignIn
    adoption: Adoption
    sessions: Sessions
    keeper: Keeper
    revocations: Revocations
    events: EventLog
    rescue: Rescue
    key_presence: KeyPresence

    def api(self, grant_key: bytes) -> PersonApi:
        """Return Webex's API as one person sees it; raise TypeError if that is no grant key."""
        check_grant_key(grant_key)
        return PersonApi(self.context, self.vault, grant_key)


@asynccontextmanager
async def open_integration(
    settings: Settings,
    *,
    rows: Rows | None = None,
    transport: Transport | None = None,
    clock: Clock | None = None,
    randomness: Randomness = os.urandom,
) -> AsyncIterator[OpenIntegration]:
    """Open an integration; when it closes, it finishes what it began.

    The other arguments replace an effect by another of the same shape; by default the clock is
    the store's. Raises ConfigurationError, KeyUnavailable or StoreUnavailable if it cannot start.
    """
    if not isinstance(settings, Settings):
        raise TypeError("settings are what webex_oauth.Settings(...) or Settings.from_env() makes")
    async with AsyncExitStack() as exits:
        opened = await exits.enter_async_context(
            open_vault(settings, rows=rows, transport=transport, clock=clock, randomness=randomness)
        )
        integration = _compose(settings, opened)
        background = Background(opened.tasks | _tasks(settings, integration))
        exits.push_async_callback(background.close)
        # The vault closes first: a refresh under way may end in the rescue, which is a task.
        exits.push_async_callback(opened.vault.close)
        yield integration


def _compose(settings: Settings, opened: OpenVault) -> OpenIntegration:
    sealer = opened.sealer
    context = FlowContext(
        platform=settings.platform,
        client=settings.client,
        ledger=opened.ledger,
        sealer=sealer,
        transport=opened.transport,
        clock=opened.clock,
        randomness=sealer.randomness,
        idle_seconds=settings.idle_seconds,
        absolute_seconds=settings.absolute_seconds,
        keeps_grants=settings.keep_grants,
    )
    revocations = Revocations(context)
    redemption = CodeRedemption(context, settings.scopes, revocations)
    return OpenIntegration(
        settings=settings,
        context=context,
        vault=opened.vault,
        sign_in=SignIn(context, settings.scopes, redemption),
        adoption=Adoption(context, opened.vault, redemption),
        sessions=Sessions(context, revocations),
        keeper=Keeper(context, opened.vault),
        revocations=revocations,
        events=EventLog(opened.ledger, opened.clock, sealer.randomness),
        rescue=opened.rescue,
        key_presence=KeyPresence(opened.rows, sealer, f"{gethostname()} (process {os.getpid()})"),
    )


def _tasks(settings: Settings, integration: OpenIntegration) -> Tasks:
    sweeper = Sweeper(integration.context, integration.sessions, monotonic=steady_seconds)
    keeper = {"keeper": integration.keeper.run} if settings.keeper else {}
    return keeper | {
        "key presence": integration.key_presence.run,
        "revocations": integration.revocations.run,
        "sweeper": sweeper.run,
    }


class Background:
    """Tasks without an end. One that fails is logged and restarted, and ends no other."""

    def __init__(self, tasks: Tasks, *, sleep: Sleep = asyncio.sleep) -> None:
        self._sleep = sleep
        self._running = [
            asyncio.create_task(self._keep_running(name, run), name=name)
            for name, run in tasks.items()
        ]

    async def close(self) -> None:
        """Cancel all tasks, and wait until each has ended."""
        for running in self._running:
            running.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)

    async def _keep_running(self, name: str, run: Callable[[], Awaitable[None]]) -> None:
        pause_seconds = FIRST_PAUSE_SECONDS
        clock = asyncio.get_running_loop().time
        while True:
            started_at = clock()
            try:
                await run()
            except WebexOAuthError as error:
                log.warning(
                    "the task %(task)s failed and is restarted: %(error)s",
                    {"task": name, "error": str(error)},
                )
            except Exception:
                # The edge of a task: nothing else would report a bug in it.
                log.exception("the task %(task)s failed and is restarted", {"task": name})
            if clock() - started_at >= STEADY_SECONDS:
                pause_seconds = FIRST_PAUSE_SECONDS
            await self._sleep(pause_seconds)
            pause_seconds = min(2 * pause_seconds, LONGEST_PAUSE_SECONDS)
