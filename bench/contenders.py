"""The servers that are compared: ours and two peers, each one process with the same settings."""

import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from socket import create_server
from time import perf_counter, sleep
from urllib.parse import urlencode

from bench.jobs import Target
from bench.processes import Cores, running
from bench.world import SCOPES

START_SECONDS = 20.0
INSTALL_SECONDS = 300.0
POLL_SECONDS = 0.002

_ROOT = Path(__file__).parent.parent
_EXPRESS = Path(__file__).parent / "peers" / "express"
_BIN = Path(sys.executable).parent


class StartError(Exception):
    """A server under test did not come up; the message ends with what it printed."""


@dataclass(frozen=True, slots=True)
class Contender:
    """One server and where its journeys begin; `all_rooms` is the page that shows every room."""

    name: str
    command: Callable[[int], list[str]]
    sign_in: str
    rooms: str
    all_rooms: str


OURS = Contender(
    name="webex-oauth",
    command=lambda _: [str(_BIN / "webex-oauth"), "serve"],
    sign_in="/login",
    rooms="/listrooms",
    all_rooms="/listrooms",
)
EXPRESS = Contender(
    name="express",
    command=lambda _: ["node", str(_EXPRESS / "server.js")],
    sign_in="/",
    rooms="/listrooms",
    all_rooms="/listrooms/all",
)
FLASK = Contender(
    name="flask",
    command=lambda port: [
        *(str(_BIN / "gunicorn"), "bench.peers.flask_app.app:app", "--chdir", str(_ROOT)),
        *("--bind", f"127.0.0.1:{port}", "--keep-alive", "30", "--log-level", "warning"),
        *("--workers", "1", "--worker-class", "gthread", "--threads", "32"),
    ],
    sign_in="/",
    rooms="/listrooms",
    all_rooms="/listrooms/all",
)
CONTENDERS = (OURS, EXPRESS, FLASK)


def settings(webex_origin: str, port: int, folder: Path) -> Mapping[str, str]:
    """Build the environment of a server under test: the sample's names, and those of ours."""
    query = {
        "client_id": "C" + "5e" * 32,
        "response_type": "code",
        "redirect_uri": f"http://localhost:{port}/oauth",
        "scope": SCOPES,
    }
    return {
        "AUTH_INIT_URL": f"{webex_origin}/v1/authorize?{urlencode(query)}",
        "CLIENT_SECRET": "0f1e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c4b5a69788796a5b4c3d2e1f0",
        "PORT": str(port),
        "WEBEX_ORIGIN": webex_origin,
        "WEBEX_STORE_URL": f"sqlite:///{folder}/vault.sqlite",
        "WEBEX_KEYS_FILE": f"{folder}/keys",
        "NODE_ENV": "production",
    }


def free_port() -> int:
    """Find a loopback port that nobody listens on."""
    with create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


@contextmanager
def started(
    contender: Contender, webex_origin: str, folder: Path, cores: Cores
) -> Iterator[tuple[Target, float]]:
    """Run a contender in a new folder; give its target and the seconds to its first answer."""
    port = free_port()
    folder.mkdir(mode=0o700)
    log_path = folder / "log"
    with (
        log_path.open("wb") as log,
        running(
            contender.command(port),
            cores=cores,
            environment=settings(webex_origin, port, folder),
            folder=folder,
            log=log,
        ) as process,
    ):
        begun = perf_counter()
        try:
            wait_until_answering(port, process)
        except StartError as error:
            printed = log_path.read_text(errors="replace")[-2000:]
            raise StartError(f"{contender.name} {error}:\n{printed}") from error
        seconds = perf_counter() - begun
        upstream_port = int(webex_origin.rpartition(":")[2])
        yield Target(port, process.pid, contender.sign_in, upstream_port), seconds


def wait_until_answering(port: int, process: subprocess.Popen[bytes]) -> None:
    """Ask for the home page until it comes; StartError when the process ends or takes too long."""
    give_up_at = perf_counter() + START_SECONDS
    while perf_counter() < give_up_at:
        if process.poll() is not None:
            raise StartError(f"ended with status {process.returncode}")
        if answers(port):
            return
        sleep(POLL_SECONDS)
    raise StartError(f"did not answer within {START_SECONDS:.0f} seconds")


def answers(port: int) -> bool:
    """Tell whether a server gives its home page."""
    connection = HTTPConnection("127.0.0.1", port, timeout=START_SECONDS)
    try:
        connection.request("GET", "/index.html", headers={"host": f"localhost:{port}"})
        return connection.getresponse().status == 200
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()


def install_express() -> None:
    """Install the Node peer's packages as its lock file names them, where that is not done."""
    installed = _EXPRESS / "node_modules" / ".package-lock.json"
    lock = _EXPRESS / "package-lock.json"
    if installed.exists() and installed.stat().st_mtime >= lock.stat().st_mtime:
        return
    if not shutil.which("npm"):
        raise StartError("the express peer needs node and npm on the PATH")
    subprocess.run(
        ["npm", "ci", "--ignore-scripts"],
        cwd=_EXPRESS,
        check=True,
        timeout=INSTALL_SECONDS,
        stdout=subprocess.DEVNULL,
    )
