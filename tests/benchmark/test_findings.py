"""Ratios, goals, and how they are told."""

from datetime import date

import pytest

from bench.findings import Finding, figure_goal, ratio_goal
from bench.report import number, results, table

FIGURES = {"webex-oauth": 2500.0, "express": 1000.0, "flask": 400.0}


def finding() -> Finding:
    goal = ratio_goal(FIGURES, at_least=2.5)
    return Finding("/listrooms", "pinned", "requests/s", FIGURES, goal)


def test_a_ratio_is_ours_over_theirs() -> None:
    assert finding().ratio_to("express") == 2.5


def test_there_is_no_ratio_to_a_peer_that_was_not_measured() -> None:
    assert Finding("x", "pinned", "ms", {"webex-oauth": 1.0}).ratio_to("express") is None


@pytest.mark.parametrize(("limit", "is_met"), [(2.5, True), (2.6, False)])
def test_a_floor_is_met_from_the_limit_on(limit: float, *, is_met: bool) -> None:
    goal = ratio_goal(FIGURES, at_least=limit)

    assert goal is not None
    assert goal.is_met is is_met


@pytest.mark.parametrize(("limit", "is_met"), [(2.5, True), (2.4, False)])
def test_a_ceiling_is_met_up_to_the_limit(limit: float, *, is_met: bool) -> None:
    goal = ratio_goal(FIGURES, at_most=limit)

    assert goal is not None
    assert goal.is_met is is_met


def test_a_missed_goal_is_shouted() -> None:
    goal = figure_goal(FIGURES, at_most=75, why="about one upstream answer")

    assert "MISSED" in table([Finding("x", "pinned", "ms", FIGURES, goal)])


def test_the_table_lines_up() -> None:
    lines = table([finding(), Finding("a much longer measure", "pinned", "ms", FIGURES)]).split(
        "\n"
    )

    assert len({len(line) for line in lines}) == 1


def test_the_results_tell_where_and_when_they_were_taken() -> None:
    written = results([finding()], ["processor: a slow one"], date(2026, 3, 2))

    assert "- date: 2026-03-02\n- processor: a slow one\n" in written


@pytest.mark.parametrize(("figure", "text"), [(1234.5, "1,234"), (99.96, "100"), (0.1234, "0.123")])
def test_three_digits_are_enough(figure: float, text: str) -> None:
    assert number(figure) == text
