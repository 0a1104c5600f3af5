"""The paths of the application's pages: the router has no others but the callback's."""

from enum import StrEnum


class Page(StrEnum):
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


_STATIC_FOLDER = Page.STATIC.partition("{")[0]


def is_page(path: str) -> bool:
    """Return whether *path* is the address of a page, so that no callback can be there."""
    return path in set(Page) or f"{path}/".startswith(_STATIC_FOLDER)
