"""The load: what a process of its own does to a server under test, and the figures it returns."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from itertools import count
from statistics import quantiles
from time import perf_counter

import uvloop
from msgspec import Struct

from bench.client import Browser, UnexpectedAnswerError, check_rooms, connect
from bench.servers import Target, cpu_seconds
from bench.upstream import ROW_MARKER, Account

COUNT_REQUEST = b"GET /count HTTP/1.1\r\nhost: localhost\r\n\r\n"
FEWEST_ANSWERS = 20
ROOM_COUNT = 100


class Window(Struct, frozen=True):
    """How long a closed loop warms up, and how long it is measured."""

    warm_up_seconds: float
    seconds: float


class Throughput(Struct, frozen=True):
    """What a closed loop reached, by the server's CPU time and by the clock."""

    count: int
    per_second: float
    cpu_microseconds: float
    slowest_percent_ms: float


class Meters(Struct, frozen=True):
    """Readings of one moment."""

    at: float
    cpu_seconds: float
    upstream_answers: int


def list_rooms(target: Target, concurrency: int, latency_ms: int, window: Window) -> Throughput:
    """Sign in one person per connection, then ask for each one's rooms again and again."""

    async def run() -> Throughput:
        async with browsers(target, concurrency) as lent:
            for serial, browser in enumerate(lent):
                await browser.sign_in(target.sign_in, Account(ROOM_COUNT, latency_ms, serial))
            steps = [asking(browser, browser.request(target.rooms)) for browser in lent]
            return await closed_loop(steps, target, window, calls=1)

    return uvloop.run(run())


def sign_in_again_and_again(target: Target, concurrency: int, window: Window) -> Throughput:
    """Sign in a new person in every step."""

    async def run() -> Throughput:
        serials = count()
        async with browsers(target, concurrency) as lent:
            steps = [signing_in(target, browser, serials) for browser in lent]
            return await closed_loop(steps, target, window, calls=2)

    return uvloop.run(run())


def show_long_list(target: Target, room_count: int, latency_ms: int) -> tuple[float, float]:
    """Ask once for a long list; return the seconds to its first row, and to the whole of it."""

    async def run() -> tuple[float, float]:
        browser = Browser(target.port, marker=ROW_MARKER)
        try:
            await browser.sign_in(target.sign_in, Account(room_count, latency_ms, 0))
            answer = await browser.visit(target.all_rooms)
        finally:
            browser.close()
        check_rooms(answer, room_count)
        assert answer.first_marker_seconds is not None
        return answer.first_marker_seconds, answer.whole_seconds

    return uvloop.run(run())


@asynccontextmanager
async def browsers(target: Target, concurrency: int) -> AsyncIterator[list[Browser]]:
    """Yield so many browsers, and close them."""
    lent = [Browser(target.port) for _ in range(concurrency)]
    try:
        yield lent
    finally:
        for browser in lent:
            browser.close()


def asking(browser: Browser, request: bytes) -> Callable[[], Awaitable[None]]:
    """Return the step that asks for the page of rooms."""

    async def ask() -> None:
        check_rooms(await browser.ask(request), ROOM_COUNT)

    return ask


def signing_in(
    target: Target, browser: Browser, serials: "count[int]"
) -> Callable[[], Awaitable[None]]:
    """Return the step that signs in the next person."""

    async def sign_in() -> None:
        browser.forget()
        await browser.sign_in(target.sign_in, Account(ROOM_COUNT, 0, next(serials)))

    return sign_in


async def closed_loop(
    steps: Sequence[Callable[[], Awaitable[None]]], target: Target, window: Window, *, calls: int
) -> Throughput:
    """Repeat each step without pause, and count what is finished within the measured window.

    The window stays open until there is something to count. Each step takes so many *calls* of
    Webex: an answer that was not fetched for the asking would measure a cache.
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
        await asyncio.sleep(window.warm_up_seconds)
        opened = await read_meters(target)
        waits.clear()
        enough.clear()
        await asyncio.sleep(window.seconds)
        await enough.wait()
        measured = waits.copy()
        closed = await read_meters(target)
        for task in tasks:
            task.cancel()
    fetched = closed.upstream_answers - opened.upstream_answers
    if fetched < (len(measured) - len(steps)) * calls:
        raise UnexpectedAnswerError(f"{len(measured)} answers from {fetched} calls of Webex")
    return Throughput(
        count=len(measured),
        per_second=len(measured) / (closed.at - opened.at),
        cpu_microseconds=(closed.cpu_seconds - opened.cpu_seconds) / len(measured) * 1e6,
        slowest_percent_ms=quantiles(measured, n=100, method="inclusive")[98] * 1e3,
    )


async def read_meters(target: Target) -> Meters:
    """Read the clock, the server's CPU time, and how much the stub has answered."""
    stub = await connect(target.upstream_port)
    try:
        counted = await stub.ask(COUNT_REQUEST)
    finally:
        stub.close()
    return Meters(perf_counter(), cpu_seconds(target.pid), int(counted.body))
