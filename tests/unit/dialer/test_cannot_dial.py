"""A running campaign that cannot dial says why, also where no agent counts yet."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from core.dialing import LeadsStaged
from core.lead import LeadState
from core.lead_store import Staging
from dialer.compliance.rules import ListsNeeded, Mode, RulePack, Scope
from dialer.dnc import DoNotCall
from dialer.do_not_call import DoNotCallBook
from dialer.floor import FloorAgent
from dialer.pacing import PacingSettings
from tests.unit.dialer.house import START_S, House, campaign, law, record, served
from tests.unit.dialer.law_case import at, hours, pack, source

DAY_S = 86_400.0
MADRID = "Europe/Madrid"
OFFICE_HOURS = hours(dict.fromkeys(range(5), ((9 * 60, 21 * 60),)))
ROBINSON = ListsNeeded(source("robinson"), Scope(), ("es-robinson",), 30 * DAY_S)


def last(house: House) -> str:
    return str(house.status()["last"]["why"])


def test_without_its_register_a_campaign_pauses_although_no_agent_is_there() -> None:
    house = House(campaign(packs=(law(ROBINSON),)), leads=[record(1)])
    house.start()
    assert house.status()["state"] == "paused"
    assert "the register es-robinson has not been imported: centralita dnc import" in house.status()["why"]
    assert "es-robinson" in last(house)


def test_a_register_that_only_one_country_asks_for_pauses_nobody_who_may_call_another() -> None:
    spain: RulePack = replace(pack(ROBINSON, name="a"), countries=frozenset({"ES"}))
    france: RulePack = replace(pack(name="b"), countries=frozenset({"FR"}))
    house = House(campaign(packs=(law(), spain, france)), leads=[record(1, numbers=("+33123456789",))], agents=1)
    house.start()
    house.run(2.0)
    assert house.status()["state"] == "running"
    assert house.called() == ["+33123456789"]


def test_a_register_that_grows_too_old_pauses_a_campaign_that_runs() -> None:
    house = House(campaign(packs=(law(ROBINSON),)))
    fresh = DoNotCall("es-robinson", "national", house.now_s - 30 * DAY_S + 60.0)
    house.take(house.dialer.change_lists(DoNotCallBook(national={"es-robinson": fresh}), house.now_s))
    house.start()
    house.run(50.0)
    assert house.status()["state"] == "running"
    house.run(30.0)
    assert house.status()["state"] == "paused"
    assert "older than 30 days: centralita dnc import FILE --register es-robinson" in house.status()["why"]


@pytest.mark.parametrize("agents", [0, 1])
def test_outside_its_hours_a_campaign_says_since_when_and_until_when(agents: int) -> None:
    setup = campaign(packs=(law(OFFICE_HOURS),))
    house = House(setup, leads=[record(1), record(2)], agents=agents)
    house.now_s = at("2026-11-22 20:00", MADRID)
    stage = house.store.stage

    def staged(wanted: Staging) -> LeadsStaged:
        return replace(stage(wanted), zones=(MADRID,))

    house.store.stage = staged  # type: ignore[method-assign]
    house.start()
    house.run(30.0)
    assert house.status()["state"] == "running"
    closed, opens = (
        f"{datetime.fromtimestamp(at(text, MADRID), UTC):%Y-%m-%d %H:%M}"
        for text in ("2026-11-20 21:00", "2026-11-23 09:00")
    )
    assert f"nobody may be called at this hour: since {closed} until {opens}" in last(house)
    assert f"2 of 2 leads looked at are held back by test/hours until {opens}" in last(house)
    assert ("no agent is there" in last(house)) == (agents == 0)


def test_what_puts_leads_back_is_said_until_one_is_dialed() -> None:
    setup = campaign(packs=(law(OFFICE_HOURS),))
    house = House(setup, leads=[record(1), record(2), record(3)], agents=1)
    house.now_s = at("2026-11-22 20:00", MADRID)
    house.start()
    house.run(120.0)
    assert "3 of 3 leads looked at are held back by test/hours until" in last(house)
    house.now_s = at("2026-11-23 09:00", MADRID)
    house.run(120.0)
    assert house.called()
    assert "held back" not in last(house)


def test_agents_who_would_count_are_told_with_what_is_missing() -> None:
    held = campaign(pacing=PacingSettings(method="progressive"), held_lines=True)
    house = House(held, leads=[record(1)])
    house.agents.them["ana"] = FloorAgent("ana", "ready", START_S)
    house.start()
    house.run(10.0)
    assert last(house) == "no agent is there; 1 agent is logged in but not on a held line: *455"
    house.agents.them["luis"] = FloorAgent("luis", "ready", START_S)
    house.agents.absent = (("not_ready", 1), ("on_phone", 2), ("phone", 1), ("skills", 2))
    house.run(10.0)
    assert last(house).split("; ") == [
        "no agent is there",
        "2 agents are logged in but not on a held line: *455",
        "1 agent is logged in but not ready",
        "2 agents are logged in without the skills asked for",
        "2 agents are ready but on the phone: dialing in, or on calls of their own",
        "1 agent is ready but cannot be rung",
    ]


def test_agents_without_leads_are_not_said_to_be_missing() -> None:
    house = House(campaign(), agents=2)
    house.answers = served()
    house.start()
    house.run(30.0)
    assert last(house) == "its lists have no more leads"


def test_leads_that_wait_are_told_with_the_hour_of_the_first() -> None:
    waits = {"state": LeadState.WAITING, "reason": "busy"}
    leads = [record(1, not_before_s=START_S + 3600.0, **waits), record(2, not_before_s=START_S + 7200.0, **waits)]
    house = House(campaign(), leads=leads, agents=1)
    house.start()
    house.run(30.0)
    assert last(house) == "the next lead is due at 2026-11-23 10:00"


def test_leads_where_it_is_too_late_are_not_said_to_be_none() -> None:
    house = House(campaign(packs=(law(OFFICE_HOURS),)), agents=1)
    stage = house.store.stage

    def staged(wanted: Staging) -> LeadsStaged:
        return replace(stage(wanted), zones=(MADRID, "Australia/Perth"))

    house.store.stage = staged  # type: ignore[method-assign]
    house.start()
    house.now_s = at("2026-11-23 15:00", MADRID)
    house.run(90.0)
    assert last(house) == "no lead may be dialed now"


def test_agents_with_a_lead_before_them_are_not_said_to_work_for_others() -> None:
    house = House(campaign(mode=Mode.PREVIEW), leads=[record(n) for n in range(5)], agents=2)
    house.start()
    house.run(10.0)
    assert last(house) == "2 agents look at a lead or dial it"
    house.agents.them.pop("a01")
    house.run(10.0)
    assert last(house) == "1 agent looks at a lead or dials it"
