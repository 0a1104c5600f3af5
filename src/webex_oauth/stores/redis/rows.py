"""Rows in Redis or Valkey: each is a hash, and sorted sets of names find it.

The keys of a prefix, for each kind of row: `KIND:NAME` is the hash; `KIND-names`, `KIND-at`,
`KIND-over` and `KIND-group:GROUP` are the indexes. `schema` says how they are laid out.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Any, Final

from webex_oauth.errors import ConfigurationError
from webex_oauth.stores.redis.address import read_address
from webex_oauth.stores.redis.calls import Part, Script, Server
from webex_oauth.stores.redis.durability import check_durability
from webex_oauth.stores.store import Store, row_of, rows_of
from webex_oauth.vault.rows import Change, Kind, Row

SCHEMA: Final = b"rows-2"
FIELDS: Final = (b"rev", b"body", b"group", b"at", b"over")
WRONG_TYPE: Final = frozenset({"WRONGTYPE"})
INTEGER = re.compile(rb"0|-?[1-9][0-9]{0,18}")
MICROSECONDS = 1_000_000
APPLY, LIST = Script("apply"), Script("list")


class RedisRows(Store):
    """Rows in one Redis 7 or later, or Valkey, for several machines.

    The server has to keep an append-only file, which is checked. With `appendfsync always`, every
    answer means that the disk has it. With `everysec`, the disk confirms a durable write before it
    is answered, where the server can do that (Redis 7.2, Valkey); an older server that is killed
    loses the last two seconds of these, too.

    A replica that takes over knows nothing of what had not reached it.
    """

    def __init__(self, url: str) -> None:
        self._address = read_address(url)
        self._server = Server(self._address)

    async def _open(self) -> None:
        self._server = Server(self._address)
        try:
            await self._check_schema()
            await check_durability(self._server)
        except BaseException:
            await self._server.close()
            raise

    async def _close(self) -> None:
        await self._server.close()

    async def check(self) -> None:
        await self._server.call(("SET", self._key("pulse"), 1))

    async def time(self) -> float:
        ((seconds, microseconds),) = await self._server.call(("TIME",))
        return int(seconds) + int(microseconds) / MICROSECONDS

    async def read(self, *rows: Row) -> Sequence[Row]:
        commands = [("HMGET", self._key(f"{row.kind}:") + row.name, *FIELDS) for row in rows]
        found = await self._server.call(*commands, tolerated=WRONG_TYPE)
        return [_found(row, fields) for row, fields in zip(rows, found, strict=True)]

    async def apply(self, changes: Sequence[Change], *, durably: bool) -> bool:
        arguments = [argument for change in changes for argument in _arguments(change)]
        return bool(await self._server.run(APPLY, *arguments, durably=durably))

    async def by_name(self, kind: Kind, after: bytes, limit: int) -> Sequence[Row]:
        first = b"(" + after if after else b"-"
        return await self._list(kind, b"names", "ZRANGEBYLEX", first, b"+", limit)

    async def due(self, kind: Kind, instant: int, limit: int) -> Sequence[Row]:
        return await self._list(kind, b"at", "ZRANGEBYSCORE", b"-inf", instant, limit)

    async def over(self, kind: Kind, instant: int, limit: int) -> Sequence[Row]:
        return await self._list(kind, b"over", "ZRANGEBYSCORE", b"-inf", instant, limit)

    async def of_group(self, kind: Kind, group: bytes, limit: int) -> Sequence[Row]:
        index = b"group:" + group
        return await self._list(kind, index, "ZREVRANGEBYSCORE", b"+inf", b"-inf", limit)

    async def _list(self, kind: Kind, index: bytes, *rest: Part) -> Sequence[Row]:
        found = await self._server.run(LIST, kind, index, *rest)
        return rows_of(kind, (_columns(name, fields) for name, *fields in found))

    async def _check_schema(self) -> None:
        """Note the schema if there is none; raise ConfigurationError if it is another one."""
        key = self._key("schema")
        _, noted = await self._server.first_call(("SETNX", key, SCHEMA), ("GET", key))
        if noted != SCHEMA:
            place, prefix = self._address.place, self._address.prefix.decode()
            shown = noted.decode(errors="replace")
            mistake = (
                f"the database at {place} keeps rows under {prefix} in another layout ({shown}): "
                "run the version of webex-oauth that wrote them, or choose another prefix in "
                "WEBEX_STORE_URL"
            )
            raise ConfigurationError([mistake])

    def _key(self, name: str) -> bytes:
        return self._address.prefix + name.encode()


def _arguments(change: Change) -> Iterator[Part]:
    row = change.row
    yield from (row.kind, row.name, change.over, row.rev)
    if row.rev in (0, change.over):  # deleted, or only asserted
        yield from (b"",) * 4
    else:
        at, over_at = (b"" if instant is None else instant for instant in (row.at, row.over_at))
        yield from (row.body, row.group, at, over_at)


def _found(wanted: Row, fields: Sequence[Any] | None) -> Row:
    """Return what was found; *fields* are None if the key holds something else than a row."""
    if fields is not None and all(field is None for field in fields):
        return Row(wanted.kind, wanted.name)
    return row_of(wanted.kind, _columns(wanted.name, fields or (None,) * len(FIELDS)))


def _columns(name: bytes, fields: Sequence[Any]) -> Sequence[object]:
    rev, body, group, at, over_at = fields
    return name, _integer(rev), body, group, _integer(at), _integer(over_at)


def _integer(text: bytes | None) -> int | None:
    """Return a number as scripts write it, so that they find it equal; None for anything else."""
    return int(text) if text is not None and INTEGER.fullmatch(text) else None
