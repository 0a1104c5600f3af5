"""A store in one SQLite file: the embedded default, for one machine."""

from webex_oauth.stores.sqlite.store import SqliteStore

__all__ = ["SqliteStore"]
