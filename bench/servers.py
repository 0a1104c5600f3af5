"""The servers under measurement: ours and its peers, on chosen cores, weighed through /proc."""

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from socket import create_server
from tempfile import TemporaryDirectory
from typing import IO, Any, TypeVar
from urllib.parse import urlencode

from msgspec import Struct

from bench.upstream import SCOPES

Result = TypeVar("Result")
Cores = frozenset[int]

START_SECONDS = 20.0
STOP_SECONDS = 10.0
POLL_SECONDS = 0.002
ROOT = Path(__file__).parent.parent
EXPRESS_FOLDER = Path(__file__).parent / "peers" / "express"
BIN = Path(sys.executable).parent


class MeasureError(Exception):
    """A measure could not be taken; the message says what was seen."""


class Layout(Struct, frozen=True):
    """Which cores the servers get, and which the load generator and the stub Webex."""

    name: str
    server_cores: Cores
    load_cores: Cores


class Contender(Struct, frozen=True):
    """One server and where its journeys begin; `all_rooms` is the page that shows every room."""

    name: str
    command: Callable[[int], list[str]]
    sign_in: str = "/"
    rooms: str = "/listrooms"
    all_rooms: str = "/listrooms/all"
    variables: tuple[tuple[str, str], ...] = ()


class Target(Struct, frozen=True):
    """A contender as it runs now."""

    port: int
    pid: int
    upstream_port: int
    sign_in: str
    rooms: str
    all_rooms: str


OURS = Contender(
    name="webex-oauth",
    command=lambda _: [str(BIN / "webex-oauth"), "serve"],
    sign_in="/login",
    all_rooms="/listrooms",
)
EXPRESS = Contender("express", lambda _: ["node", str(EXPRESS_FOLDER / "server.js")])
EXPRESS_ON_DISK = Contender(
    "express on disk", EXPRESS.command, variables=(("SESSION_FILE", "sessions.sqlite"),)
)
FLASK = Contender(
    name="flask",
    command=lambda port: [
        *(str(BIN / "gunicorn"), "bench.peers.flask_app.app:app", "--chdir", str(ROOT)),
        *("--bind", f"127.0.0.1:{port}", "--keep-alive", "30", "--log-level", "warning"),
        *("--workers", "1", "--worker-class", "gthread", "--threads", "32"),
    ],
)
STARLETTE = Contender(
    name="starlette",
    command=lambda port: [
        *(str(BIN / "uvicorn"), "bench.peers.starlette_app.app:app", "--app-dir", str(ROOT)),
        *("--port", str(port), "--no-access-log", "--log-level", "warning"),
    ],
    sign_in="/login",
)
CONTENDERS = (OURS, EXPRESS, EXPRESS_ON_DISK, FLASK, STARLETTE)


def unpinned() -> Layout:
    """Return the layout that lets every process run wherever the system puts it."""
    cores = frozenset(os.sched_getaffinity(0))
    return Layout("unpinned", cores, cores)


def layouts() -> list[Layout]:
    """List the layouts this machine allows: pinning takes two cores."""
    server, *others = sorted(os.sched_getaffinity(0))
    pinned = Layout("pinned", frozenset({server}), frozenset(others[:1]))
    return [unpinned(), pinned] if others else [unpinned()]


class Stage(Struct, frozen=True):
    """The stub Webex and the contenders as they run now; only the one at its turn has work."""

    layout: Layout
    origin: str
    targets: Mapping[Contender, Target]

    def load(self, contender: Contender, job: Callable[..., Result], *arguments: Any) -> Result:
        """Run one job of the load generator against a contender."""
        return in_process(self.layout.load_cores, job, self.targets[contender], *arguments)


@contextmanager
def stage(contenders: Sequence[Contender], layout: Layout) -> Iterator[Stage]:
    """Run a stub Webex and these contenders together."""
    with ExitStack() as stack:
        origin = stack.enter_context(upstream(layout.load_cores))
        servers = {one: started(one, origin, layout.server_cores) for one in contenders}
        targets = {one: stack.enter_context(server)[0] for one, server in servers.items()}
        yield Stage(layout, origin, targets)


@contextmanager
def upstream(cores: Cores) -> Iterator[str]:
    """Run the stub Webex and yield its origin."""
    command = [sys.executable, "-m", "bench.upstream"]
    with running(command, cores=cores, environment={}, folder=ROOT) as process:
        assert process.stdout is not None
        origin = process.stdout.readline().decode().strip()
        if not origin:
            raise MeasureError("the stub Webex did not start")
        yield origin


@contextmanager
def started(contender: Contender, origin: str, cores: Cores) -> Iterator[tuple[Target, float]]:
    """Run a contender in a new folder; yield its target and the seconds to its first answer."""
    with create_server(("127.0.0.1", 0)) as listener:
        port = int(listener.getsockname()[1])
    with TemporaryDirectory(prefix="webex-oauth-bench-") as name:
        folder = Path(name)
        environment = {**settings(origin, port, folder), **dict(contender.variables)}
        with (
            (folder / "log").open("wb") as log,
            running(
                contender.command(port),
                cores=cores,
                environment=environment,
                folder=folder,
                log=log,
            ) as process,
        ):
            begun = time.perf_counter()
            while not _answers(port):
                is_late = time.perf_counter() - begun > START_SECONDS
                if is_late or process.poll() is not None:
                    printed = (folder / "log").read_text(errors="replace")[-2000:]
                    raise MeasureError(f"{contender.name} did not start:\n{printed}")
                time.sleep(POLL_SECONDS)
            seconds = time.perf_counter() - begun
            pages = contender.sign_in, contender.rooms, contender.all_rooms
            yield Target(port, process.pid, int(origin.rpartition(":")[2]), *pages), seconds


def settings(origin: str, port: int, folder: Path) -> dict[str, str]:
    """Build the environment of a server under test: the sample's names, and those of ours."""
    query = {
        "client_id": "C" + "5e" * 32,
        "response_type": "code",
        "redirect_uri": f"http://localhost:{port}/oauth",
        "scope": SCOPES,
    }
    return {
        "AUTH_INIT_URL": f"{origin}/v1/authorize?{urlencode(query)}",
        "CLIENT_SECRET": "0f1e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c4b5a69788796a5b4c3d2e1f0",
        "PORT": str(port),
        "WEBEX_ORIGIN": origin,
        "WEBEX_STORE_URL": f"sqlite:///{folder}/vault.sqlite",
        "WEBEX_KEYS_FILE": f"{folder}/keys",
        "NODE_ENV": "production",
    }


def _answers(port: int) -> bool:
    connection = HTTPConnection("127.0.0.1", port, timeout=START_SECONDS)
    try:
        connection.request("GET", "/index.html", headers={"host": f"localhost:{port}"})
        return connection.getresponse().status == 200
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()


@contextmanager
def running(
    command: Sequence[str],
    *,
    cores: Cores,
    environment: Mapping[str, str],
    folder: Path,
    log: IO[bytes] | None = None,
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a command on these cores until the block is left, then end it.

    It sees PATH and this environment, nothing else. Without a *log*, its output can be read.
    """
    with confined_to(cores):
        process = subprocess.Popen(
            command,
            env={"PATH": os.environ["PATH"], **environment},
            cwd=folder,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE if log is None else log,
            stderr=log,
            start_new_session=True,
        )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.communicate(timeout=STOP_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate(timeout=STOP_SECONDS)


@contextmanager
def confined_to(cores: Cores) -> Iterator[None]:
    """Let whatever is started in the block inherit these cores, and restore ours after it."""
    own = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores)
    try:
        yield
    finally:
        os.sched_setaffinity(0, own)


def in_process(
    cores: Cores, function: Callable[..., Result], *arguments: Any, limit_seconds: float = 120
) -> Result:
    """Run *function* in a new process on these cores; raise MeasureError if it fails or is late."""
    context = multiprocessing.get_context("spawn")
    with context.Pool(1, os.sched_setaffinity, (0, cores)) as pool:
        try:
            return pool.apply_async(function, arguments).get(limit_seconds)
        except Exception as error:
            raise MeasureError(f"{function.__name__}{arguments}: {error!r}") from error


def family(pid: int) -> list[int]:
    """List a process and its living descendants."""
    pids = [pid]
    for member in pids:
        for children in Path(f"/proc/{member}/task").glob("*/children"):
            pids.extend(int(child) for child in children.read_text().split())
    return pids


def cpu_seconds(pid: int) -> float:
    """Return the CPU time a process and its living descendants have used, all threads counted."""
    # The clock id of another process's CPU time, as clock_getcpuclockid(3) builds it.
    return sum(time.clock_gettime((~member << 3) | 2) for member in family(pid))


def resident_bytes(pid: int) -> int:
    """Return the memory a process and its living descendants hold, shared pages split fairly."""
    rollups = (Path(f"/proc/{member}/smaps_rollup").read_text() for member in family(pid))
    lines = (line for rollup in rollups for line in rollup.splitlines())
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))
