"""A haproxy in front of several machines, set up as its manual says and with no further mercy."""

import csv
import socket
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from services.processes import private_folder, require, start, write_for
from waiting import until

CONFIGURATION = """
global
    maxconn 1000
    stats socket {socket}
defaults
    mode http
    timeout connect 2s
    timeout client 30s
    timeout server 30s
    option redispatch
frontend people
    bind {host}:{port}
    default_backend machines
backend machines
    balance roundrobin
    option httpchk
    http-check send meth GET uri /readyz ver HTTP/1.1 hdr Host localhost:{port}
    default-server check inter 200ms fall 1 rise 1
"""


class Haproxy:
    """A running haproxy, which can be asked what it thinks of its machines."""

    def __init__(self, socket_path: Path) -> None:
        self._socket_path = socket_path

    def wait_until(self, machine: str, status: str) -> None:
        """Wait until it has found a machine UP or DOWN."""
        until(lambda: self._status_of(machine) == status, f"{machine} is not {status}")

    def _status_of(self, machine: str) -> str:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(str(self._socket_path))
            connection.sendall(b"show stat\n")
            with connection.makefile(encoding="ascii") as answer:
                rows = list(csv.DictReader(answer))
        return next(row["status"] for row in rows if row["svname"] == machine)


@contextmanager
def running_haproxy(host: str, port: int, machines: Sequence[str]) -> Iterator[Haproxy]:
    """Let *host*:*port* lead to *machines*, each at the same port."""
    program = require("haproxy")
    with private_folder("haproxy") as folder:
        text = CONFIGURATION.format(host=host, port=port, socket=folder / "admin")
        lines = [f"    server {machine} {machine}:{port}\n" for machine in machines]
        file = write_for(folder, "haproxy.cfg", text + "".join(lines))
        process = start([program, "-db", "-f", file], folder / "log")
        try:
            while not (folder / "admin").exists():
                assert process.poll() is None, (folder / "log").read_text()
                time.sleep(0.01)
            yield Haproxy(folder / "admin")
        finally:
            process.kill()
            process.wait()
