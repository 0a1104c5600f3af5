"""The sweeper: removes what is over, a batch at a time."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import TypeAlias

from webex_oauth.errors import StoreError
from webex_oauth.flows.context import FlowContext

SWEEP_EVERY_SECONDS = 300.0

log = logging.getLogger(__name__)

Sleep: TypeAlias = Callable[[float], Awaitable[None]]


class Sweeper:
    """Sweep the store every few minutes, until nothing that is over is left."""

    def __init__(self, context: FlowContext, *, sleep: Sleep = asyncio.sleep) -> None:
        self._context = context
        self._sleep = sleep

    async def run(self) -> None:
        """Sweep for ever; a store that cannot answer is left until the next time."""
        while True:
            await self._sleep(SWEEP_EVERY_SECONDS)
            try:
                while await self._sweep():
                    await self._sleep(0)
            except StoreError as error:
                log.warning("the sweep failed", extra={"error": type(error).__name__})

    async def _sweep(self) -> int:
        context = self._context
        return await context.store.sweep(now=context.clock(), idle_seconds=context.idle_seconds)
