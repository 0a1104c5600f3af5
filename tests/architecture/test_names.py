"""Every file, module and constant that a document, comment or docstring names exists."""

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from importlib import import_module
from importlib.util import find_spec

import pytest
from architecture.sources import PACKAGE, ROOT, project_files

DOCUMENTS = [
    *(ROOT / name for name in ("README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "SECURITY.md")),
    *sorted((ROOT / "docs").rglob("*.md")),
    ROOT / "learn" / "README.md",
]
FILES = frozenset(file.relative_to(ROOT).as_posix() for file in project_files())
FOLDERS = frozenset(
    f"{parent.as_posix()}/"
    for file in project_files()
    for parent in file.relative_to(ROOT).parents
    if parent.name
)
SUFFIX = r"(?:py|md|lua|html|css|js|toml|txt|svg)"
FILE = re.compile(rf"(?<![\w./<:-])((?:[\w.-]+/)*[\w-]+\.{SUFFIX})(?![\w./-])")
FOLDER = re.compile(r"`((?:[\w.-]+/)+)`")
DOTTED = re.compile(r"`((?:[a-z_]+\.)+[A-Za-z_]+)(?:\(\))?`")
PLACEHOLDER = re.compile(r"\b[A-Z]{4,}\b")
NOT_OURS = frozenset({"Node.js", "app.py", "water.css"})
"""Names that look like files of ours: a runtime, a program of the reader, a style sheet."""


def named_files(text: str) -> Iterator[str]:
    """Find the files and folders that a text names; what is written in capitals stands for any."""
    for found in (*FILE.findall(text), *FOLDER.findall(text)):
        if not PLACEHOLDER.search(found) and not found.startswith("/"):
            yield re.sub(r"^(\.{1,2}/)+", "", found)


def is_there(path: str) -> bool:
    """Return whether the project has a file or folder whose path ends like this."""
    known = FOLDERS if path.endswith("/") else FILES
    return path in known or any(one.endswith(f"/{path}") for one in known)


def resolves(dotted: str) -> bool:
    """Return whether a dotted name below the package leads to a module, or to something in one."""
    module, _, name = f"webex_oauth.{dotted.removeprefix('webex_oauth.')}".rpartition(".")
    try:
        return find_spec(f"{module}.{name}") is not None or hasattr(import_module(module), name)
    except ModuleNotFoundError:
        owner, _, attribute = module.rpartition(".")
        try:
            return hasattr(getattr(import_module(owner), attribute), name)
        except (ModuleNotFoundError, AttributeError):
            return False


def prose(text: str) -> str:
    """Return the comments and docstrings of a Python file."""
    tokens = tokenize.generate_tokens(io.StringIO(text).readline)
    comments = [token.string for token in tokens if token.type == tokenize.COMMENT]
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    nodes = [node for node in ast.walk(ast.parse(text)) if isinstance(node, documented)]
    return "\n".join([*comments, *(ast.get_docstring(node) or "" for node in nodes)])


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_file_that_a_document_names_is_there(document: object) -> None:
    text = ROOT.joinpath(str(document)).read_text(encoding="utf-8")

    missing = {name for name in named_files(text) if not is_there(name)}

    assert missing - NOT_OURS == set()


def test_every_file_that_a_comment_or_docstring_names_is_there() -> None:
    files = [file for file in project_files() if file.suffix == ".py"]
    texts = {file: file.read_text(encoding="utf-8") for file in files}
    missing = {
        f"{file.name}: {name}"
        for file, text in texts.items()
        if FILE.search(text) or FOLDER.search(text)
        for name in named_files(prose(text))
        if not is_there(name) and name not in NOT_OURS
    }

    assert missing == set()


def test_every_module_and_constant_that_a_document_names_is_there() -> None:
    parts = {path.stem for path in PACKAGE.iterdir()} | {"webex_oauth"}
    missing = {
        f"{document.name}: {dotted}"
        for document in DOCUMENTS
        for dotted in DOTTED.findall(document.read_text(encoding="utf-8"))
        if dotted.partition(".")[0] in parts
        and dotted.rpartition(".")[2] not in {"py", "md", "lua", "sqlite"}
        and not resolves(dotted)
    }

    assert missing == set()


def test_the_search_finds_what_is_missing_and_leaves_alone_what_is_not_ours() -> None:
    text = "see `web/gone.py`, `stores/NAME/`, https://a.example/b.md and `/var/lib/x.txt`; `gone/`"

    assert set(named_files(text)) == {"web/gone.py", "gone/"}
    assert not is_there("web/gone.py")
    assert not is_there("gone/")
    assert resolves("web.frame.MAX_BODY_BYTES")
    assert not resolves("web.frame.GONE")
