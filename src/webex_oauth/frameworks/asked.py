"""A request as the doors look at it, whatever the framework."""

from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import parse_qsl, quote

from msgspec import Struct, field

from webex_oauth.flows.cookies import read_cookies
from webex_oauth.flows.fetch_metadata import is_navigation


def public_path(scope: Mapping[str, Any]) -> str:
    """Return the decoded path of an ASGI scope as browsers see it, also below a `root_path`."""
    path, root = str(scope["path"]), str(scope.get("root_path", ""))
    return path if path.startswith(root) else root + path


class Asked(Struct, frozen=True):
    """A request as far as it decides its answer.

    `target` is the path and query as browsers see them; header names are in lower case. `root` is
    the prefix below which the server has the application, without a slash at its end.
    """

    method: str
    target: str
    headers: Mapping[str, str]
    cookies: Mapping[str, str] = field(default_factory=dict[str, str])
    root: str = ""
    peer: str = "unknown"

    @property
    def query(self) -> str:
        """The raw query."""
        return self.target.partition("?")[2]

    @property
    def fields(self) -> Mapping[str, str]:
        """The fields of the query."""
        return dict(parse_qsl(self.query))

    @property
    def home(self) -> str:
        """Where the application begins."""
        return f"{self.root}/"

    def below(self, path: str) -> str:
        """Return a *path* of the application as browsers see it; one that is so already stays."""
        return path if path.startswith(f"{self.root}/") else self.root + path

    @property
    def is_page_visit(self) -> bool:
        """Whether a person waits for a page, rather than a program for data."""
        is_html = "text/html" in self.headers.get("accept", "").lower()
        return self.method in {"GET", "HEAD"} and is_html and is_navigation(self.headers)


def asked_of_wsgi(
    environ: Mapping[str, Any], headers: Iterable[tuple[str, str]], path: str, root: str
) -> Asked:
    """Return what decides the answer to a request of WSGI, or of Django, which knows no other."""
    target = quote(path, safe="/:@!$&'()*+,;=~")
    if environ.get("QUERY_STRING"):
        target += f"?{environ['QUERY_STRING']}"
    cookies = read_cookies(
        [(b"cookie", environ.get("HTTP_COOKIE", "").encode("latin-1", "replace"))]
    )
    named = {name.lower(): value for name, value in headers}
    peer = environ.get("REMOTE_ADDR") or "unknown"
    return Asked(environ["REQUEST_METHOD"], target, named, cookies, quote(root), peer)
