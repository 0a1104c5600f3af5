"""The files that pages load: style sheets, script and icon, each at an address of its own content.

A changed file has a changed address, so that browsers may keep what they have for ever.
"""

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from importlib import resources
from typing import Final, Self

PREFIX: Final = "/static/"
CACHE_CONTROL: Final = "public, max-age=31536000, immutable"

_MEDIA_TYPES: Final = {
    "app.css": "text/css; charset=utf-8",
    "app.js": "text/javascript; charset=utf-8",
    "favicon.svg": "image/svg+xml",
    "water.min.css": "text/css; charset=utf-8",
}


@dataclass(frozen=True, slots=True)
class Asset:
    """One file: its address on this server, its media type and its bytes."""

    path: str
    media_type: str
    content: bytes


class Assets:
    """All files that pages load, read once."""

    def __init__(self, content_by_name: Mapping[str, bytes]) -> None:
        self._by_name = {
            name: Asset(_path(name, content), _MEDIA_TYPES[name], content)
            for name, content in content_by_name.items()
        }
        self._by_path = {asset.path: asset for asset in self._by_name.values()}

    @classmethod
    def packaged(cls) -> Self:
        """Read the files that come with this package."""
        folder = resources.files(__package__) / "static"
        return cls({name: (folder / name).read_bytes() for name in _MEDIA_TYPES})

    def path(self, name: str) -> str:
        """Give the address of the file *name*; raises KeyError when there is none."""
        return self._by_name[name].path

    @property
    def paths(self) -> Collection[str]:
        """The addresses of all files."""
        return self._by_path.keys()

    def find(self, path: str) -> Asset | None:
        """Find the file whose address is exactly *path*."""
        return self._by_path.get(path)


def _path(name: str, content: bytes) -> str:
    return f"{PREFIX}{hashlib.sha256(content).hexdigest()[:16]}/{name}"
