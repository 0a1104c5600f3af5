"""Rows in a PostgreSQL database: for several machines."""
