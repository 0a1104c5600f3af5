"""A clock of its own for one process, which may be wrong and may be set while it runs."""

from pathlib import Path

from services.processes import require


def faked_clock(file: Path, first: str) -> dict[str, str]:
    """Return the environment of a process that goes by the clock in *file*, such as `+7d`.

    Waits are measured by the monotonic clock, which cannot be set.
    """
    require("faketime")
    library = next(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))
    file.write_text(first)
    return {
        "LD_PRELOAD": str(library),
        "FAKETIME_TIMESTAMP_FILE": str(file),
        "FAKETIME_NO_CACHE": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
    }
