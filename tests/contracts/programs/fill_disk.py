"""Meet a full disk in the middle of a write, then find room again; print the outcomes."""

import asyncio
import resource
import sys
from collections.abc import Awaitable
from pathlib import Path

from contracts.samples import add, row

from webex_oauth.errors import WebexOAuthError
from webex_oauth.stores.sqlite import SqliteRows


def bound_file_size(limit: int) -> None:
    """Make every write beyond *limit* bytes fail, as it does on a full disk."""
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, hard))


async def outcome(use: Awaitable[object]) -> str:
    try:
        return str(await use)
    except WebexOAuthError as error:
        return type(error).__name__


async def main(database: Path) -> None:
    rows = SqliteRows(database)
    await rows.open()

    def write(number: int) -> Awaitable[bool]:
        return rows.apply(add(row(number)), durably=False)

    bound_file_size(1)
    outcomes = [await outcome(write(1)), await outcome(rows.check())]
    bound_file_size(resource.RLIM_INFINITY)
    outcomes += [await outcome(write(1)), await outcome(write(2)), await outcome(rows.check())]
    print(*outcomes, flush=True)
    await rows.close()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
