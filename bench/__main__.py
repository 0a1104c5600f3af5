"""`python -m bench`: measure this application and its peers, and print the ratios."""

import argparse
import signal
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType

from bench.contenders import CONTENDERS, EXPRESS, Contender, StartError, install_express
from bench.findings import Finding
from bench.machine import describe
from bench.measures import measure_all
from bench.plan import FULL, QUICK, Plan, layouts
from bench.report import results, table
from bench.stage import MeasureError

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
    return parser.parse_args()


def chosen(names: Sequence[str] | None) -> list[Contender]:
    """Pick the contenders by name; all when none is named."""
    return [contender for contender in CONTENDERS if not names or contender.name in names]


def measured(contenders: Sequence[Contender], plan: Plan) -> list[Finding]:
    """Take every measure, and say on standard error what is done."""
    if EXPRESS in contenders:
        install_express()
    findings = []
    for finding in measure_all(contenders, layouts(), plan):
        print(f"{finding.layout}: {finding.subject}, {finding.unit}", file=sys.stderr)
        findings.append(finding)
    return findings


def end_what_was_started(number: int, _: FrameType | None) -> None:
    """Unwind on a signal as on Ctrl-C, so that no server outlives the bench."""
    sys.exit(128 + number)


def main() -> int:
    """Run the bench; the status is 1 when a measure could not be taken."""
    arguments = read_arguments()
    signal.signal(signal.SIGTERM, end_what_was_started)
    machine = list(describe())
    try:
        findings = measured(chosen(arguments.only), QUICK if arguments.quick else FULL)
    except (StartError, MeasureError) as error:
        print(error, file=sys.stderr)
        return 1
    print("\n".join([table(findings), "", *machine]))
    if arguments.quick:
        print("a quick run leaves the servers cold: read no ratio from it")
    if arguments.write:
        RESULTS.write_text(results(findings, machine, datetime.now(UTC).date()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
