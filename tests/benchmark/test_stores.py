"""What is told of the stores' figures, and that it fails where it must."""

from typing import Final

import pytest

from bench.findings import Finding
from bench.plan import QUICK, unpinned
from bench.store_report import store_section, store_table
from bench.stores import StoreFigures, StoreFindings, cpu_microseconds, flat_goal, tell
from bench.vault_jobs import Reads, Refreshes

FEWEST: Final = {"sqlite": 40.0, "redis": 200.0}


def figures(slow_count: int | None = None) -> StoreFigures:
    """Make figures that are the same for all numbers of grants but one."""
    return StoreFigures(
        server="SQLite 3",
        reads={
            (count, concurrency): [Reads(100, 1.0 if count == slow_count else 0.01, 0.004, 0.002)]
            for count in QUICK.grant_counts
            for concurrency in (1, 32)
        },
        refreshes=Refreshes(request_seconds=0.002, refresh_seconds=0.005),
    )


@pytest.mark.parametrize(("redis", "is_met"), [(300.0, True), (301.0, False)])
def test_reads_are_flat_while_no_store_takes_half_as_much_again(
    redis: float, *, is_met: bool
) -> None:
    goal = flat_goal({"sqlite": 41.0, "redis": redis}, FEWEST, 1_000)

    assert goal.is_met is is_met
    assert goal.text == "at most 1.5 of that at 1,000"


def test_the_cpu_time_of_a_read_includes_the_databases() -> None:
    assert cpu_microseconds(Reads(100, 1.0, 0.004, 0.002)) == pytest.approx(60)


def test_a_store_that_slows_down_is_told_by_its_time_alone() -> None:
    taken = {"sqlite": figures(), "redis": figures(slow_count=QUICK.grant_counts[-1])}

    missed = [one for one in tell(taken, unpinned(), QUICK) if one.goal and not one.goal.is_met]

    assert [one.unit for one in missed] == ["µs/read", "µs/read"]
    assert all(f"{QUICK.grant_counts[-1]:,} grants" in one.subject for one in missed)


def test_what_a_refresh_adds_is_without_its_request() -> None:
    *_, added = tell({"sqlite": figures()}, unpinned(), QUICK)

    assert added.figures["sqlite"] == pytest.approx(3.0)


def test_a_store_that_was_not_measured_is_an_empty_cell_and_a_line_that_says_why() -> None:
    finding = Finding("a read", "unpinned", "µs/read", {"sqlite": 40.0})

    section = store_section(StoreFindings([finding], ["SQLite 3"], ["redis was not measured: x"]))

    assert "| 40     |          |       |" in section
    assert section.endswith("- SQLite 3\n- redis was not measured: x\n")


def test_the_stores_table_lines_up() -> None:
    goal = flat_goal(FEWEST, FEWEST, 1_000)
    found = [Finding("a read", "unpinned", "µs/read", FEWEST, goal)]

    lines = store_table([*found, Finding("a much longer one", "unpinned", "ms", {})]).split("\n")

    assert len({len(line) for line in lines}) == 1
