"""No statement takes longer the more rows a SQLite file has."""

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from webex_oauth.stores.sqlite import files, rows
from webex_oauth.stores.sqlite.files import prepare

STATEMENTS = {
    name: text
    for module in (rows, files)
    for name, text in vars(module).items()
    if isinstance(text, str) and re.match(r"\s*(SELECT|INSERT|UPDATE|DELETE)\b", text)
}
INDEXES = {
    "FIND": "INDEX sqlite_autoindex_rows_1 (kind=? AND name=?)",
    "LOOK": "INDEX sqlite_autoindex_rows_1 (kind=? AND name=?)",
    "BY_NAME": "INDEX sqlite_autoindex_rows_1 (kind=? AND name>?)",
    "DUE": "INDEX rows_by_at (kind=? AND at<?)",
    "OVER": "INDEX rows_by_over_at (kind=? AND over_at<?)",
    "OF_GROUP": "INDEX rows_by_group (kind=? AND group=?)",
    "WRITE": "INTEGER PRIMARY KEY (rowid=?)",
    "WRITE_BODY": "INTEGER PRIMARY KEY (rowid=?)",
    "DELETE": "INTEGER PRIMARY KEY (rowid=?)",
}


@pytest.fixture(scope="module")
def connection(tmp_path_factory: pytest.TempPathFactory) -> Iterator[sqlite3.Connection]:
    database: Path = tmp_path_factory.mktemp("plans") / "data" / "webex.sqlite"
    prepare(database)
    with closing(sqlite3.connect(database)) as connection:
        yield connection


def plan(connection: sqlite3.Connection, statement: str) -> list[str]:
    """Return the steps that SQLite would take."""
    values = (0,) * statement.count("?")
    found = connection.execute(f"EXPLAIN QUERY PLAN {statement}", values).fetchall()
    return [str(step) for *_, step in found]


def test_every_statement_that_looks_for_rows_has_its_index() -> None:
    assert STATEMENTS.keys() == {*INDEXES, "ADD", "STATE"}


@pytest.mark.parametrize("name", INDEXES)
def test_a_statement_finds_its_rows_in_the_order_of_an_index(
    connection: sqlite3.Connection, name: str
) -> None:
    (step,) = plan(connection, STATEMENTS[name])

    assert step == f"SEARCH rows USING {INDEXES[name]}"
