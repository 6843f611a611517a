"""Whatever a campaign goes through, a pacing method keeps what always holds."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dialer.pacing import (
    METHODS,
    Abandoned,
    BusyAgent,
    Ended,
    Outcome,
    Pacer,
    PacingSettings,
    Pool,
    Served,
    TalkEnded,
    WrapUpEnded,
)

seconds = st.floats(0.0, 400.0)
agents = st.builds(BusyAgent, st.sampled_from(["reserved", "talk", "hold", "wrap_up"]), seconds)
pools = st.builds(
    Pool,
    ready=st.integers(0, 40),
    busy=st.lists(agents, max_size=20).map(tuple),
    ringing_s=st.lists(seconds, max_size=60).map(tuple),
    screening=st.integers(0, 10),
    waiting=st.integers(0, 10),
    live=st.integers(0, 5000),
    abandoned=st.integers(0, 150),
    spare=st.one_of(st.integers(0, 100), st.just(10**9)),
    most=st.sampled_from([0.0, 0.01, 0.03, 1.0]),
    window_left_s=st.floats(0.0, 2_592_000.0),
)
outcomes: st.SearchStrategy[Outcome] = st.one_of(
    st.builds(Ended, st.sampled_from(["person", "machine", "none", "busy", "failed"]), seconds),
    st.builds(Served, seconds),
    st.builds(Abandoned),
    st.builds(TalkEnded, seconds),
    st.builds(WrapUpEnded, seconds),
)
histories = st.lists(st.one_of(outcomes, pools), max_size=80)
wanted = st.builds(
    PacingSettings,
    ratio=st.floats(1.0, 20.0),
    target_share=st.one_of(st.none(), st.floats(0.0, 0.05)),
    most_lines_per_agent=st.floats(1.0, 20.0),
    occupancy_ceiling=st.one_of(st.none(), st.floats(0.5, 1.0)),
    agent_within_s=st.floats(0.0, 5.0),
)
every_method = pytest.mark.parametrize("method", METHODS)


def lived(pacer: Pacer, history: list[Outcome | Pool], from_s: float = 0.0) -> list[tuple[int, str]]:
    """What it decided on the way, half a second apart."""
    said = []
    for step, what in enumerate(history):
        now_s = from_s + step / 2
        if isinstance(what, Pool):
            due = pacer.dials_due(what, now_s)
            said.append((due.count, due.why))
        else:
            pacer.record(what, now_s)
    return said


@every_method
@given(history=histories, pool=pools, asked=wanted)
@settings(max_examples=60, deadline=None)
def test_what_always_holds(method: str, history: list[Outcome | Pool], pool: Pool, asked: PacingSettings):
    pacer = METHODS[method](asked)
    lived(pacer, history)
    due = pacer.dials_due(pool, 1000.0)
    assert due.count >= 0
    assert due.why
    assert due.count == 0 or due.count + pool.in_flight <= asked.most_lines_per_agent * pool.agents
    if not pool.agents:
        assert due.count == 0
    if pool.most == 0 or pool.spare == 0:
        assert due.count == 0 or due.count + pool.in_flight <= pool.ready
    if method in ("preview", "progressive"):
        assert due.count == 0 or due.count + pool.in_flight <= pool.ready


@every_method
@given(history=histories, pool=pools, asked=wanted)
@settings(max_examples=40, deadline=None)
def test_when_everybody_leaves_nothing_is_dialed(
    method: str, history: list[Outcome | Pool], pool: Pool, asked: PacingSettings
):
    pacer = METHODS[method](asked)
    lived(pacer, history)
    assert pacer.dials_due(replace(pool, ready=0, busy=()), 1000.0).count == 0


@every_method
@given(history=histories, pool=pools)
@settings(max_examples=40, deadline=None)
def test_having_dialed_what_was_due_it_wants_no_more_at_once(method: str, history: list[Outcome | Pool], pool: Pool):
    pacer = METHODS[method](PacingSettings(method=method))
    lived(pacer, history)
    due = pacer.dials_due(pool, 1000.0)
    dialed = replace(pool, ringing_s=pool.ringing_s + (0.0,) * due.count)
    assert pacer.dials_due(dialed, 1000.0).count == 0


@every_method
@given(history=histories, later=histories, asked=wanted)
@settings(max_examples=40, deadline=None)
def test_the_same_history_gives_the_same_decisions_and_a_restored_pacer_goes_on_identically(
    method: str, history: list[Outcome | Pool], later: list[Outcome | Pool], asked: PacingSettings
):
    one, other, restored = (METHODS[method](asked) for _ in range(3))
    assert lived(one, history) == lived(other, history)
    body = one.save()
    restored.restore(body)
    assert restored.save() == body
    decided = lived(other, later, 100.0)  # other was never saved: saving changes nothing
    assert lived(one, later, 100.0) == decided
    assert lived(restored, later, 100.0) == decided


@given(st.integers(1, 12), st.integers(0, 6), st.integers(0, 10), histories)
def test_at_the_end_of_a_window_the_cap_holds_even_if_all_who_ring_answer(
    ready: int, spare: int, ringing: int, history: list[Outcome | Pool]
):
    """Where people answer often; where they seldom do, all of them answering is ruled out."""
    pacer = METHODS["predictive"](PacingSettings())
    lived(pacer, history)
    for second in range(600):
        pacer.record(Ended("person", 5.0), 1000.0 + second)
    pool = Pool(ready, ringing_s=(1.0,) * ringing, live=1000, abandoned=20, spare=spare, most=0.03, window_left_s=1.0)
    due = pacer.dials_due(pool, 2000.0).count
    assert due + ringing <= max(ringing, ready + spare)
