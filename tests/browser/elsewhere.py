"""Another site on this machine, with pages that mean no good."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self


class Elsewhere:
    """Serve *pages*, HTML by path, and *redirects*, and list the visits; a context manager.

    A redirect takes the query along.

    To an application on http://localhost the `origin` is another site altogether, and the
    `cousin` is the same site on another port: its requests carry SameSite cookies.
    """

    def __init__(self) -> None:
        self.pages: dict[str, str] = {}
        self.redirects: dict[str, str] = {}
        self.visited_paths: list[str] = []
        pages, redirects, visited_paths = self.pages, self.redirects, self.visited_paths

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                visited_paths.append(self.path)
                path, _, query = self.path.partition("?")
                html, target = pages.get(path), redirects.get(path)
                body = (html or "").encode()
                self.send_response(302 if target else 200 if html is not None else 404)
                self.send_header("Location", f"{target}?{query}" if target else "")
                self.send_header("Content-Type", "text/html; charset=utf-8")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Keep the test's output quiet."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        port = self._server.server_address[1]
        self.origin = f"http://127.0.0.1:{port}"
        self.cousin = f"http://localhost:{port}"
        self._thread = threading.Thread(target=self._server.serve_forever, name="elsewhere")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
