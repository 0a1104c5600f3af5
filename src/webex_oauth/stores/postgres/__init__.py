"""A store in a PostgreSQL database: for several machines."""

from webex_oauth.stores.postgres.store import PostgresStore

__all__ = ["PostgresStore"]
