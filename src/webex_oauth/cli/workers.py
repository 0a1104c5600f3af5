"""Several workers on one socket: started, watched, renewed one after the other, and ended.

The socket is bound once, by this process, and every worker takes connections from its one queue:
no connection is ever in the queue of a worker that goes.
"""

import asyncio
import contextlib
import logging
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Sequence

READY = b"ready\n"
START_SECONDS = 60.0
END_SECONDS = 100.0
GIVE_UP_SECONDS = 5.0
FIRST_PAUSE_SECONDS = 1.0
LONGEST_PAUSE_SECONDS = 30.0
STEADY_SECONDS = 60.0

log = logging.getLogger(__name__)


class Worker:
    """One process that serves."""

    def __init__(self, process: asyncio.subprocess.Process, wire: socket.socket) -> None:
        self._process = process
        self._wire = wire
        self._started_at = asyncio.get_running_loop().time()

    @classmethod
    async def start(cls, listener: socket.socket, arguments: Sequence[str]) -> "Worker":
        """Start a worker that takes connections from *listener*.

        A session of its own keeps a terminal's Ctrl-C from it: ending is the parent's word.
        """
        ours, theirs = socket.socketpair()
        with theirs:
            sockets = (listener.fileno(), theirs.fileno())
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-P", "-m", "webex_oauth.cli.worker", *arguments),
                *("--listener", str(sockets[0]), "--wire", str(sockets[1])),
                stdin=subprocess.DEVNULL,
                pass_fds=sockets,
                start_new_session=True,
            )
        ours.setblocking(False)
        return cls(process, ours)

    @property
    def pid(self) -> int:
        """The process's id."""
        return self._process.pid

    @property
    def is_steady(self) -> bool:
        """Whether it has lived for a while."""
        return asyncio.get_running_loop().time() - self._started_at >= STEADY_SECONDS

    async def is_ready(self) -> bool:
        """Wait until it serves; False when it ended before, or took too long."""
        loop = asyncio.get_running_loop()
        with contextlib.suppress(TimeoutError, ConnectionError):
            async with asyncio.timeout(START_SECONDS):
                return await loop.sock_recv(self._wire, len(READY)) == READY
        return False

    async def ended(self) -> int:
        """Wait for its end; give its exit code."""
        exit_code = await self._process.wait()
        self._wire.close()
        return exit_code

    async def end(self) -> int:
        """Let this worker finish what is under way, while others serve on."""
        self._send(signal.SIGTERM)
        return await self._end_in_time()

    async def end_with_all(self) -> int:
        """Let it know that nobody serves on, and finish what is under way."""
        self._wire.close()
        return await self._end_in_time()

    async def _end_in_time(self) -> int:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(END_SECONDS):
                return await self.ended()
        log.error("worker %(worker)s did not end and is killed", {"worker": self.pid})
        self.kill()
        return await self.ended()

    def kill(self) -> None:
        """End it at once."""
        self._send(signal.SIGKILL)

    def _send(self, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(number)


class Workers:
    """Keep *count* workers alive on *listener*."""

    def __init__(self, count: int, listener: socket.socket, arguments: Sequence[str]) -> None:
        self._count = count
        self._listener = listener
        self._arguments = arguments
        self._places: list[Worker] = []
        self._alive: set[Worker] = set()
        self._turn = asyncio.Lock()

    async def run(
        self, stop: asyncio.Event, renewal: asyncio.Event, when_ready: Callable[[], None]
    ) -> int:
        """Serve until *stop* is set, and put new workers in all places when *renewal* is.

        Gives the exit code: the first worker's own when it cannot start, for then none can.
        """
        first = await self._start()
        if not await first.is_ready():
            return _exit_code(await self._given_up(first))
        others = [await self._start() for _ in range(1, self._count)]
        await asyncio.gather(*(worker.is_ready() for worker in others))
        self._places = [first, *others]
        when_ready()
        tasks = [asyncio.create_task(self._watch(place)) for place in range(self._count)]
        tasks.append(asyncio.create_task(self._renew_when_told(renewal)))
        await stop.wait()
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        self._listener.close()
        await asyncio.gather(*(worker.end_with_all() for worker in self._alive))
        return 0

    def kill(self) -> None:
        """End all at once."""
        for worker in self._alive:
            worker.kill()

    async def _watch(self, place: int) -> None:
        """Put a new worker where one ended by itself, the later the sooner it did."""
        pause_seconds = FIRST_PAUSE_SECONDS
        while True:
            worker = self._places[place]
            exit_code = await worker.ended()
            if self._places[place] is not worker:
                continue
            self._alive.discard(worker)
            if worker.is_steady:
                pause_seconds = FIRST_PAUSE_SECONDS
            log.error(
                "worker %(worker)s ended with exit code %(exit_code)s; the next one starts "
                "in %(next_in)s s",
                {"worker": worker.pid, "exit_code": exit_code, "next_in": pause_seconds},
            )
            await asyncio.sleep(pause_seconds)
            pause_seconds = min(2 * pause_seconds, LONGEST_PAUSE_SECONDS)
            async with self._turn:
                if self._places[place] is worker:
                    self._places[place] = await self._start()

    async def _renew_when_told(self, renewal: asyncio.Event) -> None:
        while True:
            await renewal.wait()
            renewal.clear()
            for place in range(self._count):
                async with self._turn:
                    is_renewed = await self._renew(place)
                if not is_renewed:
                    log.error("the workers stay: a new one cannot start")
                    break

    async def _renew(self, place: int) -> bool:
        """Let a new worker serve before the old one ends; keep the old one where that fails."""
        new = await self._start()
        if not await new.is_ready():
            await self._end(new)
            return False
        old, self._places[place] = self._places[place], new
        await self._end(old)
        log.info(
            "worker %(worker)s took the place of worker %(before)s",
            {"worker": new.pid, "before": old.pid},
        )
        return True

    async def _given_up(self, worker: Worker) -> int:
        """Wait for the end of a worker that could not start; end it when it does not by itself."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(GIVE_UP_SECONDS):
                return await worker.ended()
        return await self._end(worker)

    async def _start(self) -> Worker:
        worker = await Worker.start(self._listener, self._arguments)
        self._alive.add(worker)
        return worker

    async def _end(self, worker: Worker) -> int:
        exit_code = await worker.end()
        self._alive.discard(worker)
        return exit_code


def _exit_code(of_worker: int) -> int:
    """Give the exit code of who cannot serve: the worker's own, as a shell tells a signal's."""
    return 128 - of_worker if of_worker < 0 else of_worker or 1
