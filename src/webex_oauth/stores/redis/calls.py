"""Calls to the server: lent connections, one deadline for each call, errors of the tree."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from functools import partial
from importlib import resources
from typing import Any, Final, TypeAlias

from redis.asyncio.connection import Connection, SSLConnection
from redis.exceptions import (
    AskError,
    AuthenticationError,
    BusyLoadingError,
    ClusterCrossSlotError,
    NoPermissionError,
    NoScriptError,
    OutOfMemoryError,
    ReadOnlyError,
    RedisError,
    ResponseError,
)

from webex_oauth.errors import ConfigurationError, StoreUnavailable
from webex_oauth.stores.redis.address import Address, connection_options
from webex_oauth.stores.store import Places, in_time

CLOSE_SECONDS = 1.0
DISK_MILLISECONDS = 1_700
DISK_POOL_FACTOR = 4
SHORTEST_CODE = 3

# Older drivers tell the code by the type alone, and take ERR off the message.
_CODE_BY_TYPE: Final[dict[type[RedisError], str]] = {
    AuthenticationError: "WRONGPASS",
    BusyLoadingError: "LOADING",
    NoPermissionError: "NOPERM",
    NoScriptError: "NOSCRIPT",
    OutOfMemoryError: "OOM",
    ReadOnlyError: "READONLY",
}

Part: TypeAlias = bytes | str | int
Command: TypeAlias = Sequence[Part]


class Script:
    """A step that is whole on the server, which knows it again by its digest."""

    def __init__(self, name: str) -> None:
        self.text = resources.files(__package__).joinpath(f"{name}.lua").read_bytes()
        self.digest = hashlib.sha1(self.text, usedforsecurity=False).hexdigest()


class Pool:
    """A bounded number of connections, each lent to one caller at a time.

    A connection is closed after any failure, above all after its caller was cancelled: so no caller
    reads the answer to another's command. docs/decisions/0007 says why this is not redis-py's pool.
    """

    def __init__(self, make_connection: Callable[[], Any], size: int) -> None:
        # Any: redis-py's connections are typed in part only.
        self._make_connection = make_connection
        self._places = Places(size)
        self._idle: list[Any] = []
        self._is_closed = False

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Any]:
        """Lend a connection that is ready for a command."""
        await self._places.enter()
        connection = self._idle.pop() if self._idle else self._make_connection()
        try:
            await _get_ready(connection)
            yield connection
        except BaseException:
            await connection.disconnect(nowait=True)
            raise
        finally:
            self._places.leave()
            self._idle.append(connection)
        if self._is_closed:
            await connection.disconnect(nowait=True)

    async def close(self) -> None:
        """Close every connection; those that are lent when they come back."""
        self._is_closed = True
        try:
            async with asyncio.timeout(CLOSE_SECONDS):
                for connection in self._idle:
                    await connection.disconnect()
        except TimeoutError:
            for connection in self._idle:
                await connection.disconnect(nowait=True)


class Server:
    """Calls to the server; every failure is StoreUnavailable, in less than two seconds.

    Nothing is tried again except a script that the server did not know, and so did not run.
    """

    def __init__(self, address: Address) -> None:
        self.address = address
        self.confirms_disk = False
        connection: Callable[..., Connection] = SSLConnection if address.is_tls else Connection
        make_connection = partial(connection, **connection_options(address))
        self._pool = Pool(make_connection, address.pool_size)
        # A confirmation may take a second: not on the connections of those who only read.
        self._disk_pool = Pool(make_connection, address.pool_size * DISK_POOL_FACTOR)

    async def close(self) -> None:
        """Close every connection."""
        await self._pool.close()
        await self._disk_pool.close()

    async def first_call(self, *commands: Command) -> list[Any]:
        """Run the first commands; raise ConfigurationError if an operator can do something."""
        try:
            return await _exchange(self._pool, commands)
        except RedisError as error:
            raise _first_fault(error, self.address.place) from error
        except StoreUnavailable as error:
            raise StoreUnavailable(f"{self.address.place}: {error.args[0]}") from error

    async def call(self, *commands: Command, tolerated: frozenset[str] = frozenset()) -> list[Any]:
        """Run commands in one round trip; one refused with a *tolerated* code yields None."""
        try:
            return await _exchange(self._pool, commands, tolerated=tolerated)
        except RedisError as error:
            raise _fault(error) from error

    async def run(self, script: Script, *arguments: Part, durably: bool = False) -> Any:
        """Run a script; with *durably*, have the disk confirm it where the server can do that."""
        confirms = durably and self.confirms_disk
        pool = self._disk_pool if confirms else self._pool
        further: list[Command] = [("WAITAOF", 1, 0, DISK_MILLISECONDS)] if confirms else []
        rest = (1, self.address.prefix, *arguments)
        known = [("EVALSHA", script.digest, *rest), *further]
        unknown = [("EVAL", script.text, *rest), *further]
        try:
            answer, *confirmed = await _exchange(pool, known, if_unknown=unknown)
        except RedisError as error:
            raise _fault(error) from error
        if confirmed and confirmed[0][0] < 1:
            raise StoreUnavailable("the database's disk did not confirm the write in time")
        return answer


async def _exchange(
    pool: Pool,
    commands: Sequence[Command],
    *,
    if_unknown: Sequence[Command] = (),
    tolerated: frozenset[str] = frozenset(),
) -> list[Any]:
    async with in_time(), pool.connection() as connection:
        try:
            return await _ask(connection, commands, tolerated)
        except NoScriptError:
            return await _ask(connection, if_unknown, tolerated)


async def _ask(
    connection: Any, commands: Sequence[Command], tolerated: frozenset[str]
) -> list[Any]:
    await connection.send_packed_command(connection.pack_commands(commands))
    # All are read before one is raised: a refusal is an answer too, and others follow.
    answers = [await _read(connection) for _ in commands]
    for number, answer in enumerate(answers):
        if isinstance(answer, ResponseError):
            if _code(answer) not in tolerated:
                raise answer
            answers[number] = None
    return answers


async def _read(connection: Any) -> Any:
    try:
        return await connection.read_response()
    except ResponseError as refusal:
        return refusal


async def _get_ready(connection: Any) -> None:
    """Connect, anew if the other side has left or sent something that was not asked for."""
    if connection.is_connected and await _is_left(connection):
        await connection.disconnect(nowait=True)
    await connection.connect()


async def _is_left(connection: Any) -> bool:
    # Older drivers have another name for it, and raise if the other side has left.
    can_read = getattr(connection, "can_read", None) or connection.can_read_destructive
    try:
        if await can_read():
            return True
    except RedisError:
        return True
    # Nothing public shows that the other side reset a connection.
    return bool(connection._writer.is_closing())  # noqa: SLF001


def _fault(error: RedisError) -> StoreUnavailable:
    """Return the error of the tree for one of redis-py's."""
    code = _code(error)
    if code is not None:
        return StoreUnavailable(f"the database refused with {code}")
    reason = type(error.__context__ or error).__name__
    return StoreUnavailable(f"the database cannot be reached ({reason})")


def _first_fault(error: RedisError, place: str) -> ConfigurationError | StoreUnavailable:
    """Return the error for one of the first call: there, mistakes are told from outages."""
    match error:
        case AuthenticationError():
            remedy = "check the user and the password of WEBEX_STORE_URL"
        case NoPermissionError():
            remedy = "let the user of WEBEX_STORE_URL run every command on the keys of its prefix"
        case AskError() | ClusterCrossSlotError():
            remedy = "give the address of the cluster's node that holds the slot of the prefix"
        case ResponseError() if _code(error) == "ERR":
            remedy = "check the number of the database at the end of WEBEX_STORE_URL"
        case _:
            said = _code(error) or _words(error)
            return StoreUnavailable(f"the database at {place} cannot be used: {said}")
    return ConfigurationError([f"the database at {place} refused with {_code(error)}: {remedy}"])


def _words(error: RedisError) -> str:
    """Return the system's or OpenSSL's words if they are behind *error*."""
    match error.__context__:
        case OSError(strerror=str(words)):
            return words
    return str(error) or type(error).__name__


def _code(error: RedisError) -> str | None:
    """Return the word by which the server names an error; None if it said nothing."""
    code: str | None = getattr(error, "status_code", None) or _CODE_BY_TYPE.get(type(error))
    if code is not None or not isinstance(error, ResponseError):
        return code
    word = str(error).partition(" ")[0]
    return word if word.isupper() and len(word) >= SHORTEST_CODE else "ERR"
