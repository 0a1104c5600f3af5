"""Meet a full disk in the middle of a sign-in, then find room again; print both outcomes."""

import asyncio
import resource
import sys
from pathlib import Path

from contracts.rows import admission

from webex_oauth.errors import WebexOAuthError
from webex_oauth.stores.sqlite import SqliteStore


def bound_file_size(limit: int) -> None:
    """Make every write beyond *limit* bytes fail, as it does on a full disk."""
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, hard))


async def outcome(store: SqliteStore, number: int) -> str:
    try:
        await store.admit(admission(number, of=number))
    except WebexOAuthError as error:
        return type(error).__name__
    return "admitted"


async def main(database: Path) -> None:
    store = SqliteStore(database)
    await store.open()
    bound_file_size(1)
    full = await outcome(store, 1)
    bound_file_size(resource.RLIM_INFINITY)
    print(full, await outcome(store, 1), await outcome(store, 2), flush=True)
    await store.close()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
