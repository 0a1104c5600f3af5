"""The tables of docs/configuration.md list what there is: every command, route and setting."""

import re

from architecture.sources import ROOT

from webex_oauth.cli import COMMANDS
from webex_oauth.settings import NAMES
from webex_oauth.web.application import handlers

TEXT = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")


def test_every_command_is_listed_with_what_it_says_of_itself() -> None:
    listed = re.findall(r"(?m)^\| `webex-oauth ([a-z-]+)` \| (.+) \|$", TEXT)

    assert listed == list(COMMANDS.items())


def test_every_route_is_listed_and_no_other() -> None:
    listed = re.findall(r"(?m)^\| `(GET|POST) ([^`]+)` \| .+ \| .+ \|$", TEXT)

    there = {(method, path) for path, by in handlers("/oauth").items() for method in by}
    assert sorted(listed) == sorted(there)


def test_every_setting_is_told() -> None:
    assert [name for name in NAMES if f"`{name}`" not in TEXT] == []
