"""Begin to apply two changes, and be killed before the commit."""

import os
import signal
import sqlite3
import sys
from pathlib import Path

from contracts.samples import add, row

from webex_oauth.stores.sqlite.connection import connect, transact
from webex_oauth.stores.sqlite.rows import apply_changes


def apply_and_die(connection: sqlite3.Connection) -> bool:
    apply_changes(connection, add(row(2), row(3)))
    os.kill(os.getpid(), signal.SIGKILL)
    return True


transact(connect(Path(sys.argv[1]), patience_seconds=1.0), apply_and_die)
