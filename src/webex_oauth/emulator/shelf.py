"""A shelf: a mapping with room for so many; when it is full the oldest goes."""

from collections.abc import Hashable, Iterator
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


class Shelf(Generic[Key, Value]):
    """Keep at most *capacity* values by key, in the order in which they were first put."""

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._value_by_key: dict[Key, Value] = {}

    def __len__(self) -> int:
        return len(self._value_by_key)

    def __contains__(self, key: Key) -> bool:
        return key in self._value_by_key

    def __iter__(self) -> Iterator[Value]:
        return iter(tuple(self._value_by_key.values()))

    def put(self, key: Key, value: Value) -> None:
        """Keep a value; a known key keeps its place in the order."""
        self._value_by_key[key] = value
        if len(self._value_by_key) > self._capacity:
            del self._value_by_key[next(iter(self._value_by_key))]

    def get(self, key: Key) -> Value | None:
        """Look at a value."""
        return self._value_by_key.get(key)

    def take(self, key: Key) -> Value | None:
        """Remove a value and return it."""
        return self._value_by_key.pop(key, None)

    def clear(self) -> None:
        """Forget everything."""
        self._value_by_key.clear()
