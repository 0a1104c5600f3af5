"""Rows in one SQLite file: the embedded default, for one machine."""

from webex_oauth.stores.sqlite.rows import SqliteRows

__all__ = ["SqliteRows"]
