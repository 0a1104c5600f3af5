"""Ratios and goals, and how the tables show them."""

from datetime import date

import pytest

from bench.report import Finding, Goal, number, results, server_table, store_section
from bench.servers import EXPRESS
from bench.stores import flatness

FIGURES = {"webex-oauth": 2500.0, "express": 1000.0, "flask": 400.0}
FEWEST = {"sqlite": 40.0, "redis": 200.0}


def test_a_ratio_is_ours_over_theirs() -> None:
    finding = Finding("/listrooms", "pinned", "requests/s", FIGURES)

    assert finding.ratio_to("express") == 2.5
    assert finding.ratio_to("starlette") is None


@pytest.mark.parametrize(
    ("goal", "verdict"),
    [
        (Goal(at_least=2.5, of=EXPRESS.name), "met (at least 2.5 of express)"),
        (Goal(at_least=2.6, of=EXPRESS.name), "MISSED (at least 2.6 of express)"),
        (Goal(at_most=2.5, of=EXPRESS.name), "met (at most 2.5 of express)"),
        (Goal(at_most=2.4, of=EXPRESS.name), "MISSED (at most 2.4 of express)"),
        (Goal(at_most=75), "MISSED (at most 75)"),
        (Goal(at_most=1, of="starlette"), ""),
    ],
)
def test_a_goal_is_met_up_to_its_bound(goal: Goal, verdict: str) -> None:
    assert goal.verdict(FIGURES) == verdict


@pytest.mark.parametrize(("redis", "is_met"), [(300.0, True), (301.0, False)])
def test_reads_are_flat_while_no_store_takes_half_as_much_again(
    redis: float, *, is_met: bool
) -> None:
    verdict = flatness({"sqlite": 41.0, "redis": redis}, FEWEST, 1_000)

    assert verdict == f"{'met' if is_met else 'MISSED'} (at most 1.5 of that at 1,000)"


def test_the_tables_line_up() -> None:
    findings = [
        Finding("/listrooms", "pinned", "requests/s", FIGURES, "met"),
        Finding("a much longer measure", "pinned", "ms", FIGURES),
    ]

    lines = server_table(findings).splitlines()

    assert len({len(line) for line in lines}) == 1


def test_a_store_that_was_not_measured_is_an_empty_cell_and_a_line_that_says_why() -> None:
    finding = Finding("a read", "unpinned", "µs/read", {"sqlite": 40.0})

    section = store_section([finding], ["sqlite", "redis"], ["SQLite 3", "no redis: x"])

    assert "| 40     |       |" in section
    assert section.endswith("- SQLite 3\n- no redis: x\n")


def test_the_results_tell_where_and_when_they_were_taken() -> None:
    written = results([], ["processor: a slow one"], date(2026, 3, 2))

    assert "- date: 2026-03-02\n- processor: a slow one\n" in written


@pytest.mark.parametrize(
    ("figure", "text"), [(1234.5, "1,234"), (99.96, "100"), (0.1234, "0.123"), (None, "")]
)
def test_three_digits_are_enough(figure: float | None, text: str) -> None:
    assert number(figure) == text
