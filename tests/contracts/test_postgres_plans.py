"""No question to PostgreSQL takes longer the more rows there are."""

import asyncio
import importlib
import pkgutil
import re
from collections.abc import Iterator

import psycopg
import pytest
from services.postgres import PostgresServer, schema_of

from webex_oauth.stores import postgres as package
from webex_oauth.stores.postgres import PostgresStore, rows

STATEMENT = re.compile(r"\s*(SELECT|INSERT|UPDATE|DELETE|WITH)\b.*\{schema\}", re.DOTALL)
PARAMETER = re.compile(r"%\((\w+)\)s")
TABLES_THAT_GROW = ("attempts", "sessions", "grants", "revocations")
TRUTHS = {"is_locked", "has_earlier"}
NUMBERS = re.compile(
    r".*_(at|count|until|since|bytes)|version|now|limit|batch|until|latest|at_most|.*_version"
)
WORDS = {"open", "taken", "finished", "key_id"}


def statements() -> dict[str, str]:
    """Find every statement that the store has, by module and name."""
    found = {}
    for module in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
        for name, value in vars(importlib.import_module(module.name)).items():
            if isinstance(value, str) and STATEMENT.match(value):
                found[f"{module.name.rpartition('.')[2]}.{name}"] = value
    for kind, how in rows.KINDS.items():
        found[f"rows.scan.{kind.__name__}"] = how.scan
        found[f"rows.reseal.{kind.__name__}"] = how.reseal
    return found


STATEMENTS = {name: text for name, text in statements().items() if not name.startswith("schema.")}


def value_of(parameter: str) -> object:
    if parameter in TRUTHS:
        return True
    if parameter in WORDS:
        return "open"
    return 1 if NUMBERS.fullmatch(parameter) else b"name"


@pytest.fixture(scope="module")
def schema(postgres: PostgresServer) -> Iterator[str]:
    with schema_of(postgres) as schema:
        yield schema


@pytest.fixture(scope="module")
def connection(postgres: PostgresServer, schema: str) -> Iterator[psycopg.Connection]:
    """Give a connection that takes an index wherever there is one for the question."""
    asyncio.run(PostgresStore(postgres.url(schema=schema)).open())
    with postgres.connect() as connection:
        connection.execute("SET enable_seqscan = off")
        yield connection


def scanned(connection: psycopg.Connection, schema: str, statement: str) -> list[str]:
    """Name the growing tables that a statement reads as a whole."""
    parameters = {name: value_of(name) for name in PARAMETER.findall(statement)}
    text = "EXPLAIN " + statement.replace("{schema}", schema)
    plan = [row[0] for row in connection.execute(text.encode(), parameters).fetchall()]
    return [
        line.strip()
        for line in plan
        if any(re.search(rf"Seq Scan on {table}\b", line) for table in TABLES_THAT_GROW)
    ]


def test_the_statements_are_found() -> None:
    assert len(STATEMENTS) > 35
    assert {"grants.CLAIM", "sweeping.SPENT_GRANTS", "admission.ADMIT_NEW"} < STATEMENTS.keys()


@pytest.mark.parametrize("name", sorted(STATEMENTS))
def test_no_statement_reads_a_whole_table(
    connection: psycopg.Connection, schema: str, name: str
) -> None:
    assert scanned(connection, schema, STATEMENTS[name]) == []


def test_a_question_without_an_index_is_noticed(
    connection: psycopg.Connection, schema: str
) -> None:
    assert scanned(connection, schema, "SELECT key FROM {schema}.grants WHERE sealed = %(sealed)s")
