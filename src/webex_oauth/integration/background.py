"""What an integration does besides answering: tasks that run until it closes."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from webex_oauth.errors import WebexOAuthError
from webex_oauth.ports import Sleep

FIRST_PAUSE_SECONDS = 1.0
LONGEST_PAUSE_SECONDS = 60.0
STEADY_SECONDS = 300.0

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Task:
    """Work without an end; `name` is what the log calls it."""

    name: str
    run: Callable[[], Awaitable[None]]


class Background:
    """Keep tasks running: one that fails is told of and begins again, and ends no other."""

    def __init__(self, tasks: Sequence[Task], *, sleep: Sleep = asyncio.sleep) -> None:
        self._sleep = sleep
        self._running = [
            asyncio.create_task(self._keep_running(task), name=task.name) for task in tasks
        ]

    async def close(self) -> None:
        """Cancel all tasks, and wait until each has ended."""
        for running in self._running:
            running.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)

    async def _keep_running(self, task: Task) -> None:
        pause_seconds = FIRST_PAUSE_SECONDS
        clock = asyncio.get_running_loop().time
        while True:
            started_at = clock()
            await _run_once(task)
            if clock() - started_at >= STEADY_SECONDS:
                pause_seconds = FIRST_PAUSE_SECONDS
            await self._sleep(pause_seconds)
            pause_seconds = min(2 * pause_seconds, LONGEST_PAUSE_SECONDS)


async def _run_once(task: Task) -> None:
    try:
        await task.run()
    except WebexOAuthError as error:
        log.warning(
            "the task %(task)s failed and begins again: %(error)s",
            {"task": task.name, "error": str(error) or type(error).__name__},
        )
    except Exception:
        # The edge of a task: nobody else would hear of a mistake in it.
        log.exception("the task %(task)s failed and begins again", {"task": task.name})
