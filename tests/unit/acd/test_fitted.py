"""What a known world did is fitted, and the world comes back: callers, agents, and how the day goes."""

from __future__ import annotations

import random
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from math import exp
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acd.setup import AgentSetup, QueueSetup, ServiceLevel, Setup
from acd.simulation.crews import spells, whole
from acd.simulation.days_seen import DaysSeen
from acd.simulation.definitions import ScenarioFile, scenario_of
from acd.simulation.fitted import Fitted, fit, length
from acd.simulation.observed import Observed
from acd.simulation.patience import is_odd, patience_of
from acd.simulation.play import play
from core.decisions import InteractionOpened, Moved, StayEnded, WorkEnded
from core.queue_facts import QueueJoined, StayTurned
from core.table import Transition
from definitions.models import load
from tests.played_days import played

MONDAY = date(2026, 1, 5)
KEY = ("main", "sales")
SETUP = Setup(
    agents={
        ("main", f"a{n}"): AgentSetup(
            "main", f"a{n}", skills={"spanish": 8 if n < 6 else 2}, queues=frozenset({"sales", "support"})
        )
        for n in range(8)
    },
    queues={
        ("main", name): QueueSetup("main", name, wrap_up_s=60.0, service_level=ServiceLevel(80, 20, 5))
        for name in ("sales", "support")
    },
)
WORLD = """
scenario: known
from: "9:00"
until: "13:00"
answer_s: 4
queues:
  sales:
    arrivals: [{until: "10:00", per_hour: 60}, {until: "13:00", per_hour: 120}]
    talk_s: {mean: 180, deviation: 120}
    wrap_up_s: {mean: 20, deviation: 0}
    patience_s: {mean: 90}
    asks: {spanish >= 5: 0.3}
  support: {per_hour: 40, talk_s: {mean: 100}, wrap_up_s: {mean: 10}, patience_s: {mean: 300}}
"""


def midnight(day: date) -> float:
    return datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()


def fitted(text: str, days: list[date], setup: Setup = SETUP, step_s: float = 1800.0, **which: object) -> Fitted:
    seen = Observed(midnight(days[0]), midnight(days[-1]) + 86_400.0)
    for each in played(text, setup, days):
        seen.take(each.at_s, each.event, each.decisions)
    assert not seen.is_open
    seen.close(seen.until_s)
    return fit("again", seen, DaysSeen(seen.from_s, seen.until_s, ZoneInfo("UTC"), step_s), setup, **which)


@pytest.fixture(scope="module")
def known() -> Fitted:
    """Ten days of the known world."""
    return fitted(WORLD, [MONDAY + timedelta(days=n) for n in range(10)])


def test_what_callers_do_comes_back(known: Fitted) -> None:
    """Within four standard errors of what the world was made of: 4,200 calls to sales, 1,600 to support."""
    sales, support = (known.scenario["queues"][name] for name in ("sales", "support"))
    rates = [step["per_hour"] for step in sales["arrivals"]]
    assert rates[:2] == pytest.approx([60, 60], abs=4 * (60 / 5) ** 0.5)
    assert rates[2:] == pytest.approx([120] * 6, abs=4 * (120 / 5) ** 0.5)
    assert sum(rates) / 8 == pytest.approx(105, abs=4 * (105 / 40) ** 0.5)
    assert sales["talk_s"]["mean"] == pytest.approx(180, rel=0.05)
    assert sales["talk_s"]["deviation"] == pytest.approx(120, rel=0.2)
    assert sales["wrap_up_s"] == {"mean": 20.0, "deviation": 0.0}
    assert sales["patience_s"]["mean"] == pytest.approx(90, rel=0.15)
    assert sales["asks"] == {"spanish >= 5": pytest.approx(0.3, abs=0.03)}
    assert support["talk_s"] == {"mean": pytest.approx(100, rel=0.12)}  # and exponential, as it was
    assert support["patience_s"]["mean"] == pytest.approx(300, rel=0.35)
    assert known.scenario["answer_s"] == pytest.approx(4.0)
    assert (known.refused, known.notes, len(known.days)) == ({}, (), 10)


def test_the_range_given_for_patience_holds_what_it_was(known: Fitted) -> None:
    for queue, mean_s in zip(known.queues, (90.0, 300.0), strict=True):
        assert queue.patience is not None
        assert queue.patience.low_s <= mean_s <= queue.patience.high_s
        assert not is_odd(queue.patience)


def test_agents_come_back_as_crews_without_names(known: Fitted) -> None:
    """Who is ready until the day ends works on for some minutes: that is no half hour."""
    both = ["sales", "support"]
    assert known.scenario["agents"] == [
        {"count": 2, "queues": both, "skills": {"spanish": 2}},
        {"count": 6, "queues": both, "skills": {"spanish": 8}},
    ]
    assert (known.scenario["from"], known.scenario["until"]) == ("9:00", "13:00")


def test_the_fitted_day_goes_as_the_days_it_comes_from(known: Fitted) -> None:
    import yaml

    file = load(ScenarioFile, yaml.safe_dump(known.scenario), "again.yaml")
    assert isinstance(file, ScenarioFile), str(file)
    scenario, floor = scenario_of(file, SETUP, 10, seed=100)
    outcome = play(floor, scenario)
    for queue in known.queues:
        key = ("main", queue.queue)
        assert outcome.figure("offered", key).mean == pytest.approx(queue.stays / 10, rel=0.1)
        assert outcome.figure("service_level", key).mean == pytest.approx(queue.service_level, abs=6)
        assert outcome.figure("abandoned", key).mean == pytest.approx(queue.abandoned, abs=4)


def test_what_is_too_little_is_refused_in_words() -> None:
    few = fitted(
        "scenario: x\nfrom: '9:00'\nuntil: '10:00'\nqueues: {sales: {per_hour: 20, talk_s: {mean: 60}}}", [MONDAY]
    )
    assert few.queues == ()
    assert "calls are too few to learn from, it takes 50" in few.refused["sales"]
    patient = fitted(
        "scenario: x\nfrom: '9:00'\nuntil: '10:00'\nqueues: {sales: {per_hour: 200, talk_s: {mean: 20}}}", [MONDAY]
    )
    (sales,) = patient.queues
    assert "patience_s" not in sales.calls
    assert "0 callers gave up, too few to learn from (it takes 10)" in sales.notes[0]
    assert patient.notes[0].startswith("1 day says little")
    gone = fitted(WORLD, [MONDAY], Setup(agents=SETUP.agents, queues={}))
    assert gone.queues == ()
    assert "not configured any more" in gone.refused["sales"]


def test_one_queue_alone_says_that_agents_had_others(known: Fitted) -> None:
    days = [MONDAY + timedelta(days=n) for n in range(2)]
    found = fitted(WORLD, days, only=["sales"])
    assert [queue.queue for queue in found.queues] == ["sales"]
    assert any("of their work on queues that are left out" in note for note in found.notes)


# -- what is seen of one caller ------------------------------------------------------------------------
def took(*happened: tuple[float, object, list[object]]) -> Observed:
    seen = Observed(0.0, 1000.0)
    for at_s, event, decisions in happened:
        seen.take(at_s, event, decisions)  # type: ignore[arg-type]
    return seen


def test_who_is_called_back_was_patient_until_she_hung_up() -> None:
    seen = took(
        (10.0, QueueJoined("i", "s", "main", "sales"), []),
        (40.0, StayTurned("i", "s", "held"), []),
        (50.0, StayTurned("i", "s", "virtual"), []),
        (700.0, None, [StayEnded("i", "s", "main", "sales", "answered", 690.0, "eva", virtual=True)]),
    )
    (stay,) = seen.stays
    assert (stay.patient_s, stay.how) == (30.0, "answered")
    assert seen.is_open
    seen.take(1200.0, None, [WorkEnded("i", "main", "eva", "sales", "customer_hung_up", 2.0, 60.0, 5.0, 0.0, 30.0)])
    assert (seen.talks[0].talk_s, seen.is_open, seen.unreadable) == (65.0, False, 1)


def test_campaigns_chats_and_transfers_are_left_out_and_counted() -> None:
    opened = InteractionOpened("o", "main", "voice", "outbound", "", "", "f", "1", "es", "")
    seen = took(
        (1.0, None, [opened]),
        (2.0, QueueJoined("o", "o.s", "main", "sales"), []),
        (3.0, QueueJoined("c", "c.s", "main", "sales", channel="chat"), []),
        (4.0, QueueJoined("t", "t.s", "main", "sales", agent_id="eva"), []),
        (5.0, QueueJoined("x", "x.s", "acme", "sales"), []),
        (9.0, None, [WorkEnded("t", "main", "eva", "sales", "customer_hung_up", talk_s=5.0)]),
        (9.0, None, [WorkEnded("u", "main", "eva", "sales", "rona", ring_s=20.0)]),
        (2000.0, QueueJoined("late", "late.s", "main", "sales"), []),
    )
    assert (seen.dialed, seen.others, seen.apart, seen.failed) == (1, 1, 1, 1)
    assert (seen.stays, seen.is_open) == ([], False)


# -- the parts -----------------------------------------------------------------------------------------
def test_patience_is_not_what_those_waited_who_gave_up() -> None:
    """Only the impatient are seen giving up: their mean wait is a fifth of what it should say."""
    dice = random.Random(3)
    lives = [(dice.expovariate(1 / 120), dice.expovariate(1 / 30)) for _ in range(6000)]
    gave_up = [patient for patient, served in lives if patient < served]
    found = patience_of(gave_up, [served for patient, served in lives if served <= patient])
    assert found is not None
    assert sum(gave_up) / len(gave_up) < 30
    assert found.low_s < 120 < found.high_s
    assert found.mean_s == pytest.approx(120, rel=0.1)
    assert found.left == pytest.approx(1 - exp(-found.at_s / 120), abs=0.02)


def test_patience_of_another_form_is_said_to_be_odd() -> None:
    dice = random.Random(4)
    found = patience_of([dice.gauss(60, 5) for _ in range(200)], [300.0 * dice.random() for _ in range(10)])
    assert found is not None
    assert is_odd(found)
    assert patience_of([], [10.0]) is None
    assert patience_of([0.0], []) is None


def test_lengths_keep_their_mean_and_choose_the_nearer_form() -> None:
    dice = random.Random(5)
    assert "deviation" not in length([dice.expovariate(1 / 100) for _ in range(2000)])
    spread = length([dice.lognormvariate(5.0, 0.4) for _ in range(2000)])
    assert spread["deviation"] == pytest.approx(spread["mean"] * (exp(0.16) - 1) ** 0.5, rel=0.1)
    assert length([30.0] * 40) == {"mean": 30.0, "deviation": 0.0}
    assert length([0.0] * 40) == {"mean": 0.0, "deviation": 0.0}


@given(st.lists(st.integers(0, 6), min_size=1, max_size=30))
def test_spells_come_to_the_counts_they_were_made_of(counts: list[int]) -> None:
    there = Counter(
        step for (begins, ends), many in spells(counts).items() for step in range(begins, ends) for _ in range(many)
    )
    assert [there[step] for step in range(len(counts))] == counts


@given(st.dictionaries(st.text(max_size=3), st.floats(0, 40), max_size=8))
def test_whole_people_come_to_the_rounded_sum(staff: dict[str, float]) -> None:
    found = whole(staff)
    assert sum(found.values()) == round(sum(staff.values()))
    assert all(abs(found[group] - mean) < 1.0 for group, mean in staff.items())


@given(st.floats(0, 40 * 86_400.0), st.floats(1.0, 20 * 86_400.0), st.sampled_from((900.0, 1800.0, 3600.0)))
def test_every_moment_watched_lies_in_one_step(from_s: float, watched_s: float, step_s: float) -> None:
    """Over the change to summer time, too."""
    begins = datetime(2026, 3, 1, tzinfo=UTC).timestamp() + from_s
    days = DaysSeen(begins, begins + watched_s, ZoneInfo("Europe/Madrid"), step_s)
    touched = list(days.within(begins, begins + watched_s))
    assert sum(seconds for _, seconds in touched) == pytest.approx(watched_s)
    assert sum(days.watched_s({cell.day for cell, _ in touched})) == pytest.approx(watched_s)
    found = days.cell(begins + watched_s / 2)
    assert found is not None
    assert found.from_s <= begins + watched_s / 2 < found.until_s
    assert days.cell(begins - 1.0) is None
    assert days.cell(begins + watched_s + 1.0) is None


def test_only_the_weekdays_asked_for() -> None:
    from_s = midnight(MONDAY)
    days = DaysSeen(from_s, from_s + 14 * 86_400.0, ZoneInfo("UTC"), 3600.0, weekdays=(0,))
    assert {cell.day for cell, _ in days.within(from_s, from_s + 14 * 86_400.0)} == {
        MONDAY,
        MONDAY + timedelta(days=7),
    }
    assert days.cell(from_s + 86_400.0) is None


def test_another_tenants_floor_is_its_own() -> None:
    seen = Observed(0.0, 1000.0, tenant="acme")
    for tenant in ("main", "acme"):
        stay, moved = f"s-{tenant}", Transition("agent", f"{tenant}/eva", "not_ready", "ready", "ready")
        seen.take(5.0, None, [Moved(moved)])
        seen.take(10.0, QueueJoined(f"i-{tenant}", stay, tenant, "sales"), [])
        seen.take(30.0, None, [StayEnded(f"i-{tenant}", stay, tenant, "sales", "abandoned", 20.0)])
    seen.close(1000.0)
    assert ([stay.queue for stay in seen.stays], seen.ready) == (["sales"], {"eva": [(5.0, 1000.0)]})
