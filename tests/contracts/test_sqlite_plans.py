"""No question to a SQLite file takes longer the more rows there are."""

import importlib
import pkgutil
import re
import sqlite3
from collections import defaultdict
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from webex_oauth.stores import sqlite
from webex_oauth.stores.sqlite.files import prepare_files
from webex_oauth.stores.sqlite.schema import prepare_schema

STATEMENT = re.compile(r"\s*(SELECT|INSERT|UPDATE|DELETE)\b")
# No table; one row; one row; a few rows; as many as are dropped, in the order of the index.
SHORT = {
    "SCAN CONSTANT ROW",
    "SCAN pulse",
    "SCAN tally",
    "SCAN key_checks",
    "SCAN attempts USING COVERING INDEX attempts_by_end",
    "SCAN pragma_application_id VIRTUAL TABLE INDEX 0:",
    "SCAN pragma_user_version VIRTUAL TABLE INDEX 0:",
    "SCAN sqlite_master",
}


def texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    if isinstance(value, dict):
        yield from (text for text in value.values() if isinstance(text, str))


def statements() -> dict[str, str]:
    """Find every statement that the store has, by module and name."""
    found = {}
    for module in pkgutil.iter_modules(sqlite.__path__, f"{sqlite.__name__}."):
        for name, value in vars(importlib.import_module(module.name)).items():
            for number, text in enumerate(texts(value)):
                if name.isupper() and STATEMENT.match(text):
                    found[f"{module.name.rpartition('.')[2]}.{name}.{number}"] = text
    return found


STATEMENTS = statements()


@pytest.fixture(scope="module")
def connection(tmp_path_factory: pytest.TempPathFactory) -> Iterator[sqlite3.Connection]:
    database: Path = tmp_path_factory.mktemp("plans") / "data" / "webex.sqlite"
    prepare_files(database)
    prepare_schema(database)
    with closing(sqlite3.connect(database)) as connection:
        yield connection


def plan(connection: sqlite3.Connection, statement: str) -> list[str]:
    """Give the steps that SQLite would take."""
    by_name = defaultdict[str, int](int)
    values = by_name if ":" in statement else (0,) * statement.count("?")
    rows = connection.execute(f"EXPLAIN QUERY PLAN {statement}", values).fetchall()
    return [str(step) for *_, step in rows]


def test_the_statements_are_found() -> None:
    assert len(STATEMENTS) > 40
    assert {"grants.FIND.0", "resealing.PAGES.3", "sweeping.SPENT_GRANTS.0"} < STATEMENTS.keys()


@pytest.mark.parametrize("name", STATEMENTS)
def test_no_statement_reads_a_whole_table(connection: sqlite3.Connection, name: str) -> None:
    steps = plan(connection, STATEMENTS[name])

    assert [step for step in steps if step.startswith("SCAN") and step not in SHORT] == []


def test_a_question_without_an_index_is_noticed(connection: sqlite3.Connection) -> None:
    steps = plan(connection, "SELECT key FROM grants WHERE sealed = ?")

    assert [step for step in steps if step.startswith("SCAN") and step not in SHORT] != []


@pytest.mark.parametrize(
    ("name", "index"),
    [
        ("grants.DUE.0", "grants_by_next_keep"),
        ("revocations.TAKE.0", "revocations_by_due"),
        ("sessions.OF_GRANT.0", "sessions_by_grant"),
        ("sessions.END_ALL.0", "sessions_by_grant"),
        ("sweeping.IDLE_SESSIONS.0", "sessions_by_use"),
        ("sweeping.SPENT_GRANTS.0", "grants_by_end"),
        ("sweeping.REVOCATIONS.0", "revocations_by_end"),
    ],
)
def test_each_index_serves_its_question(
    connection: sqlite3.Connection, name: str, index: str
) -> None:
    assert any(index in step for step in plan(connection, STATEMENTS[name]))
