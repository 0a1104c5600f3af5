"""Processes in each of which many callers want the access token of one person at once."""

import asyncio
import os
import sys
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

import msgspec
from peers.registration import Registration
from waiting import LIMIT_SECONDS, until_true

from webex_oauth.integration import OpenIntegration

TESTS = Path(__file__).parent.parent
PROGRAMS = Path(__file__).parent / "programs"
LOOK_AGAIN_SECONDS = 0.02


@dataclass(frozen=True, slots=True)
class Job:
    """What a process does: where the grant is, whose it is, and how many want its token.

    With a `clock_file` it goes by the instant in there. Callers that `insist` ask again until there
    is a token. `point` is where a program stops, or dies.
    """

    registration: Registration
    store_url: str
    folder: str
    grant_key: bytes
    caller_count: int
    clock_file: str | None = None
    insists: bool = False
    point: str = ""


@dataclass(frozen=True, slots=True)
class Answers:
    """What callers got: how many each token, by its digest, and how many each error.

    `sent_at` is when requests left for it, by the monotonic clock that all processes share.
    """

    tokens: dict[str, int] = field(default_factory=dict)
    errors: dict[str, int] = field(default_factory=dict)
    sent_at: list[float] = field(default_factory=list, compare=False)

    def __add__(self, other: "Answers") -> "Answers":
        return Answers(
            dict(Counter(self.tokens) + Counter(other.tokens)),
            dict(Counter(self.errors) + Counter(other.errors)),
            sorted(self.sent_at + other.sent_at),
        )


class CallerProcess:
    """One process with its callers."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process

    async def line(self) -> bytes:
        """Read what it says next."""
        assert self.process.stdout is not None
        return await self.process.stdout.readline()

    def say(self, line: bytes) -> None:
        """Write a line to it."""
        assert self.process.stdin is not None
        self.process.stdin.write(line + b"\n")

    async def until_stopped(self) -> None:
        """Wait until it is stopped, as by SIGSTOP."""
        how = os.WSTOPPED | os.WNOWAIT | os.WNOHANG
        async with asyncio.timeout(LIMIT_SECONDS):
            while os.waitid(os.P_PID, self.process.pid, how) is None:  # noqa: ASYNC110, ASYNC222
                await asyncio.sleep(LOOK_AGAIN_SECONDS)

    async def answers(self) -> Answers:
        """Read what its callers got."""
        async with asyncio.timeout(LIMIT_SECONDS):
            return msgspec.json.decode(await self.line(), type=Answers)


async def start_program(
    program: Path,
    job: object,
    *,
    under: Sequence[str] = (),
    environment: Mapping[str, str] | None = None,
    stderr: IO[bytes] | None = None,
) -> asyncio.subprocess.Process:
    """Start a Python program of the tests; its first line of input is *job*."""
    process = await asyncio.create_subprocess_exec(
        *under,
        sys.executable,
        str(program),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=stderr,
        env={**os.environ, "PYTHONPATH": str(TESTS), **(environment or {})},
    )
    assert process.stdin is not None
    process.stdin.write(msgspec.json.encode(job) + b"\n")
    return process


@asynccontextmanager
async def caller_process(
    job: Job,
    program: str = "ask_together",
    *,
    under: Sequence[str] = (),
    environment: Mapping[str, str] | None = None,
) -> AsyncIterator[CallerProcess]:
    """Start a process, wait until its callers are ready, and end it afterwards."""
    path = PROGRAMS / f"{program}.py"
    process = await start_program(path, job, under=under, environment=environment)
    callers = CallerProcess(process)
    try:
        async with asyncio.timeout(LIMIT_SECONDS):
            assert await callers.line() == b"ready\n"
        yield callers
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


@asynccontextmanager
async def caller_processes(count: int, job: Job) -> AsyncIterator[list[CallerProcess]]:
    """Start several processes with the same job."""
    async with AsyncExitStack() as exits:
        yield await asyncio.gather(
            *(exits.enter_async_context(caller_process(job)) for _ in range(count))
        )


async def ask(processes: Sequence[CallerProcess]) -> Answers:
    """Run every caller of every process at once; return what they got, added up."""
    for one in processes:
        one.say(b"ask")
    return sum(await asyncio.gather(*(one.answers() for one in processes)), Answers())


async def token_is_over(integration: OpenIntegration, key: bytes) -> None:
    """Wait until the grant's access token has ended, by the clock that all share."""
    ends_at = (await integration.vault.grant(key)).tokens.access_expires_at
    assert ends_at is not None
    await until_true(lambda: integration.context.clock() >= ends_at)
