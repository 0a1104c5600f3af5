"""A dictionary that cannot grow for ever."""

from typing import TypeVar

Key = TypeVar("Key")
Value = TypeVar("Value")


class BoundedDict(dict[Key, Value]):
    """A dictionary with room for *capacity* entries: the oldest makes way for a new one."""

    def __init__(self, capacity: int) -> None:
        super().__init__()
        self._capacity = capacity

    def __setitem__(self, key: Key, value: Value) -> None:
        """Store a value; a known key keeps its place in the order."""
        super().__setitem__(key, value)
        if len(self) > self._capacity:
            del self[next(iter(self))]
