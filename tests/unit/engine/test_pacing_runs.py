"""Pacing decisions as people read them: the same reason again and again is told once, what came between is not lost."""

from __future__ import annotations

from core.decisions import PacingDecided
from engine.pacing_runs import RUNS, PacingRuns

KEY = ("main", "c1")
EACH = "one line for each ready agent"


def decided(runs: PacingRuns, at_s: float, count: int, why: str, campaign: str = "c1") -> None:
    runs.add(PacingDecided("main", campaign, count, why, ready=count, lines=7), at_s)


def test_the_same_reason_is_one_run_with_its_times() -> None:
    runs = PacingRuns()
    assert runs.of(KEY) == []
    for at_s in (10.0, 11.0, 12.0):
        decided(runs, at_s, 2, EACH)
    decided(runs, 13.0, 0, "no agent is ready")
    decided(runs, 14.0, 1, EACH)
    decided(runs, 15.0, 1, EACH, "another")
    assert [(run["since_s"], run["at_s"], run["times"], run["count"], run["why"]) for run in runs.of(KEY)] == [
        (14.0, 14.0, 1, 1, EACH),
        (13.0, 13.0, 1, 0, "no agent is ready"),
        (10.0, 12.0, 3, 6, EACH),
    ]
    assert runs.of(KEY)[2]["ready"] == 2


def test_a_reason_with_other_figures_is_the_same_and_the_last_is_told() -> None:
    runs = PacingRuns()
    decided(runs, 1.0, 3, "1.4 lines for each of 3 ready agents, 0 in flight")
    decided(runs, 2.0, 2, "1.52 lines for each of 12 ready agents, 3 in flight")
    decided(runs, 3.0, 0, "1.52 lines for each of 12 ready agents, 18 in flight")
    assert [(run["count"], run["why"]) for run in runs.of(KEY)] == [
        (0, "1.52 lines for each of 12 ready agents, 18 in flight"),
        (5, "1.52 lines for each of 12 ready agents, 3 in flight"),
    ]


def test_only_the_last_runs_are_kept_and_nobody_changes_them_from_outside() -> None:
    runs = PacingRuns()
    for number in range(2 * RUNS):
        decided(runs, float(number), number % 2, EACH)
    seen = runs.of(KEY)
    assert (len(seen), seen[0]["at_s"]) == (RUNS, 2.0 * RUNS - 1)
    seen[0]["times"] = 99
    assert runs.of(KEY)[0]["times"] == 1
