"""A haproxy in front of machines, set up as its manual says and with no further mercy."""

import csv
import socket
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from services.processes import private_folder, require, start, write_for
from waiting import until

COMMON = """
global
    maxconn 1000
    stats socket {socket}
defaults
    mode http
    timeout connect 2s
    timeout client 30s
    timeout server 30s
    option redispatch
"""
BALANCER = """
frontend people
    bind {host}:{port}
    default_backend machines
backend machines
    balance roundrobin
    option httpchk
    http-check send meth GET uri /readyz ver HTTP/1.1 hdr Host localhost:{port}
    default-server check inter 200ms fall 1 rise 1
"""
FRONT = """
frontend people
    bind 127.0.0.1:{port} {tls}
    {rules}
    default_backend application
backend application
    server application 127.0.0.1:{application_port}
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
    """Run it at *host*:*port* in front of *machines*, each at the same port."""
    lines = [f"    server {machine} {machine}:{port}\n" for machine in machines]
    text = BALANCER.format(host=host, port=port) + "".join(lines)
    with private_folder("haproxy") as folder, _running(folder, text):
        yield Haproxy(folder / "admin")


@contextmanager
def running_front(
    port: int, application_port: int, *, certificate: str = "", dropped: Sequence[str] = ()
) -> Iterator[None]:
    """Stand before one application, with TLS where there is a *certificate*.

    Headers whose names begin with one of *dropped* do not come through.
    """
    rules = "\n    ".join(f"http-request del-header {name} -m beg" for name in dropped)
    with private_folder("haproxy") as folder:
        pem = write_for(folder, "localhost.pem", certificate)
        tls = f"ssl crt {pem}" if certificate else ""
        text = FRONT.format(port=port, tls=tls, rules=rules, application_port=application_port)
        with _running(folder, text):
            yield


@contextmanager
def _running(folder: Path, configuration: str) -> Iterator[None]:
    program = require("haproxy")
    text = COMMON.format(socket=folder / "admin") + configuration
    file = write_for(folder, "haproxy.cfg", text)
    process = start([program, "-db", "-f", file], folder / "log")
    try:
        while not (folder / "admin").exists():
            assert process.poll() is None, (folder / "log").read_text()
            time.sleep(0.01)
        yield
    finally:
        process.kill()
        process.wait()
