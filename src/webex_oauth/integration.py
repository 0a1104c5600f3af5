"""The composition root: settings become an integration at work; only here adapters are chosen."""

import asyncio
import logging
import secrets
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from webex_oauth.errors import StoreError
from webex_oauth.flows.context import FlowContext
from webex_oauth.flows.person_api import PersonApi
from webex_oauth.flows.sessions import Sessions
from webex_oauth.flows.sign_in import SignIn
from webex_oauth.ports import Clock, Randomness, Transport
from webex_oauth.settings import Settings
from webex_oauth.stores.memory import MemoryStore
from webex_oauth.stores.sqlite import SqliteStore
from webex_oauth.transport import HttpTransport
from webex_oauth.vault.keys import read_or_make_key_file
from webex_oauth.vault.sealing import Sealer
from webex_oauth.vault.store import Store
from webex_oauth.vault.vault import Vault

log = logging.getLogger(__name__)

SWEEP_EVERY_SECONDS = 300.0
SQLITE_PREFIX = "sqlite:///"


def utc_clock() -> int:
    """Tell the time in whole seconds since 1970."""
    return int(time.time())


@dataclass(frozen=True, slots=True)
class Integration:
    """Sign people in, call Webex as them, sign them out; made by `open_integration`."""

    context: FlowContext
    vault: Vault
    sign_in: SignIn
    sessions: Sessions

    def api(self, grant_key: bytes) -> PersonApi:
        """Call Webex's API with the grant of one person."""
        return PersonApi(self.context, self.vault, grant_key)


@asynccontextmanager
async def open_integration(
    settings: Settings,
    *,
    store: Store | None = None,
    transport: Transport | None = None,
    clock: Clock = utc_clock,
    randomness: Randomness = secrets.token_bytes,
) -> AsyncIterator[Integration]:
    """Bring an integration to work, and let it finish what it began at the end.

    Everything but *settings* replaces an effect by another of the same shape. Raises
    ConfigurationError, KeyUnavailable or StoreUnavailable when it cannot start.
    """
    async with AsyncExitStack() as exits:
        sealer = Sealer(read_or_make_key_file(settings.keys_file, randomness), randomness)
        store = store or store_at(settings.store_url)
        await store.open()
        exits.push_async_callback(store.close)
        if transport is None:
            transport = await exits.enter_async_context(
                HttpTransport(proxy=settings.proxy, ca_file=settings.ca_file)
            )
        context = FlowContext(
            platform=settings.platform,
            client=settings.client,
            store=store,
            sealer=sealer,
            transport=transport,
            clock=clock,
            randomness=randomness,
            idle_seconds=settings.idle_seconds,
            absolute_seconds=settings.absolute_seconds,
        )
        server, client = settings.platform.server, settings.client
        vault = Vault(store, sealer, transport, server, client, clock)
        exits.push_async_callback(vault.close)
        sweeping = asyncio.create_task(_sweep_for_ever(context))
        exits.push_async_callback(_cancel, sweeping)
        yield Integration(context, vault, SignIn(context, settings.scopes), Sessions(context))


def store_at(url: str) -> Store:
    """Choose the store that *url* names."""
    if url.startswith(SQLITE_PREFIX):
        return SqliteStore(Path(url.removeprefix(SQLITE_PREFIX)))
    return MemoryStore()


async def _sweep_for_ever(context: FlowContext) -> None:
    removed_count = 0
    while True:
        await asyncio.sleep(0 if removed_count else SWEEP_EVERY_SECONDS)
        try:
            removed_count = await context.store.sweep(
                now=context.clock(), idle_seconds=context.idle_seconds
            )
        except StoreError as error:
            removed_count = 0
            log.warning("the sweep failed", extra={"error": type(error).__name__})


async def _cancel(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.wait([task])
