"""What the package imports is what it declares: an old environment may hold more than a new one."""

import ast
import sys
import tomllib
from collections.abc import Iterator
from importlib import metadata

from architecture.sources import PACKAGE, ROOT, sources
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

PROVIDERS = metadata.packages_distributions()
LOADED_BY_OTHERS = {"python-multipart"}  # starlette's forms
BROUGHT_BY_THE_PROGRAM = {
    "aiohttp",
    "asgiref",
    "django",
    "fastapi",
    "flask",
    "httpx",
    "pytest",
    "requests",
    "webexpythonsdk",
    "werkzeug",
    "wxc_sdk",
}
"""Who imports the door to one of these has it."""


def test_what_is_imported_is_declared() -> None:
    assert imported()
    missing = {name for name in imported() if not providers(name) & declared()}
    assert missing == BROUGHT_BY_THE_PROGRAM


def test_what_is_declared_is_imported() -> None:
    used = set().union(*map(providers, imported()))

    assert declared() - used == LOADED_BY_OTHERS


def imported() -> set[str]:
    """Return the top-level names of the modules from elsewhere that the package imports."""
    names = {name for source in sources() for name in absolute_imports(source.tree)}
    return {name for name in names if name not in {*sys.stdlib_module_names, PACKAGE.name}}


def absolute_imports(tree: ast.Module) -> Iterator[str]:
    """Yield the top-level name of each import of *tree*, wherever it stands."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module.partition(".")[0]


def providers(module: str) -> set[str]:
    """Return the distributions that provide *module* here; none where it is not installed."""
    return {canonicalize_name(name) for name in PROVIDERS.get(module, ())}


def declared() -> set[str]:
    """Return the distributions that pyproject.toml asks for, extras included."""
    with (ROOT / "pyproject.toml").open("rb") as file:
        project = tomllib.load(file)["project"]
    asked = [project["dependencies"], *project["optional-dependencies"].values()]
    return {canonicalize_name(Requirement(text).name) for texts in asked for text in texts}
