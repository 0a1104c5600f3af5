"""`python -m bench`: measure this application and its peers, and print the ratios."""

import argparse
import signal
import sys
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType

from bench.measures import FULL, QUICK, Plan, measure_servers, measure_workers
from bench.report import Finding, describe, results, server_table, store_section
from bench.servers import CONTENDERS, MeasureError, layouts, unpinned
from bench.stores import KINDS, measure_stores

PARTS = ("peers", "workers", "stores")
RESULTS = Path(__file__).parent / "RESULTS.md"


def read_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument(
        "--quick", action="store_true", help="a short run: a smoke test, no figures"
    )
    parser.add_argument("--write", action="store_true", help=f"keep the results in {RESULTS.name}")
    parser.add_argument(
        "--parts", nargs="+", choices=PARTS, default=PARTS, help="take only these measures"
    )
    arguments = parser.parse_args()
    if arguments.write and set(arguments.parts) != set(PARTS):
        parser.error("--write keeps a whole bench, not parts of one")
    return arguments


def measure(parts: Sequence[str], plan: Plan) -> tuple[list[Finding], str]:
    """Measure the servers and the stores; return the servers' findings, and the stores' section."""
    findings: list[Finding] = []
    if "peers" in parts:
        for layout in layouts():
            findings.extend(announced(measure_servers(CONTENDERS, layout, plan)))
    if "workers" in parts:
        findings.extend(announced(measure_workers(unpinned(), plan)))
    if "stores" not in parts:
        return findings, ""
    facts: list[str] = []
    found = list(announced(measure_stores(unpinned(), plan, facts)))
    return findings, store_section(found, list(KINDS), facts)


def announced(findings: Iterable[Finding]) -> Iterator[Finding]:
    """Name each finding on standard error as it comes."""
    for finding in findings:
        print(f"{finding.layout}: {finding.subject}, {finding.unit}", file=sys.stderr, flush=True)
        yield finding


def exit_on(number: int, _: FrameType | None) -> None:
    """Unwind on a signal as on Ctrl-C, so that no server outlives the bench."""
    sys.exit(128 + number)


def main() -> int:
    """Run the bench; the status is 1 if a measure could not be taken."""
    arguments = read_arguments()
    signal.signal(signal.SIGTERM, exit_on)
    machine = list(describe())
    try:
        findings, stores = measure(arguments.parts, QUICK if arguments.quick else FULL)
    except MeasureError as error:
        print(error, file=sys.stderr)
        return 1
    print("\n".join([server_table(findings) if findings else "", "", stores, *machine]))
    if arguments.quick:
        print("a quick run leaves the servers cold: read no ratio from it")
    if arguments.write:
        written = [results(findings, machine, datetime.now(UTC).date()), stores]
        RESULTS.write_text("\n".join(filter(None, written)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
