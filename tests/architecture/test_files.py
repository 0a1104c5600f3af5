"""What no file of the project may say, and what the documents may not leave out."""

import re

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
}
ROUTES = ("/login", "/oauth", "/listrooms", "/logout", "/healthz", "/readyz", "/index.html")


def documents() -> str:
    """Read everything that is written for people."""
    files = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
    return "\n".join(file.read_text(encoding="utf-8") for file in files)


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


def test_the_example_is_understood_and_lacks_only_what_a_person_must_fill_in() -> None:
    lines = (ROOT / ".env.example").read_text(encoding="utf-8").splitlines()
    empty = [line for line in lines if re.fullmatch(r"[A-Z_]+=", line)]

    assert empty == ["AUTH_INIT_URL=", "CLIENT_SECRET="]
