"""Refresh a grant 20 versions on, in competition with others; print how many were ours."""

import asyncio
import sys

from contracts.records import grant, ledger_on
from msgspec.structs import replace

from webex_oauth.opening.store_urls import rows_at
from webex_oauth.vault.ledger import Ledger
from webex_oauth.vault.records import Lease

LAST_VERSION = 21
CALLERS = 4


async def refresh_once(ledger: Ledger, key: bytes, owner: bytes, now: int) -> bool:
    """Claim the version that is there and write the next; return whether that was possible."""
    seen = await ledger.find_grant(key)
    assert seen is not None
    if seen.record.version >= LAST_VERSION or seen.record.lease is not None:
        return False
    leased = replace(seen.record, lease=Lease(owner, now + 30))
    claimed = await ledger.replace_grant(seen, leased, durably=True)
    if claimed is None:
        return False
    renewed = grant(version=seen.record.version + 1)
    assert await ledger.replace_grant(claimed, renewed, durably=True)
    return True


async def work(ledger: Ledger, key: bytes, owner: bytes, now: int) -> int:
    claimed = 0
    while (seen := await ledger.find_grant(key)) and seen.record.version < LAST_VERSION:
        claimed += await refresh_once(ledger, key, owner, now)
        await asyncio.sleep(0)
    return claimed


async def main(place: str, key: bytes, now: int, number: str) -> None:
    rows = rows_at(place)
    await rows.open()
    print("ready", flush=True)
    await asyncio.to_thread(sys.stdin.readline)
    owners = [f"{number} {caller}".encode() for caller in range(CALLERS)]
    claimed = await asyncio.gather(*(work(ledger_on(rows), key, owner, now) for owner in owners))
    await rows.close()
    print(sum(claimed), flush=True)


if __name__ == "__main__":
    url, key_text, seconds, racer = sys.argv[1:]
    asyncio.run(main(url, bytes.fromhex(key_text), int(seconds), racer))
