"""Bulk filling: many people at once, past the store's own steps and into its own tables."""

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import fields
from importlib import resources
from itertools import islice
from operator import attrgetter
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
import redis
from psycopg import sql

from bench.sealed_people import SealedPerson
from webex_oauth.settings.names import SQLITE
from webex_oauth.stores.postgres.url import read_postgres_url
from webex_oauth.stores.redis import scripts
from webex_oauth.stores.redis.address import connection_options, read_address
from webex_oauth.stores.redis.rows import SESSION, grant_fields
from webex_oauth.vault.records import GrantRecord, SessionRecord

BATCH = 5_000
SQLITE_CACHE_KIB = 1024 * 1024
TABLES: Mapping[str, type[GrantRecord | SessionRecord]] = {
    "grants": GrantRecord,
    "sessions": SessionRecord,
}
"""Tables whose columns are named as the fields of what they hold."""
ADD_PERSON = b"""
write_grant(given.key, given.grant)
add_session(given.digest, given.session)
"""


def fill(url: str, people: Iterable[SealedPerson]) -> None:
    """Put people into a store that was opened before and is not in use."""
    match urlsplit(url).scheme:
        case "sqlite":
            fill_sqlite(Path(url.removeprefix(SQLITE)), people)
        case "postgresql":
            fill_postgres(url, people)
        case "redis":
            fill_redis(url, people)
        case scheme:
            raise LookupError(f"no bulk filling for {scheme}")


def batches(people: Iterable[SealedPerson]) -> Iterator[Sequence[SealedPerson]]:
    """Give people in bounded numbers."""
    remaining = iter(people)
    while batch := list(islice(remaining, BATCH)):
        yield batch


def columns(table: str) -> Sequence[str]:
    """Name a table's columns."""
    return [field.name for field in fields(TABLES[table])]


def rows(table: str, batch: Sequence[SealedPerson]) -> list[Any]:
    """Give a batch's rows of one table, in the order of its key, which spares its pages."""
    record = attrgetter("grant" if table == "grants" else "session")
    values = attrgetter(*columns(table))
    return sorted(values(record(person)) for person in batch)


def fill_sqlite(path: Path, people: Iterable[SealedPerson]) -> None:
    """Fill a file in one transaction, and fold the write-ahead log back into it."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        # Keys are random: a page that is not held in memory is written again and again.
        connection.execute(f"PRAGMA cache_size = -{SQLITE_CACHE_KIB}")
        connection.execute("BEGIN IMMEDIATE")
        for batch in batches(people):
            for name in TABLES:
                connection.executemany(_insertion(name), rows(name, batch))
        connection.execute("COMMIT")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _insertion(table: str) -> str:
    names = columns(table)
    marks = ", ".join("?" * len(names))
    return f"INSERT INTO {table} ({', '.join(names)}) VALUES ({marks})"  # noqa: S608 - names of ours


def fill_postgres(url: str, people: Iterable[SealedPerson]) -> None:
    """Fill a schema, and tidy up as the server would in its own time."""
    read = read_postgres_url(url)
    tables = {name: sql.Identifier(read.schema, name) for name in TABLES}
    with psycopg.connect(read.conninfo.reveal(), autocommit=True) as connection:
        for batch in batches(people):
            with connection.transaction(), connection.cursor() as cursor:
                for name, table in tables.items():
                    _copy(cursor, table, columns(name), rows(name, batch))
        for table in tables.values():
            connection.execute(sql.SQL("VACUUM (ANALYZE) {}").format(table))


def _copy(
    cursor: psycopg.Cursor[Any], table: sql.Identifier, names: Sequence[str], held: list[Any]
) -> None:
    listed = sql.SQL(", ").join(map(sql.Identifier, names))
    statement = sql.SQL("COPY {} ({}) FROM STDIN").format(table, listed)
    with cursor.copy(statement) as copy:
        for row in held:
            copy.write_row(row)


def fill_redis(url: str, people: Iterable[SealedPerson]) -> None:
    """Fill a prefix by the store's own functions, which keep its indexes."""
    address = read_address(url)
    text = resources.files(scripts).joinpath("rows.lua").read_bytes() + ADD_PERSON
    with redis.Redis(**_options(connection_options(address))) as server:
        digest = server.script_load(text)
        for batch in batches(people):
            with server.pipeline(transaction=False) as pipeline:
                for person in batch:
                    pipeline.execute_command("EVALSHA", digest, 1, address.prefix, *_given(person))
                pipeline.execute()


def _options(options: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out what a client made for a connection alone does not take."""
    return {name: value for name, value in options.items() if name != "driver_info"}


def _given(person: SealedPerson) -> Iterator[bytes | str | int]:
    yield from ("key", person.grant.key, "digest", person.session.digest)
    given = {"grant": grant_fields(person.grant), "session": SESSION.fields(person.session)}
    for row, held in given.items():
        for name, value in held.items():
            if value is not None:
                yield f"{row}.{name}"
                yield value
