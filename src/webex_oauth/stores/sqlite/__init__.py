"""Rows in one SQLite file: the embedded default, for one machine."""
