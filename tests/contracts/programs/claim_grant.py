"""Refresh a grant 20 versions on, in competition with others; print how many were ours."""

import asyncio
import sys

from webex_oauth.integration.store_urls import store_at
from webex_oauth.vault.records import GrantRecord, Lease
from webex_oauth.vault.store import Store

LAST_VERSION = 21
CALLERS = 4


async def refresh_once(store: Store, key: bytes, lease: Lease, now: int) -> int:
    """Claim the version that is there and write the next; say how often that was given."""
    seen = await store.find_grant(key)
    assert seen is not None
    if seen.version >= LAST_VERSION:
        return 0
    claimed = await store.claim_grant(seen, lease, now)
    if claimed is None:
        return 0
    assert (claimed.lease_owner, claimed.presented_count) == (lease.owner, 1)
    renewed = GrantRecord(key, claimed.version + 1, claimed.sealed, None, None)
    await store.replace_grant(renewed, claimed.version)
    return 1


async def work(store: Store, key: bytes, owner: bytes, now: int) -> int:
    claimed = 0
    while (seen := await store.find_grant(key)) and seen.version < LAST_VERSION:
        claimed += await refresh_once(store, key, Lease(owner, now + 30), now)
        await asyncio.sleep(0)
    return claimed


async def main(place: str, key: bytes, now: int, number: str) -> None:
    store = store_at(place)
    await store.open()
    print("ready", flush=True)
    await asyncio.to_thread(sys.stdin.readline)
    owners = [f"{number} {caller}".encode() for caller in range(CALLERS)]
    claimed = await asyncio.gather(*(work(store, key, owner, now) for owner in owners))
    await store.close()
    print(sum(claimed), flush=True)


if __name__ == "__main__":
    url, key_text, seconds, racer = sys.argv[1:]
    asyncio.run(main(url, bytes.fromhex(key_text), int(seconds), racer))
