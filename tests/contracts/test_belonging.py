"""A store that is used where it does not belong says so at once, in the same words everywhere."""

import asyncio
import os
import warnings
from collections.abc import Awaitable, Callable

import pytest
from contracts.rows import NOW, admission, name

from webex_oauth.vault.records import GrantRecord, RevocationRecord
from webex_oauth.vault.store import Store

pytestmark = pytest.mark.anyio

KEY = name("grant", 1)

Use = Callable[[Store], Awaitable[object]]
USES: dict[str, Use] = {
    "find_grant": lambda store: store.find_grant(KEY),
    "find_session": lambda store: store.find_session(name("session", 1)),
    "admit": lambda store: store.admit(admission()),
    "end_grant": lambda store: store.end_grant(KEY, now=NOW),
    "due_grants": lambda store: store.due_grants(now=NOW, limit=1),
    "scan": lambda store: store.scan(GrantRecord, after=b"", limit=1),
    "scan_revocations": lambda store: store.scan(RevocationRecord, after=b"", limit=1),
    "sweep": lambda store: store.sweep(now=NOW, idle_seconds=1),
    "key_checks": lambda store: store.key_checks(),
    "check": lambda store: store.check(),
    "time": lambda store: store.time(),
}


@pytest.fixture(params=USES)
def use(request: pytest.FixtureRequest) -> Use:
    return USES[request.param]


async def test_a_closed_store_says_so(store: Store, use: Use) -> None:
    await store.close()

    with pytest.raises(RuntimeError, match="this store is closed: use an integration inside"):
        await use(store)


async def test_another_event_loop_is_told_where_the_store_belongs(store: Store, use: Use) -> None:
    async def elsewhere() -> None:
        with pytest.raises(RuntimeError, match="this store was opened in another event loop"):
            await use(store)

    await asyncio.to_thread(lambda: asyncio.run(elsewhere()))

    await use(store)


async def test_a_forked_process_is_told_to_open_its_own(store: Store, use: Use) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if child == 0:
        os._exit(_exit_code_of(store, use))

    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0  # noqa: ASYNC222 - it is short
    await use(store)


def _exit_code_of(store: Store, use: Use) -> int:
    try:
        use(store)
    except RuntimeError as error:
        return 0 if "open an integration in each process, after the fork" in str(error) else 2
    return 1
