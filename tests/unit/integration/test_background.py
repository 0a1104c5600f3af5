"""Background tasks: one that fails is restarted, and ends no other; closing ends all."""

import asyncio
import logging

import pytest
from logged import fields
from waiting import LIMIT_SECONDS

from webex_oauth import integration
from webex_oauth.errors import StoreUnavailable
from webex_oauth.integration import LONGEST_PAUSE_SECONDS, Background
from webex_oauth.opening import Tasks


class Pauses:
    """A sleep that only records how long, and stops after *at_most* pauses."""

    def __init__(self, at_most: int) -> None:
        self.seconds: list[float] = []
        self.are_over = asyncio.Event()
        self._at_most = at_most

    async def sleep(self, seconds: float) -> None:
        self.seconds.append(seconds)
        if len(self.seconds) >= self._at_most:
            self.are_over.set()
            await asyncio.Event().wait()
        await asyncio.sleep(0)


async def run_until_paused(at_most: int, tasks: Tasks) -> list[float]:
    """Run *tasks* until they have paused that often; return the pauses."""
    pauses = Pauses(at_most)
    running = Background(tasks, sleep=pauses.sleep)
    async with asyncio.timeout(LIMIT_SECONDS):
        await pauses.are_over.wait()
    await running.close()
    return pauses.seconds


def logged_by(caplog: pytest.LogCaptureFixture) -> list[logging.LogRecord]:
    """Return what was logged about tasks."""
    return [record for record in caplog.records if record.name == integration.__name__]


async def fail() -> None:
    raise StoreUnavailable("down")


async def break_down() -> None:
    raise ZeroDivisionError


def test_a_task_that_fails_is_restarted_with_back_off(caplog: pytest.LogCaptureFixture) -> None:
    seconds = asyncio.run(run_until_paused(9, {"sweeper": fail}))

    assert seconds[:4] == [1.0, 2.0, 4.0, 8.0]
    assert max(seconds) == seconds[-1] == LONGEST_PAUSE_SECONDS
    assert [fields(record)["task"] for record in logged_by(caplog)] == ["sweeper"] * 9


def test_a_bug_in_a_task_is_logged_with_its_traceback(caplog: pytest.LogCaptureFixture) -> None:
    asyncio.run(run_until_paused(2, {"keeper": break_down}))

    assert {record.levelno for record in logged_by(caplog)} == {logging.ERROR}
    assert all(record.exc_info for record in logged_by(caplog))


def test_a_task_that_fails_ends_no_other() -> None:
    steps: list[int] = []

    async def step() -> None:
        while True:
            steps.append(1)
            await asyncio.sleep(0)

    async def run() -> None:
        await run_until_paused(5, {"steady": step, "breaks": break_down})

    asyncio.run(run())

    assert len(steps) >= 5


def test_closing_cancels_every_task_and_waits_for_its_end() -> None:
    ended: list[str] = []

    async def wait() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            current = asyncio.current_task()
            assert current
            ended.append(current.get_name())

    async def run() -> None:
        running = Background(dict.fromkeys("abc", wait))
        await asyncio.sleep(0)
        await running.close()

    asyncio.run(run())

    assert sorted(ended) == ["a", "b", "c"]
