"""Constant load: clients that keep their connections, and give one up only when told to."""

import http.client
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from waiting import until

SECONDS = 30
GAP_SECONDS = 0.002


@dataclass
class Load:
    """Ask *path* from several clients until it is stopped; `failures` are whatever is no 200."""

    host: str
    port: int
    path: str
    headers: dict[str, str] = field(default_factory=dict)
    answer_count: int = 0
    farewell_count: int = 0
    failures: list[str] = field(default_factory=list)
    is_over: threading.Event = field(default_factory=threading.Event)

    def ask_until_over(self) -> None:
        """Run one client."""
        connection: http.client.HTTPConnection | None = None
        while not self.is_over.is_set():
            if connection is None:
                connection = http.client.HTTPConnection(self.host, self.port, timeout=SECONDS)
            connection = self._ask(connection)
            time.sleep(GAP_SECONDS)
        if connection is not None:
            connection.close()

    def wait_for(self, count: int) -> None:
        """Wait until so many more answers came."""
        wanted = self.answer_count + count
        until(lambda: self.answer_count >= wanted, lambda: f"{self.answer_count} of {wanted}")

    def _ask(self, connection: http.client.HTTPConnection) -> http.client.HTTPConnection | None:
        try:
            connection.request("GET", self.path, headers=self.headers)
            answer = connection.getresponse()
            answer.read()
        except (OSError, http.client.HTTPException) as error:
            self.failures.append(repr(error))
            connection.close()
            return None
        self.answer_count += 1
        if answer.status != http.HTTPStatus.OK:
            self.failures.append(str(answer.status))
        if answer.getheader("connection") != "close":
            return connection
        self.farewell_count += 1
        connection.close()
        return None


@contextmanager
def constant_load(load: Load, *, client_count: int) -> Iterator[Load]:
    """Make *client_count* clients ask for as long as the block lasts."""
    clients = [threading.Thread(target=load.ask_until_over) for _ in range(client_count)]
    for client in clients:
        client.start()
    try:
        yield load
    finally:
        load.is_over.set()
        for client in clients:
            client.join(SECONDS)
