"""Campaigns from their start to the last lead, with nobody real in between."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from core.dialing import CampaignActed
from core.lead import LeadState
from core.lead_store import ListShare
from dialer.best_hour import slot_of
from dialer.compliance.rules import Cap, Mode
from dialer.setup import Retry
from tests.unit.dialer.house import House, agentless, campaign, law, record, served
from tests.unit.dialer.law_case import DAY_S, cap, hours

WORKDAYS = dict.fromkeys(range(5), ((540, 1200),))
"""Nine to twenty."""


def test_progressive_reaches_everybody_and_one_line_for_each_agent() -> None:
    house = House(campaign(), leads=[record(number) for number in range(30)], agents=3)
    house.answers = served()
    house.start()
    house.run(1.0)
    assert len(house.wanted) == 3
    assert house.status()["leads"] == {"dialing": 3}
    house.run(1800.0)
    assert house.status()["leads"] == {"dialing": 0}
    assert sorted(house.called()) == sorted({f"+3491{number:07d}" for number in range(30)})
    assert house.states() == {"done": 30}
    assert house.status()["today"]["connected"] == 30
    assert house.status()["today"]["abandoned"] == 0
    assert {one.disposition for one in house.store.leads.values()} == {"done"}
    assert len(house.store.attempts) == 30
    assert not [row for row in house.rows if row[0] in ("lead", "attempt")], "what the store has, the journal forgets"


def test_agentless_keeps_to_its_lines_and_its_rate() -> None:
    setup = campaign(mode=Mode.AGENTLESS, max_lines=5, calls_per_second=2.0)
    house = House(setup, leads=[record(number) for number in range(40)])
    house.answers = agentless
    house.start()
    house.run(2.0)
    assert 1 <= len(house.wanted) <= 5
    house.run(1.0)
    assert len(house.wanted) == 5, "at most five lines"
    house.run(600.0)
    assert house.states() == {"done": 40}
    assert house.status()["today"]["abandoned"] == 0


def test_who_does_not_answer_is_tried_again_and_in_the_end_no_more() -> None:
    setup = campaign(retries={"no_answer": Retry(300.0, 5)})
    house = House(setup, leads=[record(1)], agents=1)
    house.start()
    house.run(60.0)
    lead = house.store.leads["l00001"]
    assert (lead.state, lead.outcome, lead.attempts) == (LeadState.WAITING, "no_answer", 1)
    assert lead.not_before_s > house.now_s + 200.0
    house.run(2400.0)
    lead = house.store.leads["l00001"]
    assert (lead.state, lead.attempts) == (LeadState.EXHAUSTED, 5)


def test_tries_are_counted_further_back_than_any_rule_looks() -> None:
    others = tuple(rule for rule in law().rules if not isinstance(rule, Cap))
    an_hour = replace(law(), rules=(*others, cap(3, 3600.0)))
    setup = campaign(packs=(an_hour,), retries={"no_answer": Retry(900.0, 5)})
    house = House(setup, leads=[record(1)], agents=1)
    house.start()
    house.run(6 * 3600.0)
    lead = house.store.leads["l00001"]
    assert (lead.state, lead.attempts) == (LeadState.EXHAUSTED, 5)


def test_who_is_not_reached_is_tried_when_people_are_and_when_they_may_be_called() -> None:
    setup = campaign(
        packs=(law(hours(WORKDAYS)),), retries={"no_answer": Retry(3600.0, 6, best_hour=True)}, mode=Mode.PROGRESSIVE
    )
    house = House(setup, leads=[record(number) for number in range(150)], agents=20)
    house.answers = lambda wanted: [(1.0, "ringing"), (5.0, "answered"), (5.5, "connect")] if hour() == 17 else missed

    def hour() -> int:
        return slot_of(house.now_s, "Europe/Madrid")

    missed = [(20.0, "no_answer")]
    house.start()
    house.run(0.5 * DAY_S)
    house.reborn()
    house.run(1.5 * DAY_S)
    dialed = Counter(slot_of(at_s, "Europe/Madrid") for at_s, _ in house.wanted)
    assert dialed[17] > 2 * max(count for hour, count in dialed.items() if hour not in (10, 17)), dialed
    assert set(dialed) <= set(range(9, 20)), "within the office's hours"
    assert house.states().get("done", 0) > 110


def test_tries_of_another_campaign_are_not_counted() -> None:
    setups = [
        campaign(name, lists=(ListShare("both"),), retries={"no_answer": Retry(600.0, 3)}) for name in ("c1", "c2")
    ]
    house = House(*setups, leads=[record(1, "both")], agents=1)
    for name in ("c1", "c2"):
        house.start(name)
        house.run(3600.0)
        assert house.store.leads["l00001"].state is LeadState.EXHAUSTED
        house.do(CampaignActed("main", name, "stop", by="test"))
        house.store.leads["l00001"] = replace(house.store.leads["l00001"], state=LeadState.WAITING)
    assert len(house.wanted) == 6
