"""Redis stores that are open for a while, and what their tests wait for."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from webex_oauth.stores.redis import RedisStore


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[RedisStore]:
    """Open a store, and close it afterwards."""
    store = RedisStore(url)
    await store.open()
    try:
        yield store
    finally:
        await store.close()
