"""Rows to store in tests, told apart by a number; their bodies are inventions."""

from typing import Any

from msgspec.structs import replace

from webex_oauth.vault.rows import Change, Kind, Row, Rows

NOW = 1_800_000_000


def row(number: int = 1, kind: Kind = Kind.GRANT, *, rev: int = 1, **columns: Any) -> Row:
    body = f"body {rev} of {kind} {number}".encode()
    return replace(Row(kind, name(number), rev, body), **columns)


def name(number: int) -> bytes:
    return f"name {number:09}".encode().ljust(32, b".")


def add(*rows: Row) -> list[Change]:
    return [Change(row, 0) for row in rows]


def rewritten(row: Row, **columns: Any) -> Change:
    """Return the change that writes *row* with other columns, one revision on."""
    rev = row.rev + 1
    return Change(replace(row, **{"rev": rev, "body": b"body %d" % rev, **columns}), row.rev)


def deleted(row: Row) -> Change:
    return Change(absent(row), row.rev)


def absent(row: Row) -> Row:
    return Row(row.kind, row.name)


async def store(rows: Rows, *stored: Row) -> None:
    assert await rows.apply(add(*stored), durably=False)


async def read_one(rows: Rows, wanted: Row) -> Row:
    (found,) = await rows.read(wanted)
    return found
