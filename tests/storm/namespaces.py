"""Two machines on one host: network namespaces, each with a cable to us and nothing else."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from shutil import which

import pytest
from waiting import LIMIT_SECONDS

US = "198.18.77.1"
"""Where machines find us (RFC 2544 reserves these networks for tests)."""


@dataclass(frozen=True, slots=True)
class Machine:
    """A namespace by its name."""

    name: str

    @property
    def command(self) -> list[str]:
        """Write what goes before a command so that it runs there."""
        return ["ip", "netns", "exec", self.name]


def ip(*arguments: str) -> None:
    """Set up a part of the network."""
    subprocess.run(["ip", *arguments], check=True, capture_output=True, timeout=LIMIT_SECONDS)  # noqa: S607 - found before


@contextmanager
def machine(number: int) -> Iterator[Machine]:
    """Make a machine whose only neighbour is this one."""
    name, ours, theirs = (f"{what}{number}-{os.getpid()}" for what in ("storm", "us", "it"))
    our_address = US if number == 1 else f"198.18.77.{4 * number - 3}"
    ip("netns", "add", name)
    try:
        ip("link", "add", ours, "type", "veth", "peer", "name", theirs, "netns", name)
        ip("address", "add", f"{our_address}/30", "dev", ours)
        ip("link", "set", ours, "up")
        ip("-n", name, "address", "add", f"198.18.77.{4 * number - 2}/30", "dev", theirs)
        ip("-n", name, "link", "set", theirs, "up")
        ip("-n", name, "route", "add", "default", "via", our_address)
        yield Machine(name)
    finally:
        # The cable goes with its end that is here: the kernel takes its time over a namespace.
        with suppress(subprocess.CalledProcessError):
            ip("link", "delete", ours)
        ip("netns", "delete", name)


@contextmanager
def two_machines() -> Iterator[tuple[Machine, Machine]]:
    """Make two machines that reach us at `US`; skip where that is not permitted."""
    if which("ip") is None:
        pytest.skip("network namespaces need iproute2")
    with ExitStack() as exits:
        try:
            both = exits.enter_context(machine(1)), exits.enter_context(machine(2))
        except (subprocess.CalledProcessError, OSError) as error:
            pytest.skip(f"network namespaces are not permitted here: {error}")
        yield both
