"""Days in virtual time: against theory where it is exact, and what must hold whatever the scenario."""

from __future__ import annotations

from dataclasses import replace
from math import exp, factorial, isnan

import pytest

from acd.ewt import NAMES
from acd.setup import AgentSetup, Announcements, QueueSetup, ServiceLevel, Setup
from acd.simulation.announced import SAID, AnnouncedDay, held_percent, mean_width
from acd.simulation.chart import course_chart, page
from acd.simulation.day import EPOCH_S, Day
from acd.simulation.definitions import ScenarioFile, scenario_of
from acd.simulation.outcome import Figure, Outcome
from acd.simulation.play import play
from acd.simulation.traffic import Scenario
from definitions.models import load
from definitions.problems import Problems

KEY = ("main", "sales")
PLAIN = Setup(queues={KEY: QueueSetup("main", "sales", wrap_up_s=0.0, service_level=ServiceLevel(80, 20, 0))})


def scenario(text: str, days: int = 4, setup: Setup = PLAIN) -> tuple[Scenario, Setup]:
    file = load(ScenarioFile, text, "monday.yaml")
    assert not isinstance(file, Problems), str(file)
    return scenario_of(file, setup, days, seed=7)


def played(text: str, days: int = 4, setup: Setup = PLAIN) -> Outcome:
    made, floor = scenario(text, days, setup)
    return play(floor, made)


def erlang_c(calls_per_s: float, talk_s: float, agents: int, within_s: float) -> tuple[float, float]:
    """(share who wait, share answered in time) of an M/M/n queue nobody leaves."""
    load_ = calls_per_s * talk_s
    last = load_**agents / factorial(agents) * agents / (agents - load_)
    waits = last / (sum(load_**k / factorial(k) for k in range(agents)) + last)
    return waits, 1.0 - waits * exp(-(agents - load_) * within_s / talk_s)


def test_it_agrees_with_theory_where_nobody_leaves():
    found = played(
        'scenario: c\nfrom: "0:00"\nuntil: "24:00"\nwarm_up_s: 1800\nanswer_s: 0\nagents: [{count: 4}]\n'
        "queues: {sales: {per_hour: 60, talk_s: {mean: 170}}}",
        days=6,
    )
    waits, in_time = erlang_c(60 / 3600, 170, 4, 20)
    assert found.figure("waited", KEY).holds(100 * waits)
    assert found.figure("service_level", KEY).holds(100 * in_time)
    assert found.occupancy.holds(100 * 60 / 3600 * 170 / 4)
    assert found.figure("abandoned", KEY) == Figure(0.0, 0.0)


BUSY = """
scenario: busy
from: "9:00"
until: "13:00"
agents: [{count: 5, skills: {spanish: 8}}, {count: 1, queues: [sales], from: "10:00", until: "12:00"}]
queues:
  sales:
    arrivals: [{until: "10:00", per_hour: 60}, {until: "13:00", per_hour: 130}]
    talk_s: {mean: 150, deviation: 120}
    wrap_up_s: {mean: 15, deviation: 0}
    patience_s: {mean: 60}
    asks: {spanish >= 5: 0.5}
  support: {per_hour: 6, talk_s: {mean: 60}}
"""


def test_every_call_ends_once_and_the_same_seed_gives_the_same_day():
    made, floor = scenario(BUSY, days=1)
    days = [Day(floor, made, 3) for _ in range(2)]
    results = [day.run() for day in days]
    assert results[0] == results[1]
    assert len({(end.queue, end.joined_s) for end in results[0].ends}) == len(results[0].ends) > 200
    assert {end.how for end in results[0].ends} <= {"answered", "abandoned", "short_abandoned", "no_agents", "closed"}
    assert not days[0].router.stays()
    board = days[0].router.board(EPOCH_S + made.until_s + 7200)
    assert all(agent["presence"] == "logged_out" and not agent["assignments"] for agent in board.agents)


def test_a_floor_with_one_more_serves_the_very_same_calls_better():
    made, floor = scenario(BUSY, days=5)
    bigger, _ = scenario(BUSY.replace("count: 5", "count: 6"), days=5)
    _, more = scenario(BUSY.replace("count: 5", "count: 6"))
    before, after = play(floor, made), play(more, bigger, "one more")
    joined = [[sorted(end.joined_s for end in day.ends) for day in each.days] for each in (before, after)]
    assert joined[0] == joined[1]
    better = after.difference(before, "service_level", ("", ""))
    assert better.mean - better.half > 0
    assert better.half < after.figure("service_level", ("", "")).half
    assert before.keys == [KEY, ("main", "support"), ("", "")]


def test_waits_end_in_the_range_that_was_told():
    told = played(
        """
scenario: heavy
from: "9:00"
until: "21:00"
agents: [{count: 5}]
queues: {sales: {per_hour: 130, talk_s: {mean: 150, deviation: 120}, patience_s: {mean: 300}}}
""",
        days=3,
    )
    assert told.figure("as_told", KEY).mean >= 80.0


@pytest.mark.parametrize(
    "floor",
    [
        "agents: [{count: 5}]\n"
        "queues: {sales: {per_hour: 115, talk_s: {mean: 150, deviation: 120}, patience_s: {mean: 600}}}",
        "agents: [{count: 6}, {count: 6, until: '13:00'}]\n"
        "queues: {sales: {per_hour: 190, talk_s: {mean: 180}, patience_s: {mean: 240}}}",
    ],
    ids=["steady", "half of them leave"],
)
def test_four_in_five_callers_are_answered_within_the_minutes_they_were_told(floor: str):
    made, setup = scenario(f"scenario: told\nfrom: '8:00'\nuntil: '18:00'\n{floor}")
    day = AnnouncedDay(setup, made, 3, Announcements(first_s=10.0, every_s=30.0, ewt=True))
    day.run()
    assert len(day.announced) > 500
    for name in (SAID, *NAMES):
        assert held_percent(day.announced, name) >= 80.0, name
    assert mean_width(day.announced, SAID) <= 5.0, "as wide as a barn door is no promise"


def test_it_leaves_out_what_comes_while_the_floor_fills():
    made, floor = scenario(BUSY, days=1)
    late = Day(floor, replace(made, warm_up_s=3600.0), 3).run()
    assert min(end.joined_s for end in late.ends) >= made.from_s + 3600.0


def test_figures_without_days_are_dashes_and_pictures_hold_the_names():
    assert isnan(Figure.of([float("nan")]).mean)
    assert isnan(Figure.of([1.0]).half)
    outcome = played(BUSY, days=2)
    html = page("Monday & co", (("service_level", "service level", " %"), ("wait_s", "mean wait", " s")), [outcome])
    assert "Monday &amp; co" in html
    assert html.count("<svg") == 6
    assert course_chart([], KEY, "offered", "x", "") == ""


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("scenario: x\nqueues: {sales: {talk_s: {mean: 3}}}", "nobody knows how many call"),
        ("scenario: x\nqueues: {sales: {per_hour: 3, talk_s: {mean: x}}}", "is not a number of seconds"),
        ('scenario: x\nfrom: "25:00"\nqueues: {sales: {per_hour: 3, talk_s: {mean: 3}}}', "is not a time of day"),
        ('scenario: x\nfrom: "10:00"\nuntil: "9:00"', "ends before it begins"),
        (
            "scenario: x\nqueues: {sales: {per_hour: 3, talk_s: {mean: 3}, asks: {a: 0.7, b: 0.6}}}",
            "more than all calls",
        ),
    ],
)
def test_a_scenario_that_cannot_be_is_refused_in_words(text: str, told: str):
    problems = load(ScenarioFile, text, "monday.yaml")
    assert isinstance(problems, Problems)
    assert told in str(problems)


def test_a_client_companys_floor_is_played_with_its_own_queues_and_agents() -> None:
    queue = QueueSetup("acme", "sales", wrap_up_s=0.0, service_level=ServiceLevel(80, 20, 0))
    agents = {(tenant, "eva"): AgentSetup(tenant, "eva") for tenant in ("main", "acme")}
    setup = Setup(queues={**PLAIN.queues, ("acme", "sales"): queue}, agents=agents)
    text = 'scenario: a\nfrom: "9:00"\nuntil: "10:00"\nqueues: {sales: {per_hour: 20, talk_s: {mean: 60}}}\n'
    file = load(ScenarioFile, text, "a.yaml")
    assert not isinstance(file, Problems), str(file)
    made, floor = scenario_of(file, setup, 2, 7, "acme")
    assert (set(made.traffic), set(floor.agents)) == ({("acme", "sales")}, {("acme", "eva")})
    assert [key for key in play(floor, made).keys if key[0]] == [("acme", "sales")]
