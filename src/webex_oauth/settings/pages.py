"""The one list of the application's paths, each below the folder of the redirect URI."""

from enum import StrEnum


class PagePath(StrEnum):
    """A page's path below the base; only the callback's comes from the redirect URI."""

    HOME = "/"
    INDEX = "/index.html"
    LOGIN = "/login"
    ROOMS = "/listrooms"
    SESSIONS = "/sessions"
    END_SESSIONS = "/sessions/end"
    LOGOUT = "/logout"
    DISCONNECT = "/disconnect"
    ALIVE = "/healthz"
    READY = "/readyz"
    STATIC = "/static/{name:path}"


STATIC_FOLDER = PagePath.STATIC.partition("{")[0]
PROBES = frozenset({PagePath.ALIVE, PagePath.READY})
"""A load balancer asks for them by address."""


def base_of(callback_path: str) -> str:
    """Return the folder of the callback, which is the base of all pages; it ends in a slash."""
    return callback_path.rstrip("/").rpartition("/")[0] + "/"


def is_page(path: str) -> bool:
    """Return whether *path* is that of a page, at the root or below its folder: no callback's."""
    below = path[len(base_of(path)) - 1 :]
    return any(one in set(PagePath) or f"{one}/".startswith(STATIC_FOLDER) for one in (path, below))
