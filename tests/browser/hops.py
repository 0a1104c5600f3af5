"""The way from an application to Webex's first page, through origins that only redirect.

Webex's front door hands the browser on to its broker, and the broker to a company's own sign-in.
"""

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from webex_oauth.settings import Settings, changed

HOSTS = ("127.0.0.1", "localhost")


class Hop(ThreadingHTTPServer):
    """Redirect everything to `following`, with the query as it came."""

    following = ""

    def __init__(self, host: str) -> None:
        super().__init__(("127.0.0.1", 0), _Redirect)
        self.origin = f"http://{host}:{self.server_port}"


class _Redirect(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        assert isinstance(self.server, Hop)
        _, _, query = self.path.partition("?")
        self.send_response(302)
        self.send_header("Location", f"{self.server.following}?{query}")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Keep the test's output quiet."""


class Hops:
    """Several hops in a row."""

    def __init__(self, hops: list[Hop]) -> None:
        self._hops = hops
        self.origins = {hop.origin for hop in hops}

    def before_webex(self, settings: Settings) -> Settings:
        """Return *settings* whose sign-ins pass all hops before they come to Webex."""
        platform = settings.platform
        goal = platform.server.authorization_endpoint
        for hop in reversed(self._hops):
            hop.following, goal = goal, f"{hop.origin}/authorize"
        server = replace(platform.server, authorization_endpoint=goal)
        return changed(settings, platform=replace(platform, server=server))


@contextmanager
def running_hops() -> Iterator[Hops]:
    """Start a hop on each of HOSTS, and end them."""
    with ExitStack() as exits:
        hops = [exits.enter_context(Hop(host)) for host in HOSTS]
        for hop in hops:
            thread = threading.Thread(target=hop.serve_forever, name=hop.origin)
            thread.start()
            exits.callback(thread.join)
            exits.callback(hop.shutdown)
        yield Hops(hops)
