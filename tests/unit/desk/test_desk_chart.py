"""Charts of a campaign: what is remembered of it, and where its curves run."""

from __future__ import annotations

import re

import pytest

from desk.live.trail import KEPT_S, STEP_S, Sample, Trails, tightest
from desk.pages import chart
from desk.pages.campaigns import mood

KEY = ("main", "renewals")


def _view(ringing=0, connected=0, ratio=0.0, most=0.03):
    return {
        "lines": {"dialing": 1, "ringing": ringing, "connected": connected, "waiting": 1},
        "agents": {"ready": 2},
        "abandonment": [{"rule": "es/a", "ratio": ratio, "most": most}],
    }


def test_one_sample_is_kept_for_every_step_and_the_last_value_counts():
    trails = Trails()
    for tenth in range(600):
        trails.add(KEY, _view(ringing=tenth), 1000 + tenth / 10)
    kept = trails.of(KEY, 1060)
    assert len(kept) <= 60 / STEP_S + 2
    assert kept[-1].calling == 600
    assert kept == sorted(kept, key=lambda each: each.at_s)


def test_what_is_old_is_forgotten_and_so_is_a_campaign_that_is_gone():
    trails = Trails()
    for minute in range(120):
        trails.add(KEY, _view(), 60.0 * minute)
    assert len(trails.of(KEY, 60.0 * 119)) == KEPT_S / 60 + 1
    trails.forget(KEY)
    assert trails.of(KEY, 0) == []


def test_the_rule_nearest_to_its_cap_is_the_one_that_is_drawn():
    rules = [{"rule": "us/a", "ratio": 0.02, "most": 0.03}, {"rule": "es/a", "ratio": 0.009, "most": 0.01}]
    assert tightest({"abandonment": rules})["rule"] == "es/a"
    assert tightest({"abandonment": [{"rule": "zero", "ratio": 0.001, "most": 0.0}, *rules]})["rule"] == "zero"
    assert tightest({}) == {}


@pytest.mark.parametrize(("ratio", "most", "word"), [(0, 0.03, "good"), (0.029, 0.03, "fair"), (0.031, 0.03, "poor")])
def test_how_near_a_rule_is_to_its_cap(ratio, most, word):
    assert mood({"ratio": ratio, "most": most}) == word
    assert mood({"ratio": 0, "most": 0}) == "good"
    assert mood({"ratio": 0.1, "most": 0, "abandoned": 1}) == "poor"


def _samples(*values):
    return [Sample(100.0 * n, value, 0, 0, value / 1000, 0.03) for n, value in enumerate(values)]


def test_curves_go_in_steps_from_left_to_now_and_stay_inside():
    drawn = chart.draw(_samples(0, 7, 3), 200, 200, [("calling", lambda s: s.calling)])
    (curve,) = drawn.curves
    assert (drawn.top, curve.last) == (8.0, 3)
    assert curve.path == "M0 150H320V18.8H640V93.8H640"
    assert curve.area.endswith("V150H0Z")
    numbers = [float(each) for each in re.findall(r"[0-9.]+", curve.path)]
    assert min(numbers) >= 0
    assert max(numbers) <= chart.WIDTH


def test_a_share_is_drawn_under_its_cap_and_over_it():
    inside = chart.draw_share(_samples(10, 20), 200, 200, lambda s: s.ratio, lambda s: s.most)
    assert inside.cap.startswith("M0 30")
    above = chart.draw_share(_samples(10, 60), 200, 200, lambda s: s.ratio, lambda s: s.most)
    assert above.top == pytest.approx(0.075)
    assert chart.draw_share([], 200, 200, lambda s: s.ratio, lambda s: s.most).cap == ""


def test_many_samples_are_thinned_and_the_last_one_stays():
    drawn = chart.draw(_samples(*range(1000)), 100_000, 100_000, [("calling", lambda s: s.calling)])
    assert drawn.curves[0].path.count("H") < 300
    assert drawn.curves[0].last == 999
