"""Rows in Redis that are open for a while."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from webex_oauth.stores.redis import RedisRows


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[RedisRows]:
    """Open the rows at *url*, and close them afterwards."""
    rows = RedisRows(url)
    await rows.open()
    try:
        yield rows
    finally:
        await rows.close()
