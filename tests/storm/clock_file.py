"""A clock that several processes share, and that a test sets: an instant in a file."""

import mmap
import struct
from pathlib import Path

LAYOUT = struct.Struct("=q")


class ClockFile:
    """A clock whose instant is in *file*, in whole seconds since 1970."""

    def __init__(self, file: Path) -> None:
        file.touch()
        with file.open("r+b") as opened:
            if not file.stat().st_size:
                opened.write(LAYOUT.pack(0))
                opened.flush()
            self._memory = mmap.mmap(opened.fileno(), LAYOUT.size)

    def __call__(self) -> int:
        """Return the instant."""
        now: int = LAYOUT.unpack(self._memory)[0]
        return now

    def set(self, at: int) -> None:
        """Set the time for everybody."""
        self._memory[:] = LAYOUT.pack(at)
