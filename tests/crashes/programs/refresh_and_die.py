"""Refresh one person's grant, and be killed in the middle, as SIGKILL does, without a last word.

The job comes in the first line of the input. At some points the process waits to be killed: then
it says so and goes on when told to.
"""

import asyncio
import os
import resource
import signal
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import NoReturn

import msgspec
from peers.registration import settings_of
from storm.callers import Job
from storm.clock_file import ClockFile
from storm.refresh_rows import refresh_rows

from webex_oauth.errors import AnswerLost
from webex_oauth.integration import open_integration
from webex_oauth.oauth.http import HttpRequest, HttpResponse
from webex_oauth.opening.store_urls import rows_at
from webex_oauth.ports import Limits, Transport
from webex_oauth.transport import HttpTransport

BYTES_OF_THE_LAST_WRITE = 100


def die() -> NoReturn:
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError("nobody outlives this")


def die_at(job: Job) -> Callable[[str], Awaitable[None]]:
    """Return what ends the process before or after its claim or commit, or in the commit."""

    async def reach(point: str) -> None:
        if point == job.point:
            die()
        if (point, job.point) == ("before_commit", "during_commit"):
            await prepare_the_end(job.store_url)

    return reach


async def prepare_the_end(store_url: str) -> None:
    if store_url.startswith("sqlite:"):
        tear_log(Path(store_url.removeprefix("sqlite:///")))
        return
    print("committing", flush=True)
    await asyncio.to_thread(sys.stdin.readline)


def tear_log(database: Path) -> None:
    """End this process in the middle of a page that it writes to the log of a SQLite file.

    The kernel writes up to the limit; going on raises a signal that ends the process, like SIGKILL
    with nothing tidied up.
    """
    log = database.with_name(f"{database.name}-wal")
    limit = log.stat().st_size + BYTES_OF_THE_LAST_WRITE
    signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))


class FatalTransport:
    """A transport under which the process dies: `after_send`, `after_answer`."""

    def __init__(self, transport: Transport, point: str) -> None:
        self._transport = transport
        self._point = point

    async def send(self, request: HttpRequest, limits: Limits) -> HttpResponse:
        try:
            answer = await self._transport.send(request, limits)
        except AnswerLost:
            # The server has done its work; whatever it said has not come.
            if self._point == "after_send":
                die()
            raise
        if self._point == "after_answer":
            die()
        return answer


async def main() -> None:
    job = msgspec.json.decode(sys.stdin.readline(), type=Job)
    assert job.clock_file is not None
    settings = settings_of(job.registration, job.store_url, Path(job.folder))
    async with (
        HttpTransport() as http,
        open_integration(
            settings,
            rows=refresh_rows(rows_at(job.store_url), die_at(job)),
            transport=FatalTransport(http, job.point),
            clock=ClockFile(Path(job.clock_file)),
        ) as integration,
    ):
        await integration.vault.access_token(job.grant_key)
    print("alive", flush=True)


if __name__ == "__main__":
    asyncio.run(main())
