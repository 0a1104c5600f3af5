"""Meet a full disk in the middle of a write, then find room again; print the outcomes."""

import asyncio
import resource
import sys
from pathlib import Path

from contracts.samples import add, row

from webex_oauth.errors import WebexOAuthError
from webex_oauth.stores.sqlite import SqliteRows


def bound_file_size(limit: int) -> None:
    """Make every write beyond *limit* bytes fail, as it does on a full disk."""
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, hard))


async def outcome(rows: SqliteRows, number: int) -> str:
    try:
        is_done = await rows.apply(add(row(number)), durably=False)
    except WebexOAuthError as error:
        return type(error).__name__
    return str(is_done)


async def main(database: Path) -> None:
    rows = SqliteRows(database)
    await rows.open()
    bound_file_size(1)
    full = await outcome(rows, 1)
    bound_file_size(resource.RLIM_INFINITY)
    print(full, await outcome(rows, 1), await outcome(rows, 2), flush=True)
    await rows.close()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
