"""A campaign's day before it happens: what its attempts say, and what days come to."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import count
from zoneinfo import ZoneInfo

import pytest

from core.attempt import AttemptState
from core.lead_record import AttemptRecord
from dialer.pacing import PacingSettings
from dialer.simulation.history import ENOUGH, Observed
from dialer.simulation.page import page
from dialer.simulation.play import Way, gathered, play_day
from dialer.simulation.world import World, always

UTC = ZoneInfo("UTC")
_NUMBERS = count()


def attempt(state: str, at_s: float, ring_s: float = 10.0, talk_s: float = 0.0, verdict: str = "") -> AttemptRecord:
    answered_s = at_s + ring_s if talk_s or state == "abandoned" else None
    connected_s = answered_s + 1.0 if answered_s is not None and talk_s else None
    ended_s = connected_s + talk_s if connected_s is not None else at_s + ring_s
    return AttemptRecord(
        f"a{next(_NUMBERS)}", "i", "main", "c", "l", "lead", "+34911000001", "", "predictive", state, at_s,
        answered_s=answered_s, connected_s=connected_s, ended_s=ended_s, verdict=verdict,
    )  # fmt: skip


def week(people_at_nine: int = 60, people_at_ten: int = 20) -> Observed:
    """Two hours of 200 attempts each."""
    seen = Observed(UTC)
    for hour, people in ((9, people_at_nine), (10, people_at_ten)):
        for n in range(200):
            at_s = hour * 3600.0 + n
            if n < people:
                seen.add(attempt("completed", at_s, 8.0 + n % 5, 60.0 + n % 3, "human"))
            else:
                seen.add(attempt(("machine", "busy", "no_answer")[n % 3], at_s, 24.0))
    return seen


def test_people_answer_by_the_hour_as_they_did():
    world = week().world(from_s=9 * 3600.0, wrap_s=15.0)
    assert world.answer_rate(0.0) == pytest.approx(0.29, abs=0.01)
    assert world.answer_rate(3600.0) == pytest.approx(0.11, abs=0.01)
    assert world.answer_rate(5 * 3600.0) == pytest.approx(0.2), "of an hour nobody knows: that of all"
    assert set(world.answer_s) == {8.0, 9.0, 10.0, 11.0, 12.0}
    assert world.talk_s(0.0) == pytest.approx(61.0, abs=0.1)
    assert world.wrap_s(0.0) == 15.0
    assert world.detector_s == 1.0
    assert world.machine_share + world.busy_share == pytest.approx(2 / 3, abs=0.02)
    assert "400 attempts" in world.says


def test_what_was_never_dialed_says_nothing_and_every_state_can_be_read():
    seen = Observed(UTC)
    for state in AttemptState:
        seen.add(attempt(state.value, 1000.0))
    assert seen.attempts == len(AttemptState) - 8, "eight were not answered yet, or never dialed"
    assert "staged" not in seen.rings


def test_a_few_attempts_are_too_few_and_what_is_said_counts():
    seen = Observed(UTC)
    for n in range(ENOUGH - 1):
        seen.add(attempt("no_answer", float(n)))
    world = seen.world(from_s=0.0, wrap_s=10.0, answer_rate=0.4, talk_s=33.0)
    assert "too few" in world.says
    assert (world.answer_rate(0.0), world.talk_s(0.0), world.ring_out_s) == (0.4, 33.0, World("", "").ring_out_s)
    assert math.isnan(Observed(UTC).talk_s)


def way(world: World, method: str = "predictive", agents: int = 4, hours: float = 2.0) -> Way:
    return Way(world, PacingSettings(method=method), agents, hours, 0.03)


def test_the_attempts_themselves_are_replayed_and_the_list_ends_with_them():
    world = week(60, 60).world(from_s=9 * 3600.0, wrap_s=5.0, replay=True)
    for method in ("progressive", "predictive"):
        day = play_day(way(world, method, hours=8.0), seed=1)
        assert day.dials == 400
        assert day.live == 120, "whoever answered answers, under any method"
        assert len(day.waits) + day.abandoned == 120
        assert day.last_dial_s is not None
    assert play_day(way(World("w", "")), 1).last_dial_s is None


def test_days_are_gathered_with_the_worst_and_come_again_alike():
    days = [play_day(way(World("w", "", answer_rate=always(0.3))), seed) for seed in range(3)]
    again = [play_day(way(World("w", "", answer_rate=always(0.3))), seed) for seed in range(3)]
    row = gathered(way(World("w", "")), days)
    assert row == gathered(way(World("w", "")), again)
    assert row.days == 3
    assert row.conversations.least <= row.conversations.mean <= row.conversations.most
    assert row.list_s is None
    text = page("A <b>", "says", [row], week(), 0.03)
    assert "A &lt;b&gt;" in text
    assert "4 agents, predictive" in text
    assert "30%" in text, "who answered at nine"


@pytest.mark.parametrize("method", ["progressive", "ratio", "adaptive_ratio", "predictive"])
def test_a_campaign_whose_packs_allow_every_answer_to_be_abandoned_is_played_too(method):
    day = play_day(replace(way(World("w", "", answer_rate=always(0.3)), method), most=1.0), seed=1)
    assert len(day.waits) > 0
