"""Add one row 50 times at once, when told to; print how often that succeeded."""

import asyncio
import sys

from contracts.samples import add, row

from webex_oauth.integration.store_urls import rows_at

CALLERS = 50


async def main(place: str) -> None:
    rows = rows_at(place)
    await rows.open()
    print("ready", flush=True)
    await asyncio.to_thread(sys.stdin.readline)
    outcomes = await asyncio.gather(
        *(rows.apply(add(row()), durably=False) for _ in range(CALLERS))
    )
    await rows.close()
    print(sum(outcomes), flush=True)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
