"""The shape of the code: one noun a module, one thing a function, walls that hold."""

import ast
import statistics
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator

import pytest
from architecture.sources import PACKAGE, ROOT, Source, sources

MAX_MODULE_LINES = 350
LONGER_FOR_A_REASON = {
    "src/webex_oauth/errors.py": "one tree",
}
MAX_FUNCTION_LINES = 40
MEDIAN_MODULE_LINES = 250
NO_NOUNS = frozenset({"utils", "util", "helpers", "helper", "common", "base", "misc", "manager"})
MIN_MODULE_LINES = 40
SMALL_FOR_A_REASON = {
    "src/webex_oauth/django/apps.py": "Django looks here",
    "src/webex_oauth/django/middleware.py": "it is named in the settings of projects",
    "src/webex_oauth/django/migrations/0001_initial.py": "Django looks here",
    "src/webex_oauth/__main__.py": "`python -m webex_oauth` looks here",
}
"""Modules that one other imports and that would be part of it, but for the reason given."""

LEARNT = frozenset({"Entry"})


def functions(source: Source) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(source.tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def test_the_walls_between_the_folders_hold() -> None:
    checked = subprocess.run(
        [sys.executable, "-c", "from importlinter.cli import lint_imports_command as run; run()"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )

    assert checked.returncode == 0, checked.stdout
    assert " 0 broken" in checked.stdout


def test_every_module_says_what_it_is_about() -> None:
    assert [one.path for one in sources() if not ast.get_docstring(one.tree)] == []


def test_a_module_opens_with_one_sentence() -> None:
    openings = {one.path: (ast.get_docstring(one.tree) or "").split("\n\n")[0] for one in sources()}

    assert [path for path, text in openings.items() if not text.rstrip().endswith((".", ":"))] == []


def test_no_module_is_too_long() -> None:
    lengths = {one.path: len(one.text.splitlines()) for one in sources()}

    assert [
        path
        for path, lines in lengths.items()
        if lines > MAX_MODULE_LINES and path not in LONGER_FOR_A_REASON
    ] == []
    assert statistics.median(lengths.values()) <= MEDIAN_MODULE_LINES


def test_a_small_module_has_several_importers_or_a_reason() -> None:
    importers = Counter(path for one in sources() for path in imported_paths(one))
    small = {
        one.path
        for one in sources()
        if len(one.text.splitlines()) < MIN_MODULE_LINES
        and not one.path.endswith("__init__.py")
        and importers[one.path] <= 1
    }

    assert small == SMALL_FOR_A_REASON.keys()


def imported_paths(source: Source) -> set[str]:
    """Return the paths of what *source* imports, as far as it is modules of the package."""
    modules = {
        name
        for node in ast.walk(source.tree)
        if isinstance(node, ast.ImportFrom) and node.module
        for name in (node.module, *(f"{node.module}.{alias.name}" for alias in node.names))
    }
    return {f"src/{module.replace('.', '/')}.py" for module in modules}


def test_no_function_is_too_long() -> None:
    too_long = [
        f"{one.path}:{node.lineno} {node.name}"
        for one in sources()
        for node in functions(one)
        if (node.end_lineno or node.lineno) - node.lineno + 1 > MAX_FUNCTION_LINES
    ]

    assert too_long == []


def test_no_module_is_named_for_nothing() -> None:
    assert [file.name for file in PACKAGE.rglob("*.py") if file.stem in NO_NOUNS] == []


def test_no_parameter_is_a_boolean_without_a_name() -> None:
    unnamed = [
        f"{one.path}:{node.lineno} {node.name}({argument.arg})"
        for one in sources()
        for node in functions(one)
        for argument in (*node.args.posonlyargs, *node.args.args)
        if argument.annotation is not None and ast.unparse(argument.annotation) == "bool"
    ]

    assert unnamed == []


def test_every_value_is_frozen() -> None:
    loose = [
        f"{one.path}:{node.lineno} {node.name}"
        for one in sources()
        for node in ast.walk(one.tree)
        if isinstance(node, ast.ClassDef)
        if not is_tight(ast.unparse(node).partition(":")[0], node.name)
    ]

    assert loose == []


def is_tight(head: str, name: str) -> bool:
    """Return whether a class, if it holds values, cannot change; LEARNT names those that may."""
    if "dataclass" not in head and "Struct" not in head:
        return True
    return ("Struct" in head or "slots=True" in head) and ("frozen=True" in head or name in LEARNT)


def test_the_oauth_core_never_says_webex() -> None:
    core = [one for one in sources() if one.path.startswith("src/webex_oauth/oauth/")]
    words = {
        one.path: [
            line
            for line in one.text.splitlines()
            if "webex" in line.lower() and "webex_oauth" not in line
        ]
        for one in core
    }

    assert "src/webex_oauth/oauth/token.py" in words
    assert {path: lines for path, lines in words.items() if lines} == {}


@pytest.mark.parametrize("names", [("print",), ("eval", "exec", "compile"), ("breakpoint",)])
def test_nothing_is_called_that_has_no_place_here(names: tuple[str, ...]) -> None:
    calls = [
        f"{one.path}:{node.lineno}"
        for one in sources()
        for node in ast.walk(one.tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in names
    ]

    assert calls == []
