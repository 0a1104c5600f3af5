"""A measured figure of each contender, the ratios between them, and the goal set for ours."""

from collections.abc import Mapping
from dataclasses import dataclass

from bench.contenders import EXPRESS, OURS


@dataclass(frozen=True, slots=True)
class Goal:
    """What was to be reached, in words, and whether it was."""

    text: str
    is_met: bool


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the report: `figures` by contender's name, in `unit`."""

    subject: str
    layout: str
    unit: str
    figures: Mapping[str, float]
    goal: Goal | None = None

    def ratio_to(self, peer: str) -> float | None:
        """Return our figure as a multiple of a peer's, where both were measured."""
        ours, theirs = self.figures.get(OURS.name), self.figures.get(peer)
        if ours is None or not theirs:
            return None
        return ours / theirs


def ratio_goal(
    figures: Mapping[str, float], *, at_least: float | None = None, at_most: float | None = None
) -> Goal | None:
    """Judge our figure as a multiple of the Express peer's."""
    ours, theirs = figures.get(OURS.name), figures.get(EXPRESS.name)
    if ours is None or not theirs:
        return None
    if at_least is not None:
        return Goal(f"at least {at_least:g} of express", ours / theirs >= at_least)
    if at_most is not None:
        return Goal(f"at most {at_most:g} of express", ours / theirs <= at_most)
    return None


def figure_goal(figures: Mapping[str, float], *, at_most: float, why: str) -> Goal | None:
    """Judge our figure by itself."""
    ours = figures.get(OURS.name)
    if ours is None:
        return None
    return Goal(f"at most {at_most:g}: {why}", ours <= at_most)
