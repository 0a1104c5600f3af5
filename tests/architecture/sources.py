"""The project's own files, as text and as syntax trees."""

import ast
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
PACKAGE = ROOT / "src" / "webex_oauth"
TEXT_SUFFIXES = frozenset(
    {
        ".css",
        ".html",
        ".in",
        ".js",
        ".json",
        ".lua",
        ".md",
        ".py",
        ".svg",
        ".toml",
        ".txt",
        ".yaml",
        ".yml",
    }
)


@dataclass(frozen=True, slots=True)
class Source:
    """One Python file: its path below the project's root, its text and its tree."""

    path: str
    text: str
    tree: ast.Module


def sources(folder: Path = PACKAGE) -> Iterator[Source]:
    """Read every Python file below *folder*."""
    for file in sorted(folder.rglob("*.py")):
        text = file.read_text(encoding="utf-8")
        yield Source(file.relative_to(ROOT).as_posix(), text, ast.parse(text))


def project_files() -> Iterator[Path]:
    """Give every file that belongs to the project: what git keeps, or would keep."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],  # noqa: S607 - git is where the developer has it
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    for name in listed.stdout.split("\0"):
        if name and (ROOT / name).is_file():
            yield ROOT / name


def text_of(file: Path) -> str:
    """Read a file that is text by its name; give nothing for another."""
    is_text = file.suffix in TEXT_SUFFIXES or not file.suffix
    return file.read_text(encoding="utf-8", errors="replace") if is_text else ""
