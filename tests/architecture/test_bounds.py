"""The table of bounds: its figures are those of the code, and a test proves every row.

Whatever grows in a process is found in the code, and stands under the row that bounds it.
"""

import ast
import re
from collections.abc import Iterator
from importlib import import_module
from typing import NamedTuple

from architecture.sources import ROOT, sources

from webex_oauth.ports import Limits

HEADING = "## What bounds what"
ROW = re.compile(r"^\| ([^|]+) \| ([^|]+) \| ([^|]+) \| ([^|]+) \|$", re.MULTILINE)
FIGURE = re.compile(r"([\d,]+)(?: (KiB|MiB|s|h|days))? `([\w.]+)`")
UNITS = {"": 1, "s": 1, "KiB": 1024, "MiB": 1024 * 1024, "h": 3600, "days": 86_400}
GROWING = {"dict", "list", "set", "deque", "Counter", "defaultdict", "Queue"}

BOUNDED_BY = {
    # A process that serves.
    "flows/context.py:_places_of": "calls of one person that wait",
    "flows/context.py:line": "calls of one person that wait",
    "flows/refusal_log.py:_windows": "refusals in the log",
    "flows/revocation.py:_handed_over": "revocations handed over",
    "transport/http_transport.py:_kept": "connections to Webex",
    "vault/vault.py:_flying": "requests under way",
    "vault/event_log.py:_handed_over": "events that a follower remembers",
    "vault/events.py:_running": "listeners of events under way",
    "vault/vault.py:_unwatched": "refreshes that nobody waits for",
    "web/connection.py:_by_latest_request": "connections from browsers",
    "library/loopback.py:_connections": "connections to a waiting terminal",
    "stores/postgres/pool.py:_idle": "calls that wait for PostgreSQL",
    "stores/postgres/pool.py:_stopping": "calls that wait for PostgreSQL",
    "stores/redis/calls.py:_idle": "calls that wait for Redis",
    # One answer of Webex.
    "transport/connection.py:_arrived": "octets of a streamed answer that wait for their reader",
    "transport/connection.py:_headers": "fields of an answer",
    "webex/api.py:_followed": "pages of a list",
    # The local Webex.
    "emulator/journal.py:_entries": "journal of the emulator",
    "emulator/identity/tokens.py:_values_by_person": "tokens of the emulator",
}
NOT_FROM_OUTSIDE = {
    "cli/serve.py:_alive": "as many as the operator asked for",
    "cli/serve.py:_places": "as many as the operator asked for",
    "emulator/faults.py:_seen_by_rule": "what the developer injects",
    "emulator/identity/integrations.py:_integration_by_client_id": "what the developer registers",
    "emulator/conversations.py:_begun": "the rooms of the seeded world",
    "emulator/world.py:_changed": "the seeded world",
    "emulator/world.py:_person_by_uuid": "the seeded world",
    "emulator/world.py:_rooms_by_uuid": "the rooms of the seeded world, and one of each two people",
    "emulator/world.py:_source_by_uuid": "the seeded world",
    "library/events.py:_listeners": "what the program itself registers",
    "library/integration.py:_left_to_parent": "one for each fork of the process",
    "library/loopback.py:_servers": "one for each address of this machine",
    "settings/collector.py:mistakes": "one for each setting",
    "settings/collector.py:warnings": "one for each setting",
    "stores/memory.py:_rows": "a store: its rows are bounded as all are",
    "vault/events.py:listeners": "what the program registers",
    "vault/rescue.py:_reported": "the files in the operator's own folder",
    "vault/rescue.py:_rescued": "refreshes whose answer came while the store was away",
}


class Row(NamedTuple):
    """One line of the table."""

    thing: str
    bound: str
    whose: str
    beyond: str


def rows() -> list[Row]:
    """Read the table of bounds."""
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    section = text.partition(HEADING)[2].partition("\n## ")[0]
    return [Row(*found.groups()) for found in ROW.finditer(section)][1:]


def marked_things() -> Iterator[str]:
    """Find what tests say they prove the bound of."""
    for source in sources(ROOT / "tests"):
        for node in ast.walk(source.tree):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "pytest.mark.bound":
                yield from (ast.literal_eval(argument) for argument in node.args)


def growing_attributes() -> Iterator[str]:
    """Find the collections that objects hold and that begin empty."""
    for source in sources():
        for node in ast.walk(source.tree):
            target = node.targets[0] if isinstance(node, ast.Assign) else getattr(node, "target", 0)
            value = node.value if isinstance(node, ast.Assign | ast.AnnAssign) else None
            if isinstance(target, ast.Attribute) and value and _begins_empty(value):
                yield f"{source.path.removeprefix('src/webex_oauth/')}:{target.attr}"


def _begins_empty(value: ast.expr) -> bool:
    if isinstance(value, ast.Dict | ast.List):
        return not ast.unparse(value)[1:-1]
    if not isinstance(value, ast.Call):
        return False
    made = ast.unparse(value.func).partition("[")[0].rpartition(".")[2]
    return made in GROWING and all(isinstance(one, ast.Name | ast.Attribute) for one in value.args)


def test_the_figures_are_those_of_the_code() -> None:
    wrong = []
    figures = [(row.thing, *found) for row in rows() for found in FIGURE.findall(row.bound)]
    for thing, number, unit, name in figures:
        module, _, constant = name.rpartition(".")
        value = getattr(import_module(f"webex_oauth.{module}"), constant)
        size = value.max_body_bytes if isinstance(value, Limits) else value
        if size != int(number.replace(",", "")) * UNITS[unit]:
            wrong.append((thing, name, size))

    assert wrong == []
    assert len({thing for thing, *_ in figures}) == len(rows()) > 30


def test_a_test_proves_every_row_and_every_mark_has_its_row() -> None:
    assert set(marked_things()) == {row.thing for row in rows()}


def test_whatever_grows_in_a_process_is_bounded_by_a_row_or_fed_by_nobody_outside() -> None:
    assert set(growing_attributes()) == BOUNDED_BY.keys() | NOT_FROM_OUTSIDE.keys()
    assert set(BOUNDED_BY.values()) <= {row.thing for row in rows()}
