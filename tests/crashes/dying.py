"""Dying: a process that refreshes a grant is dead at a chosen point when this is over."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import msgspec
from services.fault_proxy import FaultProxy, fault_proxy
from storm.crowd import Job
from waiting import LIMIT_SECONDS

from webex_oauth.vault.ledger import Ledger

TESTS = Path(__file__).parent.parent
PROGRAM = Path(__file__).parent / "programs" / "refresh_and_die.py"


async def die_refreshing(job: Job, ledger: Ledger) -> int:
    """Let a process refresh until it dies at the job's point; give its exit code.

    *ledger* lies at the same place, so that one sees what has arrived there.
    """
    if job.point == "during_commit" and not job.store_url.startswith("sqlite:"):
        async with before(job.store_url) as (proxy, url):
            return await _die_before_the_answer(replace(job, store_url=url), proxy, ledger)
    process = await _start(job)
    async with asyncio.timeout(LIMIT_SECONDS):
        return await process.wait()


@asynccontextmanager
async def before(store_url: str) -> AsyncIterator[tuple[FaultProxy, str]]:
    """Run a fault proxy before the server of a store; give the URL that leads through it."""
    port = urlsplit(store_url).port
    assert port is not None
    async with fault_proxy(port) as proxy:
        yield proxy, store_url.replace(f":{port}/", f":{proxy.port}/")


async def _die_before_the_answer(job: Job, proxy: FaultProxy, ledger: Ledger) -> int:
    """Kill it when what it commits has arrived and it cannot know."""
    old = await _version(ledger, job.grant_key)
    process = await _start(job)
    assert process.stdin is not None
    assert process.stdout is not None
    async with asyncio.timeout(LIMIT_SECONDS):
        assert await process.stdout.readline() == b"committing\n"
        await proxy.drops_answers()
        process.stdin.write(b"go on\n")
        while await _version(ledger, job.grant_key) == old:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        process.kill()
        return await process.wait()


async def _version(ledger: Ledger, key: bytes) -> int:
    found = await ledger.find_grant(key)
    assert found is not None
    return found.record.version


async def _start(job: Job) -> asyncio.subprocess.Process:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        str(PROGRAM),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(TESTS)},
    )
    assert process.stdin is not None
    process.stdin.write(msgspec.json.encode(job) + b"\n")
    return process
