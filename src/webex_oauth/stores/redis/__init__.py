"""Rows in Redis or Valkey, shared by several machines."""

from webex_oauth.stores.redis.rows import RedisRows

__all__ = ["RedisRows"]
