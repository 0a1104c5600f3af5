"""Follow the events of a place under a name; print each, and wait for a word before the next."""

import asyncio
import sys
import time

from contracts.records import ledger_on

from webex_oauth.opening.store_urls import rows_at
from webex_oauth.vault.event_log import EventLog
from webex_oauth.vault.events import Event


async def main(place: str, name: str) -> None:
    rows = rows_at(place)
    await rows.open()
    ledger = ledger_on(rows)

    async def handle(event: Event) -> None:
        print(event.reason, flush=True)
        await asyncio.to_thread(sys.stdin.readline)

    print("ready", flush=True)
    log = EventLog(ledger, lambda: int(time.time()), ledger._sealer.randomness)
    await log.follow(name, handle)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
