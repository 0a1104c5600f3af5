"""Rows in a PostgreSQL database: for several machines."""

from webex_oauth.stores.postgres.rows import PostgresRows

__all__ = ["PostgresRows"]
