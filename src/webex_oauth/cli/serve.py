"""`webex-oauth serve`: a parent that keeps workers alive on one socket.

The parent binds the socket, and every worker accepts connections from its one queue, so no
connection is ever lost in the queue of a worker that ends. Even a single worker has a parent:
SIGHUP replaces workers one after the other.
"""

import asyncio
import contextlib
import logging
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Self

import click
from msgspec.structs import replace

from webex_oauth.cli.options import env_file_option, settings_or_exit
from webex_oauth.cli.output import complain, print_warnings
from webex_oauth.cli.running import listen, neighbour_warnings, run, stop_on_signals
from webex_oauth.settings import Settings, read_sources
from webex_oauth.settings.pages import PagePath

NO_CREDENTIALS = """\
No integration is configured: there is no AUTH_INIT_URL and no CLIENT_SECRET, here or in {file}.
Create one at developer.webex.com (My Webex Apps), put its OAuth Authorization URL and its Client \
Secret into .env under these names, and run this again.
To try everything now, without a Webex account: webex-oauth demo"""
CREDENTIALS = ("AUTH_INIT_URL", "WEBEX_CLIENT_ID", "CLIENT_SECRET", "CLIENT_SECRET_FILE")

BIND_SECONDS = 5.0
"""How long to wait for the address: the system frees what a killed server held within that."""

READY = b"ready\n"
START_SECONDS = 60.0
END_SECONDS = 100.0
FIRST_PAUSE_SECONDS = 1.0
LONGEST_PAUSE_SECONDS = 30.0
STEADY_SECONDS = 60.0

log = logging.getLogger(__name__)


@click.command(name="serve")
@env_file_option
@click.option(
    "--workers",
    type=int,
    help="Serve with this many processes; SIGHUP replaces them one after the other.",
)
def serve_command(*, env_file: Path, workers: int | None) -> None:
    """Run the application with your integration."""
    sources = read_sources(env_file, os.environ)
    if not any(sources.variables.get(name) for name in CREDENTIALS):
        absent = "" if sources.absent is None else " (which does not exist)"
        for line in NO_CREDENTIALS.format(file=f"{env_file}{absent}").splitlines():
            complain(line)
        sys.exit(1)
    if workers is not None:
        variables = {**sources.variables, "WEBEX_WORKERS": str(workers)}
        sources = replace(sources, variables=variables)
    settings = settings_or_exit(sources, is_server=True)
    sys.exit(run(_serve(settings, env_file), asyncio.new_event_loop))


async def _serve(settings: Settings, env_file: Path) -> int:
    renewal, loop = asyncio.Event(), asyncio.get_running_loop()
    listener = await listen(settings.host, settings.port, BIND_SECONDS)
    print_warnings(neighbour_warnings(settings))
    workers = Workers(settings.workers, listener, ["--env-file", str(env_file)])
    stop = stop_on_signals(before_exit=workers.kill)
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # as under nohup
        loop.add_signal_handler(signal.SIGHUP, renewal.set)
    greeting = f"Open {settings.url_of(PagePath.HOME)} in a browser. Ctrl-C stops."
    return await workers.run(stop, renewal, when_ready=lambda: complain(greeting))


class Worker:
    """One process that serves. Its *wire* closes with the parent, however the parent ends."""

    def __init__(self, process: asyncio.subprocess.Process, wire: socket.socket) -> None:
        self._process = process
        self._wire = wire
        self.pid = process.pid
        self.started_at = asyncio.get_running_loop().time()

    @classmethod
    async def start(cls, listener: socket.socket, arguments: Sequence[str]) -> Self:
        """Start a worker in a session of its own, which keeps a terminal's Ctrl-C from it."""
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

    async def is_ready(self) -> bool:
        """Wait until it serves; return False if it ended before that, or took too long."""
        loop = asyncio.get_running_loop()
        with contextlib.suppress(TimeoutError, ConnectionError):
            async with asyncio.timeout(START_SECONDS):
                return await loop.sock_recv(self._wire, len(READY)) == READY
        return False

    async def ended(self) -> int:
        """Wait for its end; return its exit code."""
        exit_code = await self._process.wait()
        self._wire.close()
        return exit_code

    async def end(self) -> int:
        """Let it finish what is under way, while other workers serve."""
        self.send(signal.SIGTERM)
        return await self._end_in_time()

    async def end_with_all(self) -> int:
        """Let it finish what is under way, and know that no other worker serves."""
        self._wire.close()
        return await self._end_in_time()

    def send(self, number: signal.Signals) -> None:
        """Send a signal, unless it has ended."""
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(number)

    async def _end_in_time(self) -> int:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(END_SECONDS):
                return await self.ended()
        log.error("worker %(worker)s did not end and is killed", {"worker": self.pid})
        self.send(signal.SIGKILL)
        return await self.ended()


class Workers:
    """A fixed number of workers on *listener*, restarted when they exit."""

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
        """Serve until *stop* is set; replace every worker when *renewal* is set.

        Returns the exit code: the first worker's own if it cannot start, as then none can.
        """
        first = await self._start()
        if not await first.is_ready():
            return _exit_code(await first.end_with_all())
        others = [await self._start() for _ in range(1, self._count)]
        await asyncio.gather(*(worker.is_ready() for worker in others))
        self._places = [first, *others]
        when_ready()
        tasks = [asyncio.create_task(self._watch(place)) for place in range(self._count)]
        tasks.append(asyncio.create_task(self._renew_on(renewal)))
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
            worker.send(signal.SIGKILL)

    async def _watch(self, place: int) -> None:
        """Restart a worker that exited, backing off if it died young."""
        pause_seconds = FIRST_PAUSE_SECONDS
        while True:
            worker = self._places[place]
            exit_code = await worker.ended()
            if self._places[place] is not worker:
                continue
            self._alive.discard(worker)
            if asyncio.get_running_loop().time() - worker.started_at >= STEADY_SECONDS:
                pause_seconds = FIRST_PAUSE_SECONDS
            log.error(
                "worker %(worker)s exited with code %(exit_code)s; the next one starts "
                "in %(next_in)s s",
                {"worker": worker.pid, "exit_code": exit_code, "next_in": pause_seconds},
            )
            await asyncio.sleep(pause_seconds)
            pause_seconds = min(2 * pause_seconds, LONGEST_PAUSE_SECONDS)
            async with self._turn:
                if self._places[place] is worker:
                    self._places[place] = await self._start()

    async def _renew_on(self, renewal: asyncio.Event) -> None:
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
        """End the worker at *place* once its successor serves; keep it if that one cannot start."""
        new = await self._start()
        if not await new.is_ready():
            await self._end(new)
            return False
        old, self._places[place] = self._places[place], new
        await self._end(old)
        log.info(
            "worker %(worker)s replaced worker %(before)s", {"worker": new.pid, "before": old.pid}
        )
        return True

    async def _start(self) -> Worker:
        worker = await Worker.start(self._listener, self._arguments)
        self._alive.add(worker)
        return worker

    async def _end(self, worker: Worker) -> None:
        await worker.end()
        self._alive.discard(worker)


def _exit_code(of_worker: int) -> int:
    """Return a failing exit code: the worker's own, with a signal spelled as a shell does."""
    return 128 - of_worker if of_worker < 0 else of_worker or 1
