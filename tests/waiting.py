"""Waiting for what a test asserts, with one limit that is generous enough for a busy machine."""

import asyncio
import time
from collections.abc import Awaitable, Callable

LIMIT_SECONDS = 60.0
# What a busy machine may add to a promised limit. What these tests hold up is held up for ever: a
# call without a limit would not come back at all.
SLACK_SECONDS = 10.0
LOOK_AGAIN_SECONDS = 0.01


def until(is_so: Callable[[], object], what: Callable[[], object] | str = "it is not so") -> None:
    """Return once *is_so* is true; fail with *what* when it does not become so."""
    give_up_at = time.monotonic() + LIMIT_SECONDS
    while not is_so():
        assert time.monotonic() < give_up_at, what if isinstance(what, str) else what()
        time.sleep(LOOK_AGAIN_SECONDS)


async def until_true(is_so: Callable[[], object | Awaitable[object]]) -> None:
    """Return once *is_so*, or what it promises, is true; fail when it does not become so."""
    async with asyncio.timeout(LIMIT_SECONDS):
        while not await _answer(is_so):  # noqa: ASYNC110 - what is waited for tells nobody
            await asyncio.sleep(LOOK_AGAIN_SECONDS)


async def _answer(is_so: Callable[[], object | Awaitable[object]]) -> object:
    answer = is_so()
    return await answer if isinstance(answer, Awaitable) else answer
