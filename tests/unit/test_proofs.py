"""Types that prove a check are made only by the file that checks."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from architecture.sources import PACKAGE

PROOFS = {
    "AuthorizationCode": "oauth/authorization.py",
    "PageUrl": "webex/api.py",
    "ApiPath": "webex/api.py",
}


def makers(name: str) -> Iterator[str]:
    """Find the files that call *name*; the emulator is left out, it has types of its own."""
    for file in PACKAGE.rglob("*.py"):
        path = file.relative_to(PACKAGE).as_posix()
        if not path.startswith("emulator/") and name in called_names(file):
            yield path


def called_names(file: Path) -> set[str]:
    calls = (node for node in ast.walk(ast.parse(file.read_text())) if isinstance(node, ast.Call))
    return {ast.unparse(call.func).split(".")[-1] for call in calls}


@pytest.mark.parametrize("name", PROOFS)
def test_a_proof_is_made_only_where_the_check_is(name: str) -> None:
    assert list(makers(name)) == [PROOFS[name]]
