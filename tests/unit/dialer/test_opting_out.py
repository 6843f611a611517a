"""Who asks not to be called is done at once, also when she says so after her call was given up; what the campaign's
manager sees counts nobody as waiting who may not be called."""

from __future__ import annotations

import pytest

from core.dialing import AttemptWanted, CampaignActed, LeadActed, NumberListed
from core.lead import LeadState
from core.lead_record import StagedLead
from dialer.setup import Retry
from tests.unit.dialer.house import House, campaign, record

AGAIN = {"abandoned": Retry(1800.0, 3)}


def given_up(wanted: AttemptWanted) -> list[tuple[float, str]]:
    """She answers, and nobody is there for her."""
    return [(1.0, "ringing"), (5.0, "answered"), (7.0, "no_agent")]


def key_pressed(house: House, wanted: AttemptWanted, scope: str = "") -> None:
    house.do(
        NumberListed(
            "main",
            wanted.called,
            scope,
            by="caller",
            interaction_id=wanted.interaction_id,
            lead_id=wanted.lead_id,
        )
    )


@pytest.mark.parametrize("numbers", [("+34910000001",), ("+34910000001", "+34910000002")])
@pytest.mark.parametrize("scope", ["", "c1"])
@pytest.mark.parametrize("after_s", [0.01, 10.0, 90.0])
def test_a_key_in_the_message_of_a_call_that_was_given_up(after_s: float, scope: str, numbers: tuple[str, ...]) -> None:
    """The store may not have the lead yet, or the dialer may have forgotten both lead and attempt."""
    house = House(campaign(retries=AGAIN), leads=[record(1, numbers=numbers)], agents=1)
    house.answers = given_up
    house.start()
    house.run(1.0)
    ((at_s, wanted),) = house.wanted
    house.run(at_s + 7.0 + after_s - house.now_s)
    key_pressed(house, wanted, scope)
    house.run(1.0)
    found = house.store.leads["l00001"]
    assert (found.state, found.reason) == (LeadState.DONE, "do_not_call")
    house.run(2000.0)
    assert len(house.wanted) == 1


def test_what_rings_is_hung_up_after_its_least_ring_when_somebody_lists_the_number() -> None:
    house = House(campaign(ring_s=60.0), leads=[record(1)], agents=1)
    house.answers = lambda wanted: [(1.0, "ringing"), (50.0, "answered")]
    house.start()
    house.run(2.0)
    house.do(NumberListed("main", house.wanted[0][1].called, by="api"))
    house.run(30.0)
    (attempt,) = house.store.attempts.values()
    assert attempt.state == "cancelled"
    found = house.store.leads["l00001"]
    assert (found.state, found.reason) == (LeadState.BLOCKED, "rule do_not_call/main")
    house.run(3600.0)
    assert len(house.wanted) == 1


def test_it_is_saved_over_a_crash() -> None:
    house = House(campaign(retries=AGAIN), leads=[record(1)], agents=1)
    house.answers = given_up
    house.start()
    house.run(20.0)
    house.storing = False
    key_pressed(house, house.wanted[0][1])
    house.reborn()
    house.storing = True
    house.take(house.dialer.restore(house.rows, house.now_s, lambda interaction_id: True))
    house.run(1.0)
    assert house.store.leads["l00001"].state is LeadState.DONE


def test_while_she_is_in_the_queue_after_all() -> None:
    house = House(campaign(retries=AGAIN, drop_action="queue"), leads=[record(1)], agents=1)
    house.answers = given_up
    house.start()
    house.run(20.0)
    key_pressed(house, house.wanted[0][1])
    house.run(3600.0)
    found = house.store.leads["l00001"]
    assert (found.state, found.reason, len(house.wanted)) == (LeadState.DONE, "do_not_call", 1)


def test_others_with_her_number_wait_no_longer_in_the_store_and_in_the_hopper() -> None:
    shared = ("+34910000007",)
    leads = [record(number, numbers=shared) for number in (1, 2)]
    leads.append(record(3, numbers=(*shared, "+34910000008")))
    leads.append(record(4, "another", numbers=shared))
    house = House(campaign(), leads=leads)
    house.start()
    house.run(1.0)
    house.do(CampaignActed("main", "c1", "pause"))
    assert house.status()["hopper"] == 3
    house.do(NumberListed("main", shared[0], by="agent"))
    house.run(1.0)
    assert house.status()["hopper"] == 1
    told = {one.lead_id: (one.state.value, one.reason) for one in house.store.leads.values()}
    blocked = ("blocked", "rule do_not_call/main")
    assert told == {"l00001": blocked, "l00002": blocked, "l00003": ("staged", ""), "l00004": blocked}


def test_whom_an_agent_takes_off_is_saved_once() -> None:
    house = House(campaign(), leads=[record(1)])
    house.start()
    house.run(1.0)
    given = StagedLead(house.store.leads["l00001"])
    outcome = house.do(LeadActed("main", "c1", "l00001", "opt_out", by="ana", lead=given))
    assert [save.lead.state for save in outcome.saves if save.lead is not None] == [LeadState.DONE]
    house.run(1.0)
    assert house.store.leads["l00001"].reason == "do_not_call"
