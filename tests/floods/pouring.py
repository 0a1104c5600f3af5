"""Pouring: a flood of requests over a few connections, each as fast as it is answered."""

import asyncio
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from bench.client import Answer, Connection, connect

CONNECTIONS = 16
ANSWER_SECONDS = 30
VARYING = re.compile(rb"(state|code_challenge)=[^&]*")


@dataclass(frozen=True, slots=True)
class Drop:
    """One request of a flood, and what it is called."""

    name: str
    request: bytes


@dataclass
class Poured:
    """What came of a flood: statuses by name, and where redirects led, but for what varies."""

    statuses: Counter[tuple[str, int]] = field(default_factory=Counter)
    places: set[bytes] = field(default_factory=set)

    def note(self, drop: Drop, answer: Answer) -> None:
        """Take down an answer."""
        self.statuses[drop.name, answer.status] += 1
        places = [value for name, value in answer.headers if name == b"location"]
        self.places.update(VARYING.sub(b"", place) for place in places)


def request(port: int, target: str, *headers: str) -> bytes:
    """Write a GET as a browser without a past sends it."""
    lines = (f"GET {target} HTTP/1.1", f"host: localhost:{port}", "accept: text/html", *headers)
    return "\r\n".join((*lines, "", "")).encode("latin-1")


def pour(port: int, drops: Iterator[Drop]) -> Poured:
    """Send every request, CONNECTIONS at a time; return what came of them."""
    poured = Poured()
    asyncio.run(_pour(port, drops, poured))
    return poured


async def _pour(port: int, drops: Iterator[Drop], poured: Poured) -> None:
    async with asyncio.TaskGroup() as group:
        for _ in range(CONNECTIONS):
            group.create_task(_run(port, drops, poured))


async def _run(port: int, drops: Iterator[Drop], poured: Poured) -> None:
    connection: Connection | None = None
    for drop in drops:
        if connection is None or not connection.is_open:
            connection = await connect(port)
        async with asyncio.timeout(ANSWER_SECONDS):
            poured.note(drop, await connection.ask(drop.request))
    if connection is not None:
        connection.close()
