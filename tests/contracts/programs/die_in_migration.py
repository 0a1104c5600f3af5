"""Begin to bring a file up to date, and be killed before one of the statements."""

import os
import signal
import sys
from pathlib import Path

from webex_oauth.stores.sqlite.connection import connect_writer
from webex_oauth.stores.sqlite.schema import migrate
from webex_oauth.stores.sqlite.transaction import transact_durably

path, fatal_start = Path(sys.argv[1]), sys.argv[2]


def watch(statement: str) -> None:
    if statement.strip().startswith(fatal_start):
        os.kill(os.getpid(), signal.SIGKILL)


connection = connect_writer(path)
connection.set_trace_callback(watch)
transact_durably(connection, lambda connection: migrate(connection, path))
print("up to date", flush=True)
