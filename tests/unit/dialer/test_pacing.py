"""Pacing methods one decision at a time: what they dial, when they stop, what they say."""

from __future__ import annotations

import msgspec
import pytest

from dialer.pacing import (
    METHODS,
    Abandoned,
    BusyAgent,
    CannotRestore,
    Ended,
    Pacer,
    PacingSettings,
    Pool,
    Served,
    WrapUpEnded,
)
from dialer.simulation.day import Day
from dialer.simulation.world import World, always

PLENTY = 10**9
OVERDIALING = ("ratio", "adaptive_ratio", "predictive")


def made(method: str, **settings: float) -> Pacer:
    return METHODS[method](PacingSettings(method=method, **settings))


def pool(ready: int, ringing: int = 0, **more: object) -> Pool:
    usual: dict[str, object] = {"live": 1000, "abandoned": 20, "spare": 10, "most": 0.03, "window_left_s": 14_400.0}
    return Pool(ready=ready, ringing_s=(5.0,) * ringing, **(usual | more))  # type: ignore[arg-type]


def taught(pacer: Pacer, answer_rate: float, attempts: int = 600) -> Pacer:
    """After so many attempts, people answering in 12 s and the others ringing out in 25 s."""
    owed = 0.0
    for n in range(attempts):
        owed += answer_rate
        if owed >= 1.0:
            owed -= 1.0
            pacer.record(Ended("person", 8.0 + n % 9), float(n))
            pacer.record(Served(0.1), float(n))
            pacer.record(WrapUpEnded(20.0), float(n))
        else:
            pacer.record(Ended("none", 25.0), float(n))
    return pacer


@pytest.mark.parametrize("method", METHODS)
def test_nobody_is_dialed_for_a_team_that_is_not_there(method: str):
    assert made(method).dials_due(pool(ready=0), 0.0).count == 0


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("strict", [{"most": 0.0, "spare": PLENTY}, {"spare": 0}])
def test_when_nobody_may_be_abandoned_there_is_one_line_for_each_ready_agent(method: str, strict: dict[str, float]):
    pacer = taught(made(method, ratio=5.0), 0.1)
    assert pacer.dials_due(pool(ready=4, **strict), 700.0).count == 4
    assert pacer.dials_due(pool(ready=4, ringing=3, **strict), 700.0).count == 1
    assert pacer.dials_due(pool(ready=4, ringing=3, screening=1, **strict), 700.0).count == 0
    assert pacer.dials_due(pool(ready=4, ringing=3, waiting=1, **strict), 700.0).count == 0


@pytest.mark.parametrize("method", OVERDIALING)
def test_with_a_budget_more_lines_ring_than_agents_are_ready(method: str):
    pacer = taught(made(method, ratio=2.0), 0.2)
    assert pacer.dials_due(pool(ready=4), 700.0).count > 4


@pytest.mark.parametrize("method", METHODS)
def test_dialing_stops_at_once_when_agents_leave_and_goes_on_when_the_lines_fit_again(method: str):
    pacer = taught(made(method, ratio=2.0), 0.25)
    lines = pacer.dials_due(pool(ready=10), 700.0).count
    assert lines >= 10
    assert pacer.dials_due(pool(ready=1, ringing=lines), 700.5).count == 0
    assert pacer.dials_due(pool(ready=0, ringing=lines), 701.0).count == 0
    assert pacer.dials_due(pool(ready=10, ringing=2), 720.0).count > 0


@pytest.mark.parametrize("method", METHODS)
def test_lines_for_each_agent_have_a_ceiling(method: str):
    pacer = taught(made(method, ratio=20.0, most_lines_per_agent=1.5), 0.03)
    assert pacer.dials_due(pool(ready=10, spare=PLENTY), 700.0).count <= 15


@pytest.mark.parametrize(("ready", "spare"), [(3, 1), (3, 2), (10, 1), (25, 4)])
def test_a_fixed_ratio_rings_no_more_than_the_cap_bears_where_everybody_answers(ready: int, spare: int):
    pacer = made("ratio", ratio=2.0)
    for n in range(36):
        pacer.record(Ended("person", 1.5), float(n))
    due = pacer.dials_due(pool(ready=ready, live=36, abandoned=0, spare=spare), 100.0)
    assert due.count == min(2 * ready, ready + spare)
    assert "break the cap" in due.why
    assert pacer.dials_due(pool(ready=ready, ringing=ready, live=36, spare=spare), 100.0).count <= spare


@pytest.mark.parametrize(("method", "peak"), [("ratio", 0.03), ("adaptive_ratio", 0.03), ("predictive", 0.05)])
@pytest.mark.parametrize("answer_rate", [0.8, 0.95])
def test_a_big_team_whose_people_nearly_all_answer_keeps_the_cap_from_the_first_minutes_on(
    method: str, peak: float, answer_rate: float
):
    world = World("eager", "nearly everybody answers", answer_rate=always(answer_rate), machine_share=0.02)
    seen = Day(world, 100, 1, made(method), hours=0.5).run()
    assert seen.share <= 0.03
    assert seen.peak <= peak
    assert seen.occupancy > 0.85


def test_a_fixed_ratio_is_kept_where_few_people_answer():
    pacer = taught(made("ratio", ratio=2.0), 0.15)
    assert pacer.dials_due(pool(ready=10, spare=10), 700.0).count == 20


def test_preview_shows_a_lead_to_each_agent_who_has_none():
    assert made("preview").dials_due(pool(ready=3, ringing=1), 0.0).count == 2


def test_a_list_that_answers_less_is_dialed_faster():
    rich, poor = taught(made("predictive"), 0.4), taught(made("predictive"), 0.08)
    assert poor.dials_due(pool(ready=3), 700.0).count > rich.dials_due(pool(ready=3), 700.0).count


def test_a_line_that_has_rung_for_long_promises_little_and_another_is_dialed():
    pacer = taught(made("predictive"), 0.25)
    young = pacer.dials_due(Pool(3, ringing_s=(2.0,) * 6, live=1000, spare=10, most=0.03, window_left_s=3600.0), 700.0)
    old = pacer.dials_due(Pool(3, ringing_s=(23.0,) * 6, live=1000, spare=10, most=0.03, window_left_s=3600.0), 700.0)
    assert old.count > young.count


def test_agents_about_to_end_their_wrap_up_let_another_line_ring():
    pacer = taught(made("predictive"), 0.25)
    talking = pool(ready=2, busy=(BusyAgent("talk", 60.0),) * 6)
    writing = pool(ready=2, busy=(BusyAgent("wrap_up", 18.0),) * 6)
    assert pacer.dials_due(writing, 700.0).count > pacer.dials_due(talking, 700.0).count


def test_people_who_wait_have_the_first_claim_on_ready_agents():
    pacer = taught(made("predictive"), 0.25)
    assert pacer.dials_due(pool(ready=3, waiting=3), 700.0).count == 0


@pytest.mark.parametrize("method", ["adaptive_ratio", "predictive"])
def test_abandoned_answers_make_it_careful_and_served_ones_bold_again(method: str):
    pacer = taught(made(method), 0.25)
    before = pacer.dials_due(pool(ready=6), 700.0).count
    for _ in range(12):
        pacer.record(Abandoned(), 700.0)
    after = pacer.dials_due(pool(ready=6), 700.0).count
    for _ in range(2000):
        pacer.record(Served(0.0), 701.0)
    assert after < before <= pacer.dials_due(pool(ready=6), 701.0).count


def test_a_sudden_change_of_the_answer_rate_is_noticed_within_a_hundred_attempts():
    pacer = taught(made("predictive"), 0.40)
    before = pacer.dials_due(pool(ready=5), 700.0).count
    for n in range(100):
        pacer.record(Ended("person" if n % 20 == 0 else "none", 12.0 if n % 20 == 0 else 25.0), 700.0 + n)
    assert pacer.dials_due(pool(ready=5), 800.0).count >= 2 * before


def test_a_bank_below_its_reserve_cuts_the_lines():
    pacer = taught(made("predictive"), 0.25)
    assert (
        pacer.dials_due(pool(ready=8, live=1000, abandoned=29, spare=1), 700.0).count
        < pacer.dials_due(pool(ready=8, live=1000, abandoned=10, spare=20), 700.0).count
    )


@pytest.mark.parametrize("method", METHODS)
def test_a_team_that_works_more_than_its_ceiling_is_given_rest(method: str):
    pacer = made(method, occupancy_ceiling=0.8)
    busy = pool(ready=1, busy=(BusyAgent("talk", 60.0),) * 9)
    free = pool(ready=10)
    for second in range(3600):
        pacer.dials_due(busy, float(second))
    due = pacer.dials_due(free, 3600.0)
    assert due.count == 0
    assert "ceiling" in due.why
    for second in range(3601, 4200):
        pacer.dials_due(free, float(second))
    assert pacer.dials_due(free, 4200.0).count > 0


@pytest.mark.parametrize("method", METHODS)
def test_every_decision_says_why(method: str):
    assert made(method).dials_due(pool(ready=3), 0.0).why


def test_a_cap_that_is_used_up_is_told_in_numbers():
    assert "30 of 1000" in made("predictive").dials_due(pool(ready=3, abandoned=30, spare=0), 0.0).why


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("body", [b"", b"\xc1", b"\x01", b"\x94\xa4else\x01\xc0\xc0"])
def test_what_another_method_or_version_saved_is_refused_and_changes_nothing(method: str, body: bytes):
    pacer = taught(made(method), 0.25)
    before = pacer.save()
    with pytest.raises(CannotRestore):
        pacer.restore(body)
    assert pacer.save() == before


@pytest.mark.parametrize("kept", [None, [], [1, 2, 3, 4, 5], [[0.2], [1.0], [], [], []]])
def test_what_was_cut_short_is_refused_and_changes_nothing(kept: object):
    pacer = taught(made("predictive"), 0.25)
    before = pacer.save()
    with pytest.raises(CannotRestore, match="not whole"):
        pacer.restore(msgspec.msgpack.encode(["predictive", 2, [0.0, -1.0], kept]))
    assert pacer.save() == before


@pytest.mark.parametrize(
    "wrong",
    [
        {"ratio": 0.5},
        {"target_share": 1.5},
        {"most_lines_per_agent": 0.0},
        {"occupancy_ceiling": 0.0},
        {"agent_within_s": -1.0},
    ],
)
def test_settings_without_sense_are_refused_by_name(wrong: dict[str, float]):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        PacingSettings(**wrong)
