"""Refresh one person's grant again and again, a line for each, until all is done or this is dead.

The job comes in the first line of the input. The access token has to end so soon that each asking
is a refresh.
"""

import asyncio
import sys
from pathlib import Path

import msgspec
from peers.registration import settings_of
from storm.callers import Job
from storm.clock_file import ClockFile

from webex_oauth.integration import open_integration

REFRESHES = 20


async def main() -> None:
    job = msgspec.json.decode(sys.stdin.readline(), type=Job)
    assert job.clock_file is not None
    settings = settings_of(job.registration, job.store_url, Path(job.folder))
    async with open_integration(settings, clock=ClockFile(Path(job.clock_file))) as integration:
        for _ in range(REFRESHES):
            await integration.vault.access_token(job.grant_key)
            print("refreshed", flush=True)


if __name__ == "__main__":
    asyncio.run(main())
