"""Opening: settings become a store, its keys and clock, and the vault over them.

Only here adapters are chosen. Programs that need a token and nothing else load no more than this.
"""

import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from typing import TypeAlias

from msgspec import Struct

from webex_oauth.opening.shared_clock import SharedClock
from webex_oauth.opening.store_urls import rows_at
from webex_oauth.ports import Clock, Randomness, Transport
from webex_oauth.settings import Settings
from webex_oauth.settings.pages import PagePath
from webex_oauth.settings.places import MEMORY
from webex_oauth.transport import HttpTransport
from webex_oauth.vault.key_agreement import KeyWatch, open_keys
from webex_oauth.vault.key_file import KeyFile
from webex_oauth.vault.ledger import Ledger
from webex_oauth.vault.rescue import Rescue
from webex_oauth.vault.rows import Rows
from webex_oauth.vault.sealing import Sealer
from webex_oauth.vault.vault import Vault

Tasks: TypeAlias = dict[str, Callable[[], Awaitable[None]]]
"""Work without an end, by the name that the log uses."""


class OpenVault(Struct, frozen=True):
    """A vault that works; what uses it for long runs `tasks` beside it."""

    rows: Rows
    sealer: Sealer
    ledger: Ledger
    transport: Transport
    clock: Clock
    rescue: Rescue
    vault: Vault
    tasks: Tasks


@asynccontextmanager
async def open_vault(
    settings: Settings,
    *,
    rows: Rows | None = None,
    transport: Transport | None = None,
    clock: Clock | None = None,
    randomness: Randomness = os.urandom,
) -> AsyncIterator[OpenVault]:
    """Open the vault; when it closes, it finishes what it began.

    The other arguments replace an effect by another of the same shape; by default the clock is
    the store's. Raises ConfigurationError, KeyUnavailable or StoreUnavailable if it cannot start.
    """
    async with AsyncExitStack() as exits:
        # A store that ends with this process needs no rescue from it.
        needs_spool = rows is not None or settings.store_url != MEMORY
        rows = rows or rows_at(settings.store_url)
        await rows.open()
        exits.push_async_callback(rows.close)
        tasks: Tasks = {}
        clock = clock or await _shared_clock(rows, tasks)
        today = datetime.fromtimestamp(clock(), UTC).date()
        keys = await open_keys(rows, settings.keys_file, settings.keys, randomness, today)
        if isinstance(keys, KeyFile):
            tasks["keys"] = KeyWatch(keys, rows, randomness).run
        if transport is None:
            transport = await exits.enter_async_context(
                HttpTransport(proxy=settings.proxy, ca_file=settings.ca_file)
            )
        opened = _compose(settings, rows, Sealer(keys, randomness), transport, clock, tasks)
        exits.push_async_callback(opened.ledger.hub.close)
        if needs_spool:
            await opened.rescue.open()
        exits.push_async_callback(opened.vault.close)
        yield opened


async def _shared_clock(rows: Rows, tasks: Tasks) -> Clock:
    clock = SharedClock(rows.time)
    await clock.look()
    tasks["clock"] = clock.run
    return clock


def _compose(
    settings: Settings,
    rows: Rows,
    sealer: Sealer,
    transport: Transport,
    clock: Clock,
    tasks: Tasks,
) -> OpenVault:
    ledger = Ledger(rows, sealer, settings.idle_seconds)
    rescue = Rescue(settings.spool_folder, ledger, clock, sealer.randomness)
    vault = Vault(
        ledger,
        transport,
        settings.platform.server,
        settings.client,
        clock,
        rescue=rescue,
        randomness=sealer.randomness,
        sign_in_url=settings.url_of(PagePath.LOGIN),
    )
    tasks["rescue"] = rescue.run
    return OpenVault(rows, sealer, ledger, transport, clock, rescue, vault, tasks)
