"""The stores' findings as a table of their own, with a column for each kind of store."""

from collections.abc import Sequence

from bench.findings import Finding
from bench.report import aligned, number, verdict
from bench.stores import STORES, StoreFindings

HEADINGS = ("measure", "unit", *STORES, "goal")

INTRODUCTION = """\
## What stores cost

One process opens the application's own parts on a store of each kind and does what the page of
spaces does before it calls Webex: it finds a session and gets a fresh access token, of people
picked at random. Each person has one grant and one session, really sealed. *µs/read* is time
divided by reads, *CPU µs/read* is the CPU time of that process and of the database together.

A refresh is claimed, requested from the stub and committed; beside it stands its HTTP request
alone, on the same connections. Medians, one at a time. PostgreSQL (fsync on) and Redis
(appendfsync always) run on the same machine with everything else, unpinned, and each confirms
what is on its disk; SQLite is the application's own file.
"""


def store_table(findings: Sequence[Finding]) -> str:
    """Write the stores' findings as an aligned Markdown table."""
    return aligned([HEADINGS, *map(_row, findings)])


def store_section(found: StoreFindings) -> str:
    """Write the stores' part of the results file."""
    facts = "".join(f"- {fact}\n" for fact in [*found.servers, *found.skipped])
    return f"{INTRODUCTION}\n{store_table(found.findings)}\n\n{facts}"


def _row(finding: Finding) -> list[str]:
    figures = [finding.figures.get(kind) for kind in STORES]
    return [
        finding.subject,
        finding.unit,
        *("" if figure is None else number(figure) for figure in figures),
        verdict(finding.goal),
    ]
