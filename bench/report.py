"""The findings as a table that reads well in a terminal and in Markdown alike."""

from collections.abc import Sequence
from datetime import date

from bench.contenders import CONTENDERS, EXPRESS, FLASK
from bench.findings import Finding, Goal

HEADINGS = (
    "measure",
    "cores",
    "unit",
    *(contender.name for contender in CONTENDERS),
    "÷ express",
    "÷ flask",
    "goal",
)

INTRODUCTION = """\
# Measured, not asserted

Three servers, one process each, on loopback beside a stub Webex that costs next to nothing:

- **webex-oauth**: this application as `webex-oauth serve` starts it; sessions and sealed tokens
  in SQLite.
- **express**: Express, express-session in memory, node-fetch 2, EJS read and compiled for every
  page.
- **flask**: Flask, sessions in memory, requests, gunicorn with 32 threads.

Every answer is checked to hold all its rooms. Turns are interleaved (ours, express, flask, ours,
...) and figures are medians over the rounds. *Pinned*: the server has one core for itself, the
load generator and the stub share another. *Unpinned*: all run where the system puts them.

For 5,000 rooms the peers have a page that they otherwise lack: it follows every link, 1,000 rooms
at a time, and answers when it has them all. A sign-in takes three requests everywhere: the peers,
like the sample, lead from `/` to `/index.html`, and ours sends the browser on after the callback.
Ours also makes a state and a PKCE verifier for each sign-in and seals its tokens on disk, where
theirs share one state and keep tokens in memory.
Ratios travel between machines, figures do not.
"""


def number(figure: float) -> str:
    """Write a figure with three digits that mean something."""
    if abs(figure) >= 100:
        return f"{figure:,.0f}"
    return f"{figure:.3g}"


def verdict(goal: Goal | None) -> str:
    """Write a goal and whether it was met."""
    if goal is None:
        return ""
    return f"{'met' if goal.is_met else 'MISSED'} ({goal.text})"


def row(finding: Finding) -> list[str]:
    """Write one finding as the cells of its line."""
    figures = [finding.figures.get(contender.name) for contender in CONTENDERS]
    ratios = [finding.ratio_to(peer.name) for peer in (EXPRESS, FLASK)]
    return [
        finding.subject,
        finding.layout,
        finding.unit,
        *("" if figure is None else number(figure) for figure in figures),
        *("" if ratio is None else f"{ratio:.2f}" for ratio in ratios),
        verdict(finding.goal),
    ]


def table(findings: Sequence[Finding]) -> str:
    """Write the findings as an aligned Markdown table."""
    return aligned([HEADINGS, *map(row, findings)])


def aligned(rows: Sequence[Sequence[str]]) -> str:
    """Write a Markdown table; the first row is its head."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ["| " + " | ".join(map(str.ljust, cells, widths)) + " |" for cells in rows]
    rule = "|" + "|".join("-" * (width + 2) for width in widths) + "|"
    return "\n".join([lines[0], rule, *lines[1:]])


def results(findings: Sequence[Finding], machine: Sequence[str], today: date) -> str:
    """Write the whole results file."""
    facts = "\n".join(f"- {fact}" for fact in [f"date: {today.isoformat()}", *machine])
    return f"{INTRODUCTION}\n{table(findings)}\n\n## Where\n\n{facts}\n"
