"""The HTTP server: uvicorn, with bounded connections and a shutdown that loses no request.

It stops in three steps. First each answer closes its connection (RFC 9112 section 9.6) while new
connections are still accepted: load balancers have a moment to notice, and clients with an open
connection a moment to use it once more. Then it stops listening, and accepts only what is already
in the backlog. Then it finishes what is under way.
"""

import asyncio
import contextlib
import socket
from collections.abc import Iterator

import uvicorn
from starlette.types import ASGIApp

from webex_oauth.web.connection import BoundedHttpProtocol, SharedState
from webex_oauth.web.listening import SHIPPED, Bounds


async def serve(
    app: ASGIApp, listener: socket.socket, stop: asyncio.Event, bounds: Bounds = SHIPPED
) -> None:
    """Serve *app* within *bounds* until *stop* is set; then finish what is under way.

    No proxy's header is trusted, and no answer names the software.
    """
    config = uvicorn.Config(
        app,
        http=BoundedHttpProtocol,
        ws="none",
        lifespan="off",
        proxy_headers=False,
        server_header=False,
        access_log=False,
        log_config=None,
        timeout_keep_alive=bounds.idle_seconds,
        timeout_graceful_shutdown=bounds.drain_seconds,
    )
    server = DrainingServer(config, bounds)
    waiting = asyncio.create_task(server.stop_when(stop))
    try:
        await server.serve(sockets=[listener])
    finally:
        waiting.cancel()


class DrainingServer(uvicorn.Server):
    """A server that stops as `stop_when` says."""

    def __init__(self, config: uvicorn.Config, bounds: Bounds) -> None:
        super().__init__(config)
        self._bounds = bounds
        self.shared_state = self.server_state = SharedState(bounds)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals to the caller of this server."""
        yield

    async def stop_when(self, stop: asyncio.Event) -> None:
        """Wait for *stop*, then let connections close one by one for a moment."""
        await stop.wait()
        self.shared_state.is_draining = True
        for connection in list(self.server_state.connections):
            connection.shutdown()
        await asyncio.sleep(self._bounds.accepting_seconds)
        self.should_exit = True

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop listening, accept what is already in the backlog, then wait for connections."""
        queues = [listener.dup() for listener in sockets or ()]
        for server in self.servers:
            server.close()
        for queue in queues:
            await self._accept_backlog(queue)
        await super().shutdown(sockets)

    async def _accept_backlog(self, queue: socket.socket) -> None:
        """Accept the connections in the backlog, which closing the socket would reset."""
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
