"""No statement to PostgreSQL reads more pages the more rows there are."""

import asyncio
from collections.abc import Iterator, Sequence

import psycopg
import pytest
from services.postgres import PostgresServer, schema_of

from webex_oauth.stores.postgres import rows
from webex_oauth.stores.postgres.rows import PostgresRows

ROW_COUNT = 100_000
NAME, GROUP, ABSENT = b"%032d" % 44_444, b"%032d" % 4_444, bytes(32)
WRITES = {
    "add": (ABSENT, 0, 1),
    "assert absence": (ABSENT, 0, 0),
    "write": (NAME, 1, 2),
    "assert": (NAME, 1, 1),
    "delete": (NAME, 1, 0),
}
CALLS: dict[str, tuple[str, Sequence[object]]] = {
    "find one": ("FIND", ["grant", NAME]),
    "find two": ("FIND", ["session", NAME, "grant", NAME]),
    "by name": ("BY_NAME", ["grant", NAME, 20]),
    "due": ("DUE", ["session", ROW_COUNT, 20]),
    "over": ("OVER", ["session", ROW_COUNT, 20]),
    "of group": ("OF_GROUP", ["session", GROUP, 20]),
    "beat": ("BEAT", []),
}
for kind_of_write, (key, over, rev) in WRITES.items():
    row = ("grant", key, over, rev, b"body", GROUP, 5, 5)
    CALLS[kind_of_write] = ("WRITE", [*row, True])
    CALLS[f"{kind_of_write}, twice"] = (
        "APPLY",
        [["grant", "session"], *([value] * 2 for value in row[1:]), False],
    )
MOST_PAGES = 100

FILL = """
INSERT INTO rows (kind, name, rev, body, group_name, at, over_at)
  SELECT kind, convert_to(lpad(number::text, 32, '0'), 'UTF8'), 1, decode(repeat('5a', 200), 'hex'),
      convert_to(lpad((number / 10)::text, 32, '0'), 'UTF8'), number, number
    FROM generate_series(1, %s) AS number, unnest(ARRAY['grant', 'session']) AS kind
"""


@pytest.fixture(scope="module", params=["statistics", "old statistics"])
def connection(
    request: pytest.FixtureRequest, postgres: PostgresServer
) -> Iterator[psycopg.Connection]:
    """Yield a connection that has planned everything while there were few rows."""
    with schema_of(postgres) as schema, postgres.connect() as connection:
        asyncio.run(PostgresRows(postgres.url(schema=schema)).open())
        connection.prepare_threshold = None
        connection.execute(f"SET search_path = {schema}")
        fill(connection, 4)
        connection.execute("VACUUM ANALYZE rows")
        for statement, values in 10 * [*CALLS.values()]:
            pages_read(connection, vars(rows)[statement], values)
        fill(connection, ROW_COUNT)
        if request.param == "statistics":
            connection.execute("ANALYZE rows")
        yield connection


def fill(connection: psycopg.Connection, row_count: int) -> None:
    connection.execute("DELETE FROM rows")
    connection.execute(FILL, [row_count // 2])


def pages_read(connection: psycopg.Connection, statement: str, values: Sequence[object]) -> int:
    """Run a statement and undo it; count the pages that it and the functions in it looked at."""
    keys = ", ".join(["(%b, %b)"] * (len(values) // 2))
    text = statement.replace("{schema}.", "").replace("{keys}", keys)
    text = f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {text}"
    with connection.transaction(force_rollback=True):
        row = connection.execute(text.encode(), values).fetchone()
    assert row is not None
    plan = row[0][0]["Plan"]
    return int(plan["Shared Hit Blocks"] + plan["Shared Read Blocks"])


def test_every_statement_is_here() -> None:
    constants = vars(rows).items()
    written = {name for name, text in constants if isinstance(text, str) and "{schema}" in text}
    assert {name for name, _ in CALLS.values()} == written - {"COLUMNS", "LIST"}


@pytest.mark.parametrize("call", CALLS)
def test_no_statement_reads_more_than_a_few_pages(
    connection: psycopg.Connection, call: str
) -> None:
    name, values = CALLS[call]
    pages_read(connection, vars(rows)[name], values)  # reads the catalogue too

    assert pages_read(connection, vars(rows)[name], values) < MOST_PAGES


def test_a_statement_without_an_index_is_noticed(connection: psycopg.Connection) -> None:
    statement = "SELECT FROM rows WHERE rev = %b"
    assert pages_read(connection, statement, [7]) > 10 * MOST_PAGES
