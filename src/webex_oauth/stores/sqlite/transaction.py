"""A transaction: one synchronous function that happens as a whole or not at all."""

import sqlite3
from collections.abc import Callable
from contextlib import suppress
from typing import Concatenate, ParamSpec, TypeAlias, TypeVar

T = TypeVar("T")
P = ParamSpec("P")
Work: TypeAlias = Callable[[sqlite3.Connection], T]


def step(
    function: Callable[Concatenate[sqlite3.Connection, P], T], *args: P.args, **options: P.kwargs
) -> Work[T]:
    """Return the work that calls *function* with the connection and these arguments."""
    return lambda connection: function(connection, *args, **options)


def transact(connection: sqlite3.Connection, work: Work[T]) -> T:
    """Run *work* with the write lock held from the start, commit, and give its result.

    Whatever it raises undoes it.
    """
    connection.execute("BEGIN IMMEDIATE")
    try:
        result = work(connection)
        connection.execute("COMMIT")
    except BaseException:
        with suppress(sqlite3.Error):
            connection.execute("ROLLBACK")
        raise
    return result


def transact_durably(connection: sqlite3.Connection, work: Work[T]) -> T:
    """Run *work* as `transact` does, and be on the disk before it returns."""
    connection.execute("PRAGMA synchronous = FULL")
    try:
        return transact(connection, work)
    finally:
        with suppress(sqlite3.Error):
            connection.execute("PRAGMA synchronous = NORMAL")
