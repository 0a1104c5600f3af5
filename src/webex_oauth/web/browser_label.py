"""How a person knows a browser: its kind and its system, read from the User-Agent header.

Only words from these tables come out, whatever a client sends.
"""

from collections.abc import Sequence
from typing import Final, TypeAlias

MAX_CHARACTERS: Final = 512
Marks: TypeAlias = Sequence[tuple[str, str]]

# The first mark that is found decides: most browsers also name those they are akin to.
BROWSERS: Final[Marks] = (
    ("Edg/", "Edge"),
    ("EdgA/", "Edge"),
    ("EdgiOS/", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("Vivaldi/", "Vivaldi"),
    ("FxiOS/", "Firefox"),
    ("Firefox/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
    ("curl/", "curl"),
)
SYSTEMS: Final[Marks] = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("CrOS", "ChromeOS"),
    ("Windows", "Windows"),
    ("Macintosh", "macOS"),
    ("Linux", "Linux"),
)


def browser_label(user_agent: str | None) -> str | None:
    """Say "Firefox on Linux", or as much of it as can be told; None when that is nothing."""
    text = (user_agent or "")[:MAX_CHARACTERS]
    browser, system = _first(BROWSERS, text), _first(SYSTEMS, text)
    if browser and system:
        return f"{browser} on {system}"
    if system:
        return f"A browser on {system}"
    return browser


def _first(marks: Marks, text: str) -> str | None:
    return next((name for mark, name in marks if mark in text), None)
