"""What goes wrong: trunks, agents who vanish, a pause in mid-flight, clocks, stores that are away, kill -9."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace

import pytest

from core.dialing import AttemptProgressed, AttemptWanted, CampaignActed, LeadsStaged, NumberListed
from core.errors import EventRefused
from core.lead import LeadState
from core.lead_record import StagedLead
from dialer.compliance.rules import Mode
from dialer.do_not_call import DoNotCallBook
from dialer.setup import DialerSetup, Retry
from tests.unit.dialer.house import House, campaign, law, record, served
from tests.unit.dialer.law_case import at, hours


def silent(wanted: object) -> list[tuple[float, str]]:
    return []


def a_minute_of(answers: Callable[[AttemptWanted], list[tuple[float, str]]], lines: int = 10) -> House:
    """Over an agentless campaign with leads enough, at a trunk that answers so."""
    house = House(campaign(mode=Mode.AGENTLESS, max_lines=lines), leads=[record(index) for index in range(300)])
    house.answers = answers
    house.start()
    house.run(60.0)
    return house


def test_a_trunk_that_refuses_everything_pauses_the_campaign_and_says_why() -> None:
    house = a_minute_of(lambda wanted: [(0.5, "failed")])
    assert house.status()["state"] == "paused"
    assert "the last 20 attempts failed" in house.status()["why"]
    assert len(house.wanted) < 40
    house.run(60.0)
    before = len(house.wanted)
    house.start()
    house.run(2.0)
    assert len(house.wanted) > before, "who starts it again has seen to it"


def test_a_trunk_that_the_node_does_not_reach_costs_four_leads_a_try_and_no_more() -> None:
    house = a_minute_of(lambda wanted: [(0.1, "not_sent")], lines=3)
    assert (house.status()["state"], len(house.wanted) <= 6) == ("paused", True)
    assert "the last 4 attempts never left (no cause given)" in house.status()["why"]
    assert {lead.outcome for lead in house.store.leads.values()} == {"", "failed"}


def test_refusals_between_others_are_no_sooner_a_trouble_than_other_failures() -> None:
    numbers = iter(range(1000))
    house = a_minute_of(lambda wanted: [(0.1, "failed" if next(numbers) % 3 == 2 else "not_sent")], lines=1)
    assert "the last 20 attempts failed" in house.status()["why"]


def test_a_trunk_that_refuses_nearly_everything_does_too() -> None:
    numbers = iter(range(1000))
    house = a_minute_of(lambda wanted: [(0.5, "busy" if next(numbers) % 19 == 7 else "failed")])
    assert house.status()["state"] == "paused"
    assert "of the last 50 attempts failed (no cause given)" in house.status()["why"]


def test_a_trunk_that_answers_everything_at_once_does_too() -> None:
    for progress in ([], [(0.1, "ringing")]):  # a gateway that says it rings lies no less
        house = a_minute_of(lambda wanted, first=progress: [*first, (0.3, "answered"), (5.0, "hung_up")])
        assert house.status()["state"] == "paused"
        assert house.status()["why"] == "the last 20 attempts were answered within a second: look at the trunk"


def test_people_who_are_not_at_home_are_no_trouble() -> None:
    house = House(campaign(mode=Mode.AGENTLESS, max_lines=10), leads=[record(index) for index in range(60)])
    house.answers = lambda wanted: [(1.0, "ringing"), (20.0, "no_answer")]
    house.start()
    house.run(600.0)
    assert house.status()["state"] == "running"
    assert len(house.wanted) == 60


def test_when_agents_vanish_lines_ring_as_long_as_they_must_and_then_no_longer() -> None:
    house = House(campaign(), leads=[record(index) for index in range(40)], agents=10)
    house.answers = lambda wanted: [(2.0, "ringing")]
    house.start()
    house.run(3.0)
    assert len(house.wanted) == 10
    house.agents.them.clear()
    house.run(13.0)
    assert not house.cancelled
    house.run(5.0)
    assert len(house.cancelled) == 10
    assert all(at_s - house.wanted[0][0] >= 2.0 + 15.0 for at_s, _ in house.cancelled)
    assert len(house.wanted) == 10, "and nobody else is dialed"
    assert house.status()["today"]["abandoned"] == 0


def test_a_pause_in_mid_flight_dials_no_more_and_lets_go_on_what_rings() -> None:
    house = House(campaign(), leads=[record(index) for index in range(40)], agents=4)
    house.answers = served(ring_s=8.0)
    house.start()
    house.run(2.0)
    house.do(CampaignActed("main", "c1", "pause"))
    house.run(300.0)
    assert len(house.wanted) == 4
    assert house.status()["today"]["connected"] == 4
    assert house.status()["hopper"] > 0, "who is in the hopper stays there"
    house.start()
    house.run(900.0)
    assert len(house.wanted) == 40


def test_drain_ends_with_the_last_conversation_and_stop_gives_up_what_rings() -> None:
    house = House(campaign(), leads=[record(index) for index in range(40)], agents=4)
    house.answers = served(ring_s=8.0)
    house.start()
    house.run(2.0)
    house.do(CampaignActed("main", "c1", "drain"))
    assert house.status()["hopper"] == 0
    house.run(30.0)
    assert house.status()["state"] == "draining"
    house.run(120.0)
    assert house.status()["state"] == "stopped"
    assert house.states() == {"waiting": 36, "done": 4}
    house.answers = lambda wanted: [(1.0, "ringing")]
    house.start()
    house.run(5.0)
    house.do(CampaignActed("main", "c1", "stop"))
    house.run(30.0)
    assert len(house.cancelled) == 4
    assert LeadState.STAGED not in {one.state for one in house.store.leads.values()}


def test_an_answer_that_crosses_our_hanging_up_is_an_abandoned_call() -> None:
    house = House(campaign(), leads=[record(1)], agents=1)
    house.answers = silent
    house.start()
    house.run(2.0)
    wanted = house.wanted[0][1]
    house.do(CampaignActed("main", "c1", "stop"))
    house.run(20.0)
    house.do(AttemptProgressed(wanted.interaction_id, wanted.attempt_id, "answered"))
    (window,) = house.status()["abandonment"]
    assert (window["live"], window["abandoned"]) == (1, 1)
    house.run(1.0)
    assert house.store.attempts[wanted.attempt_id].state == "abandoned"


def test_who_has_nobody_in_time_is_counted_and_without_budget_there_is_one_line_for_each_agent() -> None:
    setup = campaign(mode=Mode.PREDICTIVE, packs=(law(percent=3),))
    house = House(setup, leads=[record(index) for index in range(400)], agents=3)
    house.answers = served(ring_s=6.0)
    house.start()
    for _ in range(1200):
        house.run(1.0)
        status = house.status()
        lines = status["lines"]["dialing"] + status["lines"]["ringing"] + status["lines"]["waiting"]
        if status["abandonment"][0]["spare"] == 0 and not house.status()["today"]["abandoned"]:
            assert lines <= 3
    (window,) = house.status()["abandonment"]
    assert window["ratio"] <= 0.03 or window["abandoned"] <= 1


def test_nothing_is_heard_of_an_attempt_and_it_is_lost() -> None:
    house = House(campaign(ring_s=20.0), leads=[record(1)], agents=1)
    house.answers = silent
    house.start()
    house.run(2.0)
    wanted = house.wanted[0][1]
    del house.live[wanted.attempt_id]
    house.run(200.0)
    assert house.store.attempts[wanted.attempt_id].state == "failed"
    assert house.store.leads["l00001"].state is LeadState.WAITING


def test_the_clock_at_the_door_of_a_window_and_over_a_change_of_clocks() -> None:
    """On the day clocks go back in Spain, 09:00 there is 08:00 UTC, and not 07:00 as the day before."""
    setup = campaign(packs=(law(hours(dict.fromkeys(range(7), ((540, 545),)))),))
    house = House(setup, leads=[record(1)], agents=1)
    house.now_s = at("2026-10-24 23:00", "Europe/Madrid")
    house.agents.ready("a00", now_s=house.now_s)
    house.answers = silent
    house.start()
    house.run(11.5 * 3600)
    assert [at_s for at_s, _ in house.wanted] == [pytest.approx(at("2026-10-25 09:00", "Europe/Madrid"), abs=70.0)]


def test_a_clock_that_jumps_ahead_dials_nobody_by_itself() -> None:
    house = House(campaign(packs=(law(hours(dict.fromkeys(range(5), ((540, 1200),)))),)), leads=[record(1)], agents=1)
    house.answers = silent
    house.now_s = at("2026-11-22 12:00", "Europe/Madrid")
    house.start()
    house.run(3.0)
    assert not house.wanted, "a Sunday"
    house.now_s = at("2026-11-24 03:00", "Europe/Madrid")
    house.run(120.0)
    assert not house.wanted, "in the night"


def test_a_store_that_is_away_stops_nothing_that_is_in_hand() -> None:
    house = House(campaign(), leads=[record(index) for index in range(30)], agents=2)
    house.answers = served()
    house.start()
    house.run(1.0)
    house.storing = False
    house.run(1200.0)
    assert len(house.wanted) == 30
    assert house.states() == {"staged": 30}, "as far as the store knows"
    house.storing = True
    house.reborn()
    house.run(90.0)
    assert house.states() == {"done": 30}
    assert not [row for row in house.rows if row[0] in ("lead", "attempt")]


@pytest.mark.parametrize("after_s", [0.02, 0.7, 3.0, 7.2, 30.0, 66.8, 75.0])
def test_killed_at_any_moment_no_lead_is_lost_and_none_is_dialed_twice(after_s: float) -> None:
    setup = campaign(retries={name: Retry(9e4, 3) for name in ("failed", "abandoned", "customer_hung_up", "no_answer")})
    house = House(setup, leads=[record(index) for index in range(12)], agents=3)
    house.answers = served()
    house.start()
    for _ in range(4):
        house.run(after_s)
        house.reborn()
    house.run(1200.0)
    assert len(house.called()) == len(set(house.called())) == 12
    assert sum(house.states().values()) == 12
    assert LeadState.STAGED.value not in house.states()


def test_what_rang_while_the_engine_died_is_lost_and_said_so() -> None:
    house = House(campaign(), leads=[record(1)], agents=1)
    house.answers = silent
    house.start()
    house.run(2.0)
    house.reborn(lambda interaction_id: False)
    house.run(1.0)
    (kept,) = house.store.attempts.values()
    assert (kept.state, kept.why) == ("failed", "its interaction is gone")
    assert house.store.leads["l00001"].state is LeadState.WAITING


def test_a_lead_in_hand_is_not_staged_again_and_news_of_nobody_is_late() -> None:
    house = House(campaign(), leads=[record(1)], agents=1)
    house.answers = silent
    house.start()
    house.run(1.0)
    house.do(LeadsStaged("main", "c1", (StagedLead(record(1)),)))
    assert house.status()["hopper"] == 0
    assert not house.do(AttemptProgressed("i", "nobody", "answered")).changed
    wanted = house.wanted[0][1]
    with pytest.raises(EventRefused, match="there is no event 'sang'"):
        house.dialer.handle(AttemptProgressed(wanted.interaction_id, wanted.attempt_id, "sang"), house.now_s)


def test_a_campaign_whose_file_is_gone_stops_and_gives_its_leads_back() -> None:
    house = House(campaign(), leads=[record(index) for index in range(10)], agents=2)
    house.answers = served()
    house.start()
    house.run(2.0)
    house.take(house.dialer.change_setup(DialerSetup("r2"), house.now_s))
    house.run(120.0)
    assert len(house.wanted) == 2
    assert house.states() == {"waiting": 8, "done": 2}


def test_lists_built_anew_keep_what_was_heard_since() -> None:
    house = House(campaign(), leads=[record(1)], agents=1)
    house.start()
    house.do(NumberListed("main", "+34910000001"))
    house.take(house.dialer.change_lists(DoNotCallBook(built_s=house.now_s - 1.0), house.now_s))
    house.run(30.0)
    assert not house.wanted


_RUN = """
from tests.unit.dialer.test_dialer_troubles import a_morning
print(a_morning())
"""


def a_morning() -> str:
    """Everything that was wanted, in order."""
    house = House(
        campaign("c1", weight=2),
        campaign("c2", Mode.PREDICTIVE),
        leads=[record(i, f"c{1 + i % 2}-list") for i in range(24)],
        agents=5,
    )
    house.answers = served()
    house.start("c1")
    house.start("c2")
    house.run(90.0)
    return repr([(round(at_s, 3), wanted) for at_s, wanted in house.wanted])


def test_it_decides_the_same_under_every_hash_seed() -> None:
    begun = [
        subprocess.Popen(
            [sys.executable, "-c", _RUN], env={**os.environ, "PYTHONHASHSEED": seed}, stdout=subprocess.PIPE
        )
        for seed in ("1", "2")
    ]
    said = {one.communicate()[0] for one in begun}
    assert len(said) == 1
    assert len(next(iter(said))) > 1000


def test_a_campaign_whose_file_went_while_the_engine_was_away_does_not_start_by_itself_when_it_comes_back() -> None:
    setup = campaign()
    house = House(setup, leads=[record(index) for index in range(10)], agents=2)
    house.answers = silent
    house.start()
    house.run(2.0)
    house.setup = DialerSetup("r2")
    house.reborn()
    house.run(1.0)
    assert house.states() == {"waiting": 8, "staged": 2}, "two are being dialed"
    house.setup = DialerSetup("r3", {setup.key: setup})
    house.take(house.dialer.change_setup(house.setup, house.now_s))
    house.run(2.0)
    assert (house.status()["state"], house.status()["why"]) == ("stopped", "its file is gone")
    assert len(house.wanted) == 2


def test_nobody_is_dialed_while_the_house_takes_nothing_on() -> None:
    setup = campaign(mode=Mode.PREVIEW, preview_s=5.0, preview_then="dial")
    house = House(setup, leads=[record(1)], agents=1)
    house.answers = silent
    house.start()
    house.run(2.0)
    house.dialer.halted = "it is being stopped"
    house.run(20.0)
    assert not house.wanted
    house.dialer.halted = ""
    house.run(1.0)
    assert len(house.wanted) == 1


def taken_by_callers(agents: int, percent: int = 3, mode: Mode = Mode.PROGRESSIVE) -> House:
    """Two lines ring for two agents; a second later callers of the queue have these. All is told at the 14th second."""
    house = House(
        campaign(mode=mode, packs=(law(percent=percent),), ring_s=25.0),
        leads=[record(1), record(2)],
        agents=2,
    )
    house.answers = lambda wanted: [(0.1, "ringing"), (20.0, "answered")]
    house.start()
    house.run(1.0)
    assert len(house.wanted) == 2
    for name in sorted(house.agents.them)[:agents]:
        house.agents.them[name] = replace(house.agents.them[name], state="talk", interaction_id=f"i-{name}")
    house.run(13.0)
    return house


def test_lines_whose_agents_serve_callers_are_given_up_when_nobody_may_be_abandoned() -> None:
    house = taken_by_callers(2)
    assert house.status()["lines"]["ringing"] == 2, "not before the least ring"
    house.run(3.0)
    assert house.status()["lines"]["ringing"] == 0
    assert house.status()["today"]["abandoned"] == 0
    house.run(60.0)
    assert {attempt.state for attempt in house.store.attempts.values()} == {"cancelled"}


@pytest.mark.parametrize("mode", [Mode.PROGRESSIVE, Mode.POWER, Mode.PREDICTIVE])
def test_as_many_lines_ring_on_as_agents_are_left(mode: Mode) -> None:
    house = taken_by_callers(1, mode=mode)
    house.run(3.0)
    assert house.status()["lines"]["ringing"] == 1


def test_lines_ring_on_while_the_budget_bears_who_answers_them() -> None:
    house = taken_by_callers(2, percent=100)
    house.run(3.0)
    assert house.status()["lines"]["ringing"] == 2
