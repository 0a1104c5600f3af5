"""Refresh one person's grant, and be killed in the middle, as SIGKILL does, without a last word.

The job comes in the first line of the input. At some points the process waits to be killed: then
it says so and goes on when told to.
"""

import asyncio
import os
import signal
import sys
from pathlib import Path
from typing import Any, NoReturn, cast

import msgspec
from crashes.torn_log import tear_log
from peers.registration import settings_of
from storm.clock_file import ClockFile
from storm.crowd import Job

from webex_oauth.errors import AnswerLost
from webex_oauth.integration import open_integration
from webex_oauth.integration.store_urls import store_at
from webex_oauth.oauth.http import HttpRequest, HttpResponse
from webex_oauth.ports import Limits, Transport
from webex_oauth.transport import HttpTransport
from webex_oauth.vault.records import GrantRecord, Lease
from webex_oauth.vault.store import Store


def die() -> NoReturn:
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError("nobody outlives this")


class FatalStore:
    """A store under which the process dies: `before_claim`, `after_claim`, and around a commit."""

    def __init__(self, store: Store, job: Job) -> None:
        self._store = store
        self._job = job

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    async def claim_grant(self, seen: GrantRecord, lease: Lease, now: int) -> GrantRecord | None:
        if self._job.point == "before_claim":
            die()
        claimed = await self._store.claim_grant(seen, lease, now)
        if self._job.point == "after_claim":
            die()
        return claimed

    async def replace_grant(self, record: GrantRecord, expected_version: int) -> None:
        if self._job.point == "during_commit":
            await self._prepare_the_end()
        await self._store.replace_grant(record, expected_version)
        if self._job.point == "after_commit":
            die()

    async def _prepare_the_end(self) -> None:
        if self._job.store_url.startswith("sqlite:"):
            tear_log(Path(self._job.store_url.removeprefix("sqlite:///")))
            return
        print("committing", flush=True)
        await asyncio.to_thread(sys.stdin.readline)


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
    store = FatalStore(store_at(job.store_url), job)
    async with (
        HttpTransport() as http,
        open_integration(
            settings,
            store=cast("Store", store),
            transport=FatalTransport(http, job.point),
            clock=ClockFile(Path(job.clock_file)),
        ) as integration,
    ):
        await integration.vault.access_token(job.grant_key)
    print("alive", flush=True)


if __name__ == "__main__":
    asyncio.run(main())
