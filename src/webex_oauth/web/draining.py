"""The end of a server: nobody's request is lost.

It goes in three steps. Readiness turns red, and each answer says that its connection ends with it
(RFC 9112 section 9.6), while connections are still taken: whoever balances the load has a moment
to notice, and a client that keeps a connection has a moment to use it once more. Then nothing new
is taken, but whoever stood in the queue. Then what is under way is finished.
"""

import asyncio
import contextlib
import socket
from collections.abc import Iterator
from dataclasses import dataclass

import uvicorn
from uvicorn.server import ServerState


@dataclass(frozen=True, slots=True)
class Farewell:
    """How long a server that stops still takes connections, and keeps idle ones."""

    accepting_seconds: int = 1
    idle_seconds: int = 1


GENTLE = Farewell()
AT_ONCE = Farewell(accepting_seconds=0, idle_seconds=0)


class DrainingState(ServerState):
    """Tell the connections of a server whether it stops, and how long they may be idle then."""

    def __init__(self, farewell: Farewell) -> None:
        super().__init__()
        self.farewell = farewell
        self.is_draining = False


class DrainingServer(uvicorn.Server):
    """Serve until `stop` is set, then say farewell."""

    def __init__(self, config: uvicorn.Config, farewell: Farewell) -> None:
        super().__init__(config)
        self.farewell = farewell
        self.draining_state = self.server_state = DrainingState(farewell)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals to whoever runs this server."""
        yield

    async def stop_when(self, stop: asyncio.Event) -> None:
        """Wait for *stop*, let connections end one by one, and give the moment they need."""
        await stop.wait()
        self.draining_state.is_draining = True
        for connection in list(self.server_state.connections):
            connection.shutdown()
        await asyncio.sleep(self.farewell.accepting_seconds)
        self.should_exit = True

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Take nothing more, but who stood in the queue; wait for all who are here."""
        queues = [listener.dup() for listener in sockets or ()]
        for server in self.servers:
            server.close()
        for queue in queues:
            await self._take_all(queue)
        await super().shutdown(sockets)

    async def _take_all(self, queue: socket.socket) -> None:
        """Take who has connected and was not taken yet: closing would turn them away."""
        loop = asyncio.get_running_loop()
        with contextlib.closing(queue), contextlib.suppress(BlockingIOError):
            while True:
                connection, _ = queue.accept()
                connection.setblocking(False)
                await loop.connect_accepted_socket(self._protocol, connection)

    def _protocol(self) -> asyncio.Protocol:
        return self.config.http_protocol_class(  # type: ignore[call-arg]  # as uvicorn's own does
            config=self.config,
            server_state=self.server_state,
            app_state=self.lifespan.state,
        )
