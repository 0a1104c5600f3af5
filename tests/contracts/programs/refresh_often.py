"""Write a row durably, often, while the disk fails at times; print how each went, and what is left.

As a refresh does, each round writes twice: a claim, and what it brought.
"""

import asyncio
import sys
from pathlib import Path

from contracts.samples import read_one, rewritten, row, store

from webex_oauth.errors import StoreError
from webex_oauth.stores.sqlite.rows import SqliteRows
from webex_oauth.vault.rows import Row

ROUNDS = 20


async def refresh(rows: SqliteRows, seen: Row) -> tuple[str, int]:
    """Return how it went, and the last revision that was promised."""
    claim, promised = rewritten(seen), seen.rev
    try:
        for change in (claim, rewritten(claim.row)):
            if not await rows.apply([change], durably=True):
                return "refused", promised
            promised = change.row.rev
    except StoreError as error:
        return type(error).__name__, promised
    return "refreshed", promised


async def main(database: Path) -> None:
    rows = SqliteRows(database)
    await rows.open()
    await store(rows, row())
    print("ready", flush=True)
    promised = 1
    for _ in range(ROUNDS):
        seen = await read_one(rows, row())
        assert seen.rev >= promised
        outcome, promised = await refresh(rows, seen)
        print(outcome, flush=True)
    left = await read_one(rows, row())
    await rows.close()
    print("kept" if left.rev >= promised else "lost", flush=True)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
