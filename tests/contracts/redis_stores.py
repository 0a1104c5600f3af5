"""Redis stores that are open for a while, and what their tests wait for."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from webex_oauth.stores.redis import RedisStore

PATIENCE_SECONDS = 10


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[RedisStore]:
    """Open a store, and close it afterwards."""
    store = RedisStore(url)
    await store.open()
    try:
        yield store
    finally:
        await store.close()


async def wait_for(is_so: Callable[[], bool]) -> None:
    """Ask an operator's question until the answer is yes."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not is_so():  # noqa: ASYNC110 - a server tells nobody
            await asyncio.sleep(0.02)
