"""A connection whose callers may leave at any moment: what they left is never another's answer."""

import select
import time
from typing import TypeVar

from psycopg import AsyncConnection, waiting
from psycopg.abc import PQGen
from psycopg.pq import TransactionStatus
from psycopg.rows import TupleRow

from webex_oauth.secret import Secret

FRESH_SECONDS = 600.0
"""How long a connection may lie unused: less than what firewalls forget."""

WAKE_SECONDS = 10.0

RV = TypeVar("RV")


class Connection(AsyncConnection[TupleRow]):
    """Leave a statement at once when its caller is cancelled.

    The connection is then in the middle of an answer and `is_idle` says that it is of no use.
    (What is overridden would ask the server to stop, and wait for that for ten seconds.)
    """

    idle_since = 0.0

    async def wait(
        self,
        gen: PQGen[RV],
        interval: float = WAKE_SECONDS,
        timeout: float | None = None,  # noqa: ASYNC109
    ) -> RV:
        """Wait for the server, and for nothing else."""
        return await waiting.wait_async(gen, self.pgconn.socket, interval=interval, timeout=timeout)

    @property
    def is_idle(self) -> bool:
        """Say whether the next statement may be sent."""
        return not self.closed and self.pgconn.transaction_status == TransactionStatus.IDLE

    @property
    def is_quiet(self) -> bool:
        """Say whether the server has said nothing since: its only word would be a good-bye."""
        if not self.is_idle or time.monotonic() - self.idle_since > FRESH_SECONDS:
            return False
        poll = select.poll()
        poll.register(self.pgconn.socket, select.POLLIN)
        return not poll.poll(0)

    def discard(self) -> None:
        """Close, without waiting for anybody."""
        self.pgconn.finish()


async def connect(conninfo: Secret) -> Connection:
    """Connect, so that PgBouncer may give each statement another server connection."""
    return await Connection.connect(conninfo.reveal(), autocommit=True, prepare_threshold=None)
