"""Refresh one person's grant, and stop this very process in the middle, as SIGSTOP does.

The job comes in the first line of the input, and each further line lets it ask. waits for it
to go on has to send SIGCONT.
"""

import asyncio
import os
import signal
import sys
from pathlib import Path
from typing import Any, cast

import msgspec
from peers.registration import settings_of
from storm.clock_file import ClockFile
from storm.crowd import Job
from storm.programs.ask_together import ask_together

from webex_oauth.integration import open_integration
from webex_oauth.integration.store_urls import store_at
from webex_oauth.vault.records import GrantRecord, Lease
from webex_oauth.vault.store import Store


class StandingStore:
    """A store that stops its process once at a point: `claimed` or `committing`."""

    def __init__(self, store: Store, point: str) -> None:
        self._store = store
        self._point = point

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    async def claim_grant(self, seen: GrantRecord, lease: Lease, now: int) -> GrantRecord | None:
        claimed = await self._store.claim_grant(seen, lease, now)
        self._stand_still("claimed")
        return claimed

    async def replace_grant(self, record: GrantRecord, expected_version: int) -> None:
        self._stand_still("committing")
        await self._store.replace_grant(record, expected_version)

    def _stand_still(self, point: str) -> None:
        if self._point == point:
            self._point = ""
            os.kill(os.getpid(), signal.SIGSTOP)


async def main() -> None:
    job = msgspec.json.decode(sys.stdin.readline(), type=Job)
    assert job.clock_file is not None
    settings = settings_of(job.registration, job.store_url, Path(job.folder))
    store = StandingStore(store_at(job.store_url), job.point)
    async with open_integration(
        settings, store=cast("Store", store), clock=ClockFile(Path(job.clock_file))
    ) as integration:
        print("ready", flush=True)
        while await asyncio.to_thread(sys.stdin.readline):
            told = await ask_together(integration.vault, job)
            print(msgspec.json.encode(told).decode(), flush=True)


if __name__ == "__main__":
    asyncio.run(main())
