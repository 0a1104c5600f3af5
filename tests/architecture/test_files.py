"""What no file of the project may say, and what the documents may not leave out."""

import re
from pathlib import Path

import pytest
from architecture.sources import ROOT, project_files, text_of

from webex_oauth.cli import COMMANDS
from webex_oauth.settings import NAMES

# Written in pieces: this file is one of those that are looked through.
FORBIDDEN = {
    "a package registry": re.compile(
        "|".join(["pypi" + r"\.org", "files" + r"\.pythonhosted", "registry" + r"\.npmjs"])
    ),
    "a machine's path": re.compile(
        "|".join([r"(?<![\w.-])/work" + "/", r"(?<![\w.-])/root" + "/", r"/home/[a-z]+" + "/"])
    ),
    # Whoever registered this name first would be installed instead. Only an extra may be asked
    # for, by people who have the package: pip then keeps it and adds what the extra brings.
    "a package of ours that is not published": re.compile(
        r"(?i)(?:pip3?|uv|pipx|poetry) (?:install|add|run) (?:-\S+ )*"
        r"['\"]?webex[-_.]oauth\b(?!-\d|\[)"
    ),
}
ROUTES = ("/login", "/oauth", "/listrooms", "/logout", "/healthz", "/readyz", "/index.html")


DOCUMENTS = [
    *sorted(ROOT.glob("*.md")),
    *sorted((ROOT / "docs").rglob("*.md")),
    ROOT / "learn" / "README.md",
]


def documents() -> str:
    """Read everything that is written for people."""
    return "\n".join(file.read_text(encoding="utf-8") for file in DOCUMENTS)


@pytest.mark.parametrize("what", FORBIDDEN)
def test_no_file_names(what: str) -> None:
    naming = [
        file.relative_to(ROOT).as_posix()
        for file in project_files()
        if FORBIDDEN[what].search(text_of(file))
    ]

    assert naming == []


@pytest.mark.parametrize("name", sorted(NAMES))
def test_every_setting_is_explained(name: str) -> None:
    assert f"`{name}`" in (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", sorted(NAMES))
def test_every_setting_stands_in_the_example(name: str) -> None:
    lines = (ROOT / ".env.example").read_text(encoding="utf-8").splitlines()

    assert [line for line in lines if line.lstrip("#").startswith(f"{name}=")]


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_is_in_the_documents(command: str) -> None:
    assert f"webex-oauth {command}" in documents()


@pytest.mark.parametrize("route", ROUTES)
def test_every_route_is_in_the_documents(route: str) -> None:
    assert route in documents()


def test_every_picture_is_shown_in_a_document() -> None:
    pictures = [path.name for path in sorted((ROOT / "docs" / "images").iterdir())]
    texts = documents()

    assert [name for name in pictures if f"images/{name}" not in texts] == []


def test_every_link_between_the_documents_leads_to_a_file_and_a_heading() -> None:
    broken = [
        f"{file.name}: {target}"
        for file in DOCUMENTS
        for target in re.findall(r"\]\(([^)\s]+)\)", file.read_text(encoding="utf-8"))
        if not target.startswith("http") and not leads_somewhere(file, target)
    ]

    assert broken == []


def leads_somewhere(document: Path, target: str) -> bool:
    """Tell whether a relative link names a file, and one of its headings."""
    name, _, anchor = target.partition("#")
    file = document.parent / name if name else document
    return file.exists() and (not anchor or anchor in anchors(file))


def anchors(document: Path) -> set[str]:
    """Return the anchors that a document's headings have where Markdown is rendered."""
    headings = re.findall(r"^#+ (.+)$", document.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_the_example_is_understood_and_lacks_only_what_a_person_must_fill_in() -> None:
    lines = (ROOT / ".env.example").read_text(encoding="utf-8").splitlines()
    empty = [line for line in lines if re.fullmatch(r"[A-Z_]+=", line)]

    assert empty == ["AUTH_INIT_URL=", "CLIENT_SECRET="]
