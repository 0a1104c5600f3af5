"""A store that is used where it does not belong refuses at once, in the same words everywhere."""

import asyncio
import os
import warnings
from collections.abc import Awaitable, Callable

import pytest
from contracts.samples import NOW, add, row

from webex_oauth.vault.rows import Kind, Rows

pytestmark = pytest.mark.anyio

Use = Callable[[Rows], Awaitable[object]]
USES: dict[str, Use] = {
    "read": lambda rows: rows.read(row()),
    "apply": lambda rows: rows.apply(add(row()), durably=False),
    "apply durably": lambda rows: rows.apply(add(row(2)), durably=True),
    "by_name": lambda rows: rows.by_name(Kind.GRANT, b"", 1),
    "due": lambda rows: rows.due(Kind.GRANT, NOW, 1),
    "over": lambda rows: rows.over(Kind.GRANT, NOW, 1),
    "of_group": lambda rows: rows.of_group(Kind.GRANT, b"group", 1),
    "check": lambda rows: rows.check(),
    "time": lambda rows: rows.time(),
}


@pytest.mark.parametrize("use", USES.values(), ids=USES)
async def test_a_store_is_used_where_it_belongs_or_not_at_all(rows: Rows, use: Use) -> None:
    async def use_elsewhere() -> None:
        with pytest.raises(RuntimeError, match="this store was opened in another event loop"):
            await use(rows)

    await asyncio.to_thread(lambda: asyncio.run(use_elsewhere()))
    assert exit_code_of_a_fork(rows, use) == 0
    await use(rows)

    await rows.close()
    with pytest.raises(RuntimeError, match="this store is closed: use an integration inside"):
        await use(rows)


def exit_code_of_a_fork(rows: Rows, use: Use) -> int:
    """Return 0 if a forked process is told to open its own store."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    try:
        use(rows)
    except RuntimeError as error:
        os._exit(0 if "open an integration in each process, after the fork" in str(error) else 2)
    os._exit(1)
