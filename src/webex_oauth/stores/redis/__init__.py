"""A store in Redis or Valkey, shared by several machines."""

from webex_oauth.stores.redis.store import RedisStore

__all__ = ["RedisStore"]
