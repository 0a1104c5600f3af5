"""Begin to create the table of a new file, and be killed before one of the statements."""

import os
import signal
import sys
from functools import partial
from pathlib import Path

from webex_oauth.stores.sqlite.connection import connect, transact, use_log
from webex_oauth.stores.sqlite.files import create, prepare_files

path, fatal_start = Path(sys.argv[1]), sys.argv[2]


def watch(statement: str) -> None:
    if statement.strip().startswith(fatal_start):
        os.kill(os.getpid(), signal.SIGKILL)


prepare_files(path)
connection = connect(path, patience_seconds=1.0)
use_log(connection, patience_seconds=1.0)
connection.set_trace_callback(watch)
transact(connection, partial(create, path=path), durably=True)
print("created", flush=True)
