"""Open a store at the same moment as others; print how it went."""

import asyncio
import sys
from pathlib import Path

from webex_oauth.errors import WebexOAuthError
from webex_oauth.stores.sqlite import SqliteStore


async def main(database: Path) -> None:
    print("ready", flush=True)
    sys.stdin.readline()
    store = SqliteStore(database)
    try:
        await store.open()
        await store.check()
        await store.close()
    except WebexOAuthError as error:
        print(type(error).__name__, error, flush=True)
    else:
        print("open", flush=True)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
