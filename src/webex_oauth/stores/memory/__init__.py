"""A store in this process's memory: for tests and demonstrations, gone when the process ends."""

from webex_oauth.stores.memory.store import MemoryStore

__all__ = ["MemoryStore"]
