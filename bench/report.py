"""The report: findings as Markdown tables, with ratios, goals, and what they were taken on."""

import os
import platform
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path

from msgspec import Struct

from bench.servers import CONTENDERS, OURS

FOLDER = Path(__file__).parent


class Goal(Struct, frozen=True):
    """A bound of our figure, as a multiple of the peer's that is named, or by itself."""

    at_least: float | None = None
    at_most: float | None = None
    of: str | None = None

    def verdict(self, figures: Mapping[str, float]) -> str:
        """Return whether the figures meet the goal; nothing if one of them was not measured."""
        ours = figures.get(OURS.name)
        theirs = 1.0 if self.of is None else figures.get(self.of)
        if ours is None or not theirs:
            return ""
        ratio = ours / theirs
        bound, is_met = (
            (f"at most {self.at_most:g}", ratio <= self.at_most)
            if self.at_most is not None
            else (f"at least {self.at_least:g}", ratio >= (self.at_least or 0))
        )
        of = "" if self.of is None else f" of {self.of}"
        return f"{'met' if is_met else 'MISSED'} ({bound}{of})"


class Finding(Struct, frozen=True):
    """One line of a report: figures by column, in `unit`, and what became of the goals."""

    subject: str
    layout: str
    unit: str
    figures: Mapping[str, float]
    verdict: str = ""

    def ratio_to(self, peer: str) -> float | None:
        """Return our figure as a multiple of a peer's, if both were measured."""
        ours, theirs = self.figures.get(OURS.name), self.figures.get(peer)
        return None if ours is None or not theirs else ours / theirs


def number(figure: float | None) -> str:
    """Return a figure with three digits that mean something."""
    if figure is None:
        return ""
    return f"{figure:,.0f}" if abs(figure) >= 100 else f"{figure:.3g}"


def server_table(findings: Sequence[Finding]) -> str:
    """Return the servers' findings as an aligned Markdown table."""
    names = [contender.name for contender in CONTENDERS]
    return table(findings, names, [name for name in names if name != OURS.name])


def table(findings: Sequence[Finding], columns: Sequence[str], peers: Sequence[str] = ()) -> str:
    """Return findings as an aligned Markdown table, with a column of ratios for each peer."""
    rows = [["measure", "cores", "unit", *columns, *(f"÷ {peer}" for peer in peers), "goal"]]
    for finding in findings:
        ratios = [finding.ratio_to(peer) for peer in peers]
        rows.append(
            [
                *(finding.subject, finding.layout, finding.unit),
                *(number(finding.figures.get(column)) for column in columns),
                *("" if ratio is None else f"{ratio:.2f}" for ratio in ratios),
                finding.verdict,
            ]
        )
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ["| " + " | ".join(map(str.ljust, cells, widths)) + " |" for cells in rows]
    rule = "|" + "|".join("-" * (width + 2) for width in widths) + "|"
    return "\n".join([lines[0], rule, *lines[1:]])


def results(findings: Sequence[Finding], machine: Sequence[str], today: date) -> str:
    """Return the results file's part about servers."""
    facts = "\n".join(f"- {fact}" for fact in [f"date: {today.isoformat()}", *machine])
    introduction = (FOLDER / "servers.md").read_text()
    return f"{introduction}\n{server_table(findings)}\n\n## Where\n\n{facts}\n"


def store_section(findings: Sequence[Finding], kinds: Sequence[str], facts: Sequence[str]) -> str:
    """Return the results file's part about stores."""
    listed = "".join(f"- {fact}\n" for fact in facts)
    introduction = (FOLDER / "stores.md").read_text()
    return f"{introduction}\n{table(findings, kinds)}\n\n{listed}"


def describe() -> Iterator[str]:
    """Yield what the machine is and what it runs, one fact a line."""
    yield f"processor: {processor()}, {len(os.sched_getaffinity(0))} cores"
    yield f"memory: {memory_gib():.0f} GiB"
    yield f"system: {platform.system()} {platform.release()} {platform.machine()}"
    yield f"load average when the run began: {os.getloadavg()[0]:.2f}"
    node = subprocess.run(["node", "--version"], capture_output=True, text=True, check=False)
    yield f"python {platform.python_version()}, node {node.stdout.strip()}"
    yield "versions: those in requirements/dev.txt and bench/peers/express/package-lock.json"


def processor() -> str:
    """Return the processor's own name."""
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        name, _, value = line.partition(":")
        if name.strip() == "model name":
            return value.strip()
    return platform.machine()


def memory_gib() -> float:
    """Return how much memory the machine has."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
