"""The load generator: one process, one job read from standard input, one outcome written back."""

import asyncio
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from itertools import count
from time import perf_counter

import msgspec
import uvloop

from bench.browser import Browser, check_rooms
from bench.jobs import (
    Done,
    Job,
    RoomsJob,
    Rows,
    RowsJob,
    SessionsJob,
    SignInsJob,
    Target,
    Throughput,
    limit_seconds,
)
from bench.window import read_meters, summary
from bench.world import ROW_MARKER, Account

FEWEST_ANSWERS = 20


@asynccontextmanager
async def browsers(target: Target, concurrency: int) -> AsyncIterator[list[Browser]]:
    """Lend so many browsers, and close them."""
    lent = [Browser(target.port) for _ in range(concurrency)]
    try:
        yield lent
    finally:
        for browser in lent:
            browser.close()


async def closed_loop(
    steps: list[Callable[[], Awaitable[None]]], job: RoomsJob | SignInsJob
) -> Throughput:
    """Repeat each step without pause, and count what is finished within the measured window.

    The window is held open until there is something to count; the job's limit bounds it.
    """
    waits: list[float] = []
    enough = asyncio.Event()

    async def repeat(step: Callable[[], Awaitable[None]]) -> None:
        while True:
            begun = perf_counter()
            await step()
            waits.append(perf_counter() - begun)
            if len(waits) == FEWEST_ANSWERS:
                enough.set()

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(repeat(step)) for step in steps]
        await asyncio.sleep(job.warm_up_seconds)
        opened = await read_meters(job.target)
        waits.clear()
        enough.clear()
        await asyncio.sleep(job.seconds)
        await enough.wait()
        measured = waits.copy()
        closed = await read_meters(job.target)
        for task in tasks:
            task.cancel()
    return summary(measured, opened, closed)


async def run_rooms(job: RoomsJob) -> Throughput:
    """Sign in one person per connection, then ask each one's rooms again and again."""

    def step(browser: Browser) -> Callable[[], Awaitable[None]]:
        request = browser.request(job.path)

        async def ask() -> None:
            check_rooms(await browser.ask(request), job.room_count)

        return ask

    async with browsers(job.target, job.concurrency) as lent:
        for serial, browser in enumerate(lent):
            account = Account(job.room_count, job.latency_ms, serial)
            await browser.sign_in(job.target.sign_in, account)
        return await closed_loop([step(browser) for browser in lent], job)


async def run_sign_ins(job: SignInsJob) -> Throughput:
    """Sign in a new person at each turn."""
    serials = count()

    def step(browser: Browser) -> Callable[[], Awaitable[None]]:
        async def sign_in() -> None:
            browser.forget()
            await browser.sign_in(job.target.sign_in, Account(100, 0, next(serials)))

        return sign_in

    async with browsers(job.target, job.concurrency) as lent:
        return await closed_loop([step(browser) for browser in lent], job)


async def run_sessions(job: SessionsJob) -> Done:
    """Sign in every person once."""
    begun = perf_counter()
    serials = iter(range(job.first_serial, job.first_serial + job.session_count))

    async def sign_in_all(browser: Browser) -> None:
        for serial in serials:
            browser.forget()
            await browser.sign_in(job.target.sign_in, Account(100, 0, serial))

    async with browsers(job.target, job.concurrency) as lent, asyncio.TaskGroup() as group:
        for browser in lent:
            group.create_task(sign_in_all(browser))
    return Done(job.session_count, perf_counter() - begun)


async def run_rows(job: RowsJob) -> Rows:
    """Ask once for a long page."""
    browser = Browser(job.target.port, marker=ROW_MARKER)
    try:
        await browser.sign_in(job.target.sign_in, Account(job.room_count, job.latency_ms, 0))
        answer = await browser.visit(job.path)
    finally:
        browser.close()
    check_rooms(answer, job.room_count)
    assert answer.first_marker_seconds is not None
    return Rows(answer.first_marker_seconds, answer.whole_seconds)


async def run(job: Job) -> Throughput | Rows | Done:
    """Do one job."""
    match job:
        case RoomsJob():
            return await run_rooms(job)
        case SignInsJob():
            return await run_sign_ins(job)
        case SessionsJob():
            return await run_sessions(job)
        case RowsJob():
            return await run_rows(job)


async def main() -> None:
    """Read the job, do it within its limit, write the outcome."""
    job: Job = msgspec.json.decode(sys.stdin.buffer.read(), type=Job)
    async with asyncio.timeout(limit_seconds(job)):
        outcome = await run(job)
    sys.stdout.buffer.write(msgspec.json.encode(outcome))


if __name__ == "__main__":
    uvloop.run(main())
