"""Notes: what one process remembers of a version of a grant and could not write into its row."""

from typing import Generic, TypeAlias, TypeVar

from webex_oauth.vault.records import GrantRecord

MOST_NOTES = 1_000

T = TypeVar("T")
VersionName: TypeAlias = tuple[bytes, int]


class Notes(Generic[T]):
    """Remember one note each of at most *at_most* versions, the latest ones."""

    def __init__(self, at_most: int = MOST_NOTES) -> None:
        self._at_most = at_most
        self._notes: dict[VersionName, T] = {}

    def add(self, record: GrantRecord, note: T) -> None:
        """Remember *note*, and no earlier one of this version."""
        self.drop(record)
        self._notes[_name(record)] = note
        if len(self._notes) > self._at_most:
            del self._notes[next(iter(self._notes))]

    def find(self, record: GrantRecord) -> T | None:
        """Find what is remembered of this version."""
        return self._notes.get(_name(record))

    def drop(self, record: GrantRecord) -> None:
        """Forget this version."""
        self._notes.pop(_name(record), None)


def _name(record: GrantRecord) -> VersionName:
    return record.key, record.version
