"""Calls to the server: a command or a script, whole within one deadline."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, TypeAlias

from redis.asyncio.connection import Connection, SSLConnection
from redis.exceptions import NoScriptError, RedisError, ResponseError

from webex_oauth.errors import StoreUnavailable
from webex_oauth.stores.belonging import BelongingStore
from webex_oauth.stores.redis.address import Address, connection_options
from webex_oauth.stores.redis.faults import read_fault, read_first_fault
from webex_oauth.stores.redis.pool import LentConnection, Pool
from webex_oauth.stores.redis.scripts import read_script

CALL_SECONDS = 1.9
DISK_MILLISECONDS = 1_700
DISK_POOL_FACTOR = 4

Part: TypeAlias = bytes | str | int
Value: TypeAlias = Part | None
Fields: TypeAlias = Mapping[str, Value]
Given: TypeAlias = Mapping[str, Value | Fields]
Work: TypeAlias = Callable[[LentConnection], Awaitable[list[Any]]]


class Database:
    """Call the server; every failure is StoreUnavailable, and comes in less than two seconds.

    Nothing is tried again but a script that the server did not know, and so did not run.
    """

    def __init__(self, address: Address) -> None:
        self._address = address
        connection: Callable[..., Connection] = SSLConnection if address.is_tls else Connection
        make_connection = partial(connection, **connection_options(address))
        self._pool = Pool(make_connection, address.pool_size)
        self._disk_pool = Pool(make_connection, address.pool_size * DISK_POOL_FACTOR)
        self._waits_for_disk = False

    @property
    def address(self) -> Address:
        """Say where the server is."""
        return self._address

    def key(self, name: str) -> bytes:
        """Name something of which there is one."""
        return self._address.prefix + name.encode()

    def row(self, kind: str, name: bytes) -> bytes:
        """Name the hash of a row, as scripts do."""
        return self.key(f"{kind}:") + name

    def wait_for_disk(self) -> None:
        """Ask from now on after every durable script whether it is on the disk."""
        self._waits_for_disk = True

    async def close(self) -> None:
        """Close every connection."""
        await self._pool.close()
        await self._disk_pool.close()

    async def first_command(self, *parts: Part) -> Any:
        """Run the first command of all; raise ConfigurationError where an operator can help."""
        try:
            return (await _within_deadline(self._pool, partial(_exchange, commands=[parts])))[0]
        except RedisError as error:
            raise read_first_fault(error, self._address.place) from error
        except StoreUnavailable as error:
            raise StoreUnavailable(f"{self._address.place}: {error.args[0]}") from error

    async def command_if_allowed(self, *parts: Part) -> Any:
        """Run a command; None when the server does not know it or forbids it."""
        try:
            return (await _within_deadline(self._pool, partial(_exchange, commands=[parts])))[0]
        except ResponseError:
            return None
        except RedisError as error:
            raise read_fault(error) from error

    async def command(self, *parts: Part) -> Any:
        """Run a command."""
        return (await _call(self._pool, partial(_exchange, commands=[parts])))[0]

    async def run(self, script: str, **given: Value | Fields) -> Any:
        """Run a script; what is None is not given to it."""
        return (await _call(self._pool, partial(self._evaluate, name=script, given=given)))[0]

    async def run_durably(self, script: str, **given: Value | Fields) -> Any:
        """Run a script; where the server tells what is on its disk, wait for that too."""
        if not self._waits_for_disk:
            return await self.run(script, **given)
        # This may wait for a second: not on the connections on which the others read.
        answer, on_disk = await _call(
            self._disk_pool,
            partial(
                self._evaluate,
                name=script,
                given=given,
                then=[("WAITAOF", 1, 0, DISK_MILLISECONDS)],
            ),
        )
        if on_disk[0] < 1:
            raise StoreUnavailable("the database's disk did not confirm the write in time")
        return answer

    async def _evaluate(
        self,
        connection: LentConnection,
        name: str,
        given: Given,
        then: Sequence[Sequence[Part]] = (),
    ) -> list[Any]:
        script = read_script(name)
        parts = (1, self._address.prefix, *_flat(given))
        try:
            return await _exchange(connection, [("EVALSHA", script.digest, *parts), *then])
        except NoScriptError:
            return await _exchange(connection, [("EVAL", script.text, *parts), *then])


class RedisPart(BelongingStore):
    """Base class of the parts that a store is made of, one for each kind of row."""

    _database: Database


async def _call(pool: Pool, work: Work) -> list[Any]:
    try:
        return await _within_deadline(pool, work)
    except RedisError as error:
        raise read_fault(error) from error


async def _within_deadline(pool: Pool, work: Work) -> list[Any]:
    try:
        async with asyncio.timeout(CALL_SECONDS), pool.connection() as connection:
            return await work(connection)
    except TimeoutError as error:
        raise StoreUnavailable("the database did not answer in time") from error


async def _exchange(connection: LentConnection, commands: Sequence[Sequence[Part]]) -> list[Any]:
    await connection.send_packed_command(connection.pack_commands(commands))
    answers = [await _read(connection) for _ in commands]
    for answer in answers:
        if isinstance(answer, ResponseError):
            raise answer
    return answers


async def _read(connection: LentConnection) -> Any:
    """Read one answer; a refusal is one too, for another answer may follow."""
    try:
        return await connection.read_response()
    except ResponseError as refusal:
        return refusal


def _flat(given: Given) -> Iterator[Part]:
    """Write names and values in turn; a row's fields are named `row.field`."""
    for name, value in given.items():
        if isinstance(value, Mapping):
            yield from _flat({f"{name}.{field}": inner for field, inner in value.items()})
        elif value is not None:
            yield name
            yield value
