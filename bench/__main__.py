"""`python -m bench`: measure this application and its peers, and print the ratios."""

import argparse
import signal
import sys
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType

from bench.contenders import CONTENDERS, EXPRESS, Contender, StartError, install_express
from bench.findings import Finding
from bench.machine import describe
from bench.measures import measure_all
from bench.plan import FULL, QUICK, Plan, layouts, unpinned
from bench.report import results, table
from bench.stage import MeasureError
from bench.store_report import store_section
from bench.stores import StoreFindings, measure_stores
from bench.workers import measure_workers

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
        "--only",
        nargs="+",
        metavar="NAME",
        choices=[contender.name for contender in CONTENDERS],
        help="measure only these servers",
    )
    parser.add_argument(
        "--parts", nargs="+", choices=PARTS, default=PARTS, help="take only these measures"
    )
    arguments = parser.parse_args()
    if arguments.write and set(arguments.parts) != set(PARTS):
        parser.error("--write keeps a whole bench, not parts of one")
    return arguments


def chosen(names: Sequence[str] | None) -> list[Contender]:
    """Pick the contenders by name; all when none is named."""
    return [contender for contender in CONTENDERS if not names or contender.name in names]


def measured(contenders: Sequence[Contender], parts: Sequence[str], plan: Plan) -> list[Finding]:
    """Measure the servers, and say on standard error what is done."""
    findings: list[Finding] = []
    if "peers" in parts:
        if EXPRESS in contenders:
            install_express()
        findings.extend(told(measure_all(contenders, layouts(), plan)))
    if "workers" in parts:
        findings.extend(told(measure_workers(unpinned(), plan)))
    return findings


def measured_stores(parts: Sequence[str], plan: Plan) -> StoreFindings | None:
    """Measure the stores, where they were asked for, and say on standard error what is done."""
    if "stores" not in parts:
        return None
    return measure_stores(unpinned(), plan, say)


def told(findings: Iterable[Finding]) -> Iterator[Finding]:
    """Say which findings there are, as they come."""
    for finding in findings:
        say(f"{finding.layout}: {finding.subject}, {finding.unit}")
        yield finding


def say(line: str) -> None:
    """Say on standard error what is done."""
    print(line, file=sys.stderr, flush=True)


def end_what_was_started(number: int, _: FrameType | None) -> None:
    """Unwind on a signal as on Ctrl-C, so that no server outlives the bench."""
    sys.exit(128 + number)


def main() -> int:
    """Run the bench; the status is 1 when a measure could not be taken."""
    arguments = read_arguments()
    signal.signal(signal.SIGTERM, end_what_was_started)
    machine = list(describe())
    plan = QUICK if arguments.quick else FULL
    try:
        findings = measured(chosen(arguments.only), arguments.parts, plan)
        found = measured_stores(arguments.parts, plan)
    except (StartError, MeasureError) as error:
        print(error, file=sys.stderr)
        return 1
    stores = store_section(found) if found else ""
    print("\n".join([table(findings) if findings else "", "", stores, *machine]))
    if arguments.quick:
        print("a quick run leaves the servers cold: read no ratio from it")
    if arguments.write:
        written = [results(findings, machine, datetime.now(UTC).date()), stores]
        RESULTS.write_text("\n".join(filter(None, written)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
