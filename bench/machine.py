"""What the figures were taken on: the machine, and the versions of everything that was running."""

import json
import os
import platform
import subprocess
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

_PACKAGES = (
    *("webex-oauth", "starlette", "uvicorn", "uvloop", "httptools", "msgspec", "jinja2"),
    *("psycopg", "redis", "hiredis", "flask", "gunicorn", "requests"),
)
_NODE_PACKAGES = ("express", "express-session", "ejs", "node-fetch")
_LOCK = Path(__file__).parent / "peers" / "express" / "package-lock.json"


def describe() -> Iterator[str]:
    """Say what the machine is, one fact a line."""
    yield f"processor: {processor()}, {len(os.sched_getaffinity(0))} cores"
    yield f"memory: {memory_gib():.0f} GiB"
    yield f"system: {platform.system()} {platform.release()} {platform.machine()}"
    yield f"load average when the run began: {os.getloadavg()[0]:.2f}"
    yield f"python: {platform.python_version()}, {', '.join(python_packages())}"
    yield f"node: {node_version()}, {', '.join(node_packages())}"


def processor() -> str:
    """Return the processor's own name."""
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        name, _, value = line.partition(":")
        if name.strip() == "model name":
            return value.strip()
    return platform.machine()


def memory_gib() -> float:
    """Return how much memory the machine has."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30


def python_packages() -> Iterator[str]:
    """List the installed packages that take part."""
    for name in _PACKAGES:
        try:
            yield f"{name} {version(name)}"
        except PackageNotFoundError:
            continue


def node_version() -> str:
    """Return Node's version, or that there is none."""
    try:
        asked = subprocess.run(["node", "--version"], capture_output=True, check=True, timeout=10)
    except (OSError, subprocess.SubprocessError):
        return "none"
    return asked.stdout.decode().strip()


def node_packages() -> Iterator[str]:
    """List the locked packages of the Node peer."""
    packages = json.loads(_LOCK.read_text())["packages"]
    for name in _NODE_PACKAGES:
        yield f"{name} {packages[f'node_modules/{name}']['version']}"
