"""Take one attempt 50 times at once, when told to; print how often it was given."""

import asyncio
import sys
from pathlib import Path

from webex_oauth.stores.sqlite import SqliteStore
from webex_oauth.vault.records import AttemptRecord

CALLERS = 50


async def main(database: Path, state_digest: bytes, browser_digest: bytes, now: int) -> None:
    store = SqliteStore(database)
    await store.open()
    print("ready", flush=True)
    await asyncio.to_thread(sys.stdin.readline)
    outcomes = await asyncio.gather(
        *(store.take_attempt(state_digest, browser_digest, now) for _ in range(CALLERS)),
        return_exceptions=True,
    )
    await store.close()
    given = sum(isinstance(outcome, AttemptRecord) for outcome in outcomes)
    kinds = sorted({type(outcome).__name__ for outcome in outcomes})
    print(given, *kinds, flush=True)


if __name__ == "__main__":
    path, state, browser, seconds = sys.argv[1:]
    asyncio.run(main(Path(path), bytes.fromhex(state), bytes.fromhex(browser), int(seconds)))
