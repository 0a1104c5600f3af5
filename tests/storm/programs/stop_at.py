"""Refresh one person's grant, and stop this very process in the middle, as SIGSTOP does.

The job comes in the first line of the input, and each further line lets it ask. After SIGCONT it
goes on.
"""

import asyncio
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import msgspec
from peers.registration import settings_of
from storm.callers import Job
from storm.clock_file import ClockFile
from storm.programs.ask_together import ask_together
from storm.refresh_rows import refresh_rows

from webex_oauth.integration import open_integration
from webex_oauth.opening.store_urls import rows_at


def stop_at(point: str) -> Callable[[str], Awaitable[None]]:
    async def reach(reached: str) -> None:
        if reached == point:
            os.kill(os.getpid(), signal.SIGSTOP)

    return reach


async def main() -> None:
    job = msgspec.json.decode(sys.stdin.readline(), type=Job)
    assert job.clock_file is not None
    settings = settings_of(job.registration, job.store_url, Path(job.folder))
    rows = refresh_rows(rows_at(job.store_url), stop_at(job.point))
    async with open_integration(
        settings, rows=rows, clock=ClockFile(Path(job.clock_file))
    ) as integration:
        print("ready", flush=True)
        while await asyncio.to_thread(sys.stdin.readline):
            answers = await ask_together(integration.vault, job)
            print(msgspec.json.encode(answers).decode(), flush=True)


if __name__ == "__main__":
    asyncio.run(main())
