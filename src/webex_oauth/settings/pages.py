"""The one list of the application's paths; only the callback's comes from the redirect URI."""

from enum import StrEnum


class PagePath(StrEnum):
    """A path that the application answers, whatever the redirect URI is."""

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


def is_page(path: str) -> bool:
    """Return whether *path* is the address of a page, so that no callback can be there."""
    return path in set(PagePath) or f"{path}/".startswith(STATIC_FOLDER)
