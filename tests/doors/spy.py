"""Another server, to which Webex might lead a client; it keeps the credentials that it is sent."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Spy:
    """What came to a server that is not Webex's API, which answers everything with *status*."""

    def __init__(self, status: int = 200) -> None:
        self.status = status
        self.origin = ""
        self.credentials: list[str | None] = []
        self.tunnels: list[str] = []


@contextmanager
def spying(status: int = 200) -> Iterator[Spy]:
    spy = Spy(status)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            spy.credentials.append(self.headers.get("Authorization"))
            self.send_response(spy.status)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        def do_CONNECT(self) -> None:
            spy.tunnels.append(self.path)
            self.send_error(403)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name in http.server
            """Keep quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    spy.origin = f"http://127.0.0.1:{server.server_port}"
    try:
        yield spy
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
