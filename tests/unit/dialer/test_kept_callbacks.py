"""A promised call is made within a few seconds of its time, whenever it was promised and whoever else waits."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest

from core.dialing import LeadActed, LeadsStaged
from core.lead import LeadState
from core.lead_record import StagedLead
from tests.unit.dialer.house import START_S, House, campaign, record

LATE_S = 5.0
AHEAD_S = 30.0


def dialed_s(house: House, lead_id: str) -> list[float]:
    return [at_s for at_s, wanted in house.wanted if wanted.lead_id == lead_id]


def promise(house: House, after_s: float = AHEAD_S, agent_id: str = "", lead_id: str = "l00001") -> float:
    due_s = house.now_s + after_s
    given = StagedLead(house.store.leads[lead_id])
    assert not house.do(LeadActed("main", "c1", lead_id, "callback", due_s, agent_id, lead=given)).refused
    return due_s


@pytest.mark.parametrize("agent_id", ["", "a00"])
def test_promised_for_soon_where_the_list_had_nobody(agent_id: str) -> None:
    house = House(campaign(), leads=[record(1, state=LeadState.DONE, reason="sold")], agents=1)
    house.start()
    house.run(2.0)
    due_s = promise(house, agent_id=agent_id)
    house.run(AHEAD_S + LATE_S)
    assert [due_s <= at_s <= due_s + LATE_S for at_s in dialed_s(house, "l00001")] == [True]


def test_why_nobody_is_dialed_meanwhile_tells_when() -> None:
    house = House(campaign(), leads=[record(1, state=LeadState.DONE)], agents=1)
    house.start()
    house.run(2.0)
    promise(house, 45.0)
    house.run(15.0)
    assert "the next lead is due at" in house.status()["last"]["why"]


def test_promised_while_the_store_is_being_asked() -> None:
    house = House(campaign(), leads=[record(1, state=LeadState.DONE)], agents=1)
    house.start()
    house.now_s += 0.01
    too_early = house.store_answers()
    due_s = promise(house)
    house.do(too_early)
    house.run(AHEAD_S + LATE_S)
    assert [due_s <= at_s <= due_s + LATE_S for at_s in dialed_s(house, "l00001")] == [True]


def test_nobody_else_in_the_hopper_keeps_it_waiting() -> None:
    """Agents talk long, so that the hopper stays full enough for hours."""
    done = [record(number, state=LeadState.DONE) for number in (1, 2)]
    house = House(campaign(), leads=[*done, *(record(number) for number in range(3, 200))], agents=2)
    house.start()
    house.run(61.0)
    due_s, again_s = promise(house), promise(house, 2 * AHEAD_S, lead_id="l00002")
    house.run(2 * AHEAD_S + 30.0)  # whoever is being dialed has 20 s to answer
    assert [due_s <= at_s <= due_s + 25.0 for at_s in dialed_s(house, "l00001")] == [True]
    assert [again_s <= at_s <= again_s + 25.0 for at_s in dialed_s(house, "l00002")] == [True]


def test_after_a_restart_too() -> None:
    leads = [record(1, state=LeadState.DONE), *(record(number) for number in range(2, 60))]
    house = House(campaign(), leads=leads, agents=1)
    house.start()
    house.run(5.0)
    due_s = promise(house)
    house.run(AHEAD_S / 2)
    house.reborn()
    house.run(AHEAD_S / 2 + 25.0)
    assert [due_s <= at_s <= due_s + 25.0 for at_s in dialed_s(house, "l00001")] == [True]


def test_asking_for_promised_calls_alone_says_nothing_of_the_others() -> None:
    leads = [record(number) for number in range(2, 200)]
    house = House(campaign(), leads=leads, agents=1)
    house.start()
    house.run(2.0)
    house.do(LeadsStaged("main", "c1", (), False, START_S + 3600.0, promised=True))
    house.run(25.0 * 40)
    assert len(house.wanted) > 40, "the list is asked for more as ever"


def test_whom_an_absent_agent_promised_a_call_keeps_nobody_else_waiting() -> None:
    theirs = {"state": LeadState.CALLBACK, "reason": "callback", "agent_id": "away", "not_before_s": START_S + 300.0}
    hers = [replace(record(number), **theirs) for number in range(1, 26)]
    house = House(campaign(), leads=[*hers, *(record(number) for number in range(1000, 1400))], agents=2)
    house.start()
    house.run(1500.0)
    times = [at_s for at_s, _ in house.wanted]
    assert max(after - before for before, after in pairwise(times)) < 60.0
