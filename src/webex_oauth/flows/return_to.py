"""Where a person goes after signing in: a path of this application, and nothing else."""

import re
from collections.abc import Collection
from dataclasses import dataclass
from posixpath import normpath
from typing import final
from urllib.parse import unquote

MAX_CHARACTERS = 2000

# RFC 3986 pchar, "/" and a query; no backslash, no control, no space, nothing beyond ASCII.
_PATH = re.compile(r"/[A-Za-z0-9\-._~!$&'()*+,;=:@%/]*(\?[A-Za-z0-9\-._~!$&'()*+,;=:@%/?]*)?")


@final
@dataclass(frozen=True, slots=True)
class ReturnTo:
    """A path of this application; make one with `read_return_to`."""

    path: str

    def leads_to(self, paths: Collection[str]) -> bool:
        """Check whether a browser, or a proxy that decodes, may take this for one of *paths*."""
        path = self.path.partition("?")[0]
        readings = (path, unquote(path), unquote(unquote(path)))
        return any(normpath(reading) in paths for reading in readings)


HOME = ReturnTo("/")


def read_return_to(text: str | None) -> ReturnTo:
    """Take *text* when every browser reads it as a path on this origin, else the home page.

    Browsers read a backslash as a slash and drop tabs and newlines; a proxy may decode percent
    escapes before that. So the path is judged decoded.
    """
    if text is None or len(text) > MAX_CHARACTERS or not _PATH.fullmatch(text):
        return HOME
    path = unquote(unquote(text.partition("?")[0])).replace("\\", "/")
    if "//" in path or any(character <= " " or character == "\x7f" for character in path):
        return HOME
    return ReturnTo(text)
