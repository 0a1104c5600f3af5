"""The table of checks in docs/security.md: which ids there are, and what each row says."""

import re
from pathlib import Path
from typing import NamedTuple

import pytest

PAGE = Path(__file__).resolve().parent.parent / "docs" / "security.md"
ROW = re.compile(r"^\| ([A-I][0-9]{2}) \| ([^|]*) \| (.*) \|$", re.MULTILINE)


class Row(NamedTuple):
    """One line of the table: what must hold, and which tests prove it or why none does."""

    check: str
    what: str
    proof: str


def rows() -> list[Row]:
    """Read the table."""
    return [Row(*found.groups()) for found in ROW.finditer(PAGE.read_text(encoding="utf-8"))]


def marked(item: pytest.Item) -> tuple[str, ...]:
    """Return the ids that a test says it proves."""
    return tuple(check for mark in item.iter_markers("check") for check in mark.args)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Refuse a mark with an id that the table does not have."""
    known = {row.check for row in rows()}
    unknown = sorted(
        f"{item.nodeid}: {check}" for item in items for check in marked(item) if check not in known
    )
    if unknown:
        raise pytest.UsageError(*["docs/security.md has no check of this id", *unknown])
