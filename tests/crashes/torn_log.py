"""A death in the middle of a write: the log of a SQLite file ends inside a page."""

import resource
import signal
from pathlib import Path

BYTES_OF_THE_LAST_WRITE = 100


def tear_log(database: Path) -> None:
    """End this process when it has written so many more bytes to the log of *database*.

    The kernel writes up to the limit; who goes on gets a signal that ends it, like SIGKILL with
    nothing tidied up.
    """
    log = database.with_name(f"{database.name}-wal")
    limit = log.stat().st_size + BYTES_OF_THE_LAST_WRITE
    signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
