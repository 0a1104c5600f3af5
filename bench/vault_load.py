"""The process with a vault: one job read from standard input, one outcome written back."""

import asyncio
import sys
from random import Random
from statistics import median
from time import perf_counter, process_time

import msgspec
import uvloop

from bench.processes import cpu_seconds
from bench.sealed_people import Seals, fill, session_id, subject, token, vacuum
from bench.vault_jobs import (
    Filled,
    FillJob,
    Reads,
    ReadsJob,
    Refreshes,
    RefreshesJob,
    VaultJob,
    vault_limit_seconds,
)
from webex_oauth.integration import Integration, open_integration
from webex_oauth.oauth.token import refresh_request
from webex_oauth.ports import TOKEN_LIMITS
from webex_oauth.settings import read_settings
from webex_oauth.vault.records import grant_key

SEED = 20
UNTIMED_REFRESHES = 5


async def run_fill(job: FillJob) -> Filled:
    """Put people into the store of an application."""
    settings = read_settings(job.variables)
    async with open_integration(settings) as integration:
        context = integration.context
        seals = Seals(context.sealer, context.idle_seconds, settings.platform.server.issuer)
        serials = range(job.first, job.first + job.count)
        begun = perf_counter()
        await fill(context.ledger.rows, seals, serials, context.clock())
    await asyncio.to_thread(vacuum, settings.store_url)
    return Filled(job.count, perf_counter() - begun)


async def read_person(integration: Integration, serial: int) -> None:
    """Find a session and a token for it, as the page of spaces does before it calls Webex."""
    session = await integration.sessions.find(session_id(serial))
    assert session is not None
    found = await integration.vault.access_token(session.grant_key)
    assert found == token(serial)


async def run_reads(job: ReadsJob) -> Reads:
    """Read random people, so many at a time; the first seconds warm everything up."""
    serials = Random(SEED)  # noqa: S311 - anybody may guess these

    async def read_until(end: float) -> int:
        count = 0
        while count == 0 or perf_counter() < end:
            await read_person(integration, serials.randrange(job.grant_count))
            count += 1
        return count

    async def read_for(seconds: float) -> int:
        end = perf_counter() + seconds
        return sum(await asyncio.gather(*(read_until(end) for _ in range(job.concurrency))))

    async with open_integration(read_settings(job.variables)) as integration:
        await read_for(job.warm_up_seconds)
        opened = meters(job)
        count = await read_for(job.seconds)
        seconds, ours, databases = (
            closed - open_ for closed, open_ in zip(meters(job), opened, strict=True)
        )
    return Reads(count, seconds, ours, databases)


def meters(job: ReadsJob) -> tuple[float, float, float]:
    """Read the time, this process's CPU time, and the database's."""
    databases = 0.0 if job.database_pid is None else cpu_seconds(job.database_pid)
    return perf_counter(), process_time(), databases


async def run_refreshes(job: RefreshesJob) -> Refreshes:
    """Ask for tokens without a vault and with it, turn by turn."""
    async with open_integration(read_settings(job.variables)) as integration:
        requests, refreshes = [], []
        for turn in range(UNTIMED_REFRESHES + job.refresh_count):
            serial = turn % job.grant_count
            requests.append(await request_seconds(integration, serial))
            refreshes.append(await refresh_seconds(integration, serial))
    return Refreshes(median(requests[UNTIMED_REFRESHES:]), median(refreshes[UNTIMED_REFRESHES:]))


async def request_seconds(integration: Integration, serial: int) -> float:
    """Time the bare request of a refresh."""
    context = integration.context
    request = refresh_request(context.platform.server, context.client, token(serial))
    begun = perf_counter()
    response = await context.transport.send(request, TOKEN_LIMITS)
    seconds = perf_counter() - begun
    assert response.status == 200
    return seconds


async def refresh_seconds(integration: Integration, serial: int) -> float:
    """Time a whole refresh, and check that it was one."""
    context = integration.context
    key = grant_key(context.platform.server.issuer, subject(serial))
    before = await context.ledger.find_grant(key)
    begun = perf_counter()
    await integration.vault.refreshed(key, token(serial))
    seconds = perf_counter() - begun
    after = await context.ledger.find_grant(key)
    assert before is not None
    assert after is not None
    assert after.record.version == before.record.version + 1
    return seconds


async def run(job: VaultJob) -> Filled | Reads | Refreshes:
    """Do one job."""
    match job:
        case FillJob():
            return await run_fill(job)
        case ReadsJob():
            return await run_reads(job)
        case RefreshesJob():
            return await run_refreshes(job)


async def main() -> None:
    """Read the job, do it within its limit, write the outcome."""
    job: VaultJob = msgspec.json.decode(sys.stdin.buffer.read(), type=VaultJob)
    async with asyncio.timeout(vault_limit_seconds(job)):
        outcome = await run(job)
    sys.stdout.buffer.write(msgspec.json.encode(outcome))


if __name__ == "__main__":
    uvloop.run(main())
