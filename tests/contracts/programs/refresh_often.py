"""Refresh a grant often while the disk fails at times; print how each went, and what is left."""

import asyncio
import sys
from dataclasses import replace
from pathlib import Path

from contracts.rows import NOW, admission, grant, name

from webex_oauth.errors import StoreError
from webex_oauth.stores.sqlite import SqliteStore
from webex_oauth.vault.records import GrantRecord, Lease

KEY = name("grant", 1)
REFRESHES = 20


async def refresh(store: SqliteStore, seen: GrantRecord, now: int) -> str:
    lease = Lease(b"one who refreshes", now + 30)
    try:
        claimed = await store.claim_grant(seen, lease, now)
        if claimed is not None:
            await store.replace_grant(grant(version=seen.version + 1), seen.version)
    except StoreError as error:
        return type(error).__name__
    return "refused" if claimed is None else "refreshed"


async def main(database: Path) -> None:
    store = SqliteStore(database)
    await store.open()
    await store.admit(admission())
    print("ready", flush=True)
    told = grant()
    for number in range(REFRESHES):
        seen = await store.find_grant(KEY)
        assert seen is not None
        assert seen.version >= told.version
        outcome = await refresh(store, seen, NOW + 60 * number)
        if outcome == "refreshed":
            told = replace(seen, version=seen.version + 1)
        print(outcome, flush=True)
    left = await store.find_grant(KEY)
    await store.close()
    print("kept" if left and left.version == told.version else "lost", flush=True)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
