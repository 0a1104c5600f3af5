"""Begin to admit a person, and be killed before the commit."""

import os
import signal
import sqlite3
import sys
from pathlib import Path

from contracts.rows import admission

from webex_oauth.stores.sqlite.admission import admit
from webex_oauth.stores.sqlite.connection import connect_writer
from webex_oauth.stores.sqlite.transaction import transact


def admit_and_die(connection: sqlite3.Connection) -> None:
    admit(connection, admission(2, of=2))
    os.kill(os.getpid(), signal.SIGKILL)


transact(connect_writer(Path(sys.argv[1])), admit_and_die)
