"""Rows in Redis or Valkey, shared by several machines."""
