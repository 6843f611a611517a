"""How leads come into the hopper, and what the law says at a campaign's level."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from typing import Any

import pytest

from core.dialing import AttemptDisposed, AttemptProgressed, AttemptWanted, CampaignActed, LeadsStaged, ListsChanged
from core.lead import LeadState
from core.lead_record import StagedLead
from core.lead_store import ListShare, Staging
from dialer.compliance.abandonment import NOT_REVIEWED, Reviewed
from dialer.compliance.rules import AgentWithin, Basis, BasisNeeded, ListsNeeded, Mode, Rest, Scope
from dialer.dnc import DoNotCall, NumberSet
from dialer.do_not_call import DoNotCallBook
from dialer.setup import After, DialerSetup, Quota, Retry
from dialer.staging import EVER_S, history_s, zones_open
from tests.unit.dialer.house import START_S, House, campaign, law, record, served
from tests.unit.dialer.law_case import DAY_S, at, cap, hours, pack, source

MADRID, NEW_YORK, TOKYO = "Europe/Madrid", "America/New_York", "Asia/Tokyo"
OFFICE_HOURS = hours(dict.fromkeys(range(5), ((540, 1200),)))


def silent(wanted: object) -> list[tuple[float, str]]:
    return []


def test_zones_in_which_every_rules_hours_are_over_are_left_out() -> None:
    setup = campaign(packs=(pack(OFFICE_HOURS),))
    zones = (MADRID, NEW_YORK, TOKYO)
    assert zones_open(setup, zones, at("2026-11-23 10:00", MADRID)) == (MADRID, TOKYO)
    assert zones_open(setup, zones, at("2026-11-23 16:00", MADRID)) == (MADRID, NEW_YORK)
    assert zones_open(setup, zones, at("2026-11-22 12:00", MADRID)) == ()


def test_a_zone_is_open_when_the_law_of_any_country_opens_it() -> None:
    spain = replace(pack(hours({0: ((600, 660),)}), name="a"), countries=frozenset({"ES"}))
    america = replace(pack(OFFICE_HOURS, name="b"), countries=frozenset({"US"}))
    assert zones_open(campaign(packs=(spain, america)), (MADRID,), at("2026-11-23 12:00", MADRID)) == (MADRID,)
    assert zones_open(campaign(packs=(spain,)), (MADRID,), at("2026-11-23 12:00", MADRID)) == ()


def test_history_is_asked_as_far_back_as_any_rule_looks() -> None:
    assert history_s(campaign(packs=(pack(cap(3, 7 * DAY_S), cap(1, DAY_S)),))) == 7 * DAY_S
    assert history_s(campaign(packs=(pack(cap(3, float("inf"))),))) == EVER_S
    rest = Rest(source("rest"), Scope(), "conversation", 7 * DAY_S)
    assert history_s(campaign(packs=(pack(rest),))) >= 7 * DAY_S + 3600.0, "dialed before, and talked until after"


def test_in_the_night_nobody_is_staged_once_the_zones_are_known() -> None:
    house = House(campaign(packs=(law(OFFICE_HOURS),)), leads=[record(1)], agents=1)
    asked: list[Staging] = []
    house.answers = silent
    house.now_s = at("2026-11-22 12:00", MADRID)
    stage = house.store.stage

    def staged(wanted: Staging) -> LeadsStaged:
        asked.append(wanted)
        found = (
            stage(wanted) if wanted.zones_open is None or MADRID in wanted.zones_open else LeadsStaged("main", "c1", ())
        )
        return replace(found, zones=(MADRID,))

    house.store.stage = staged  # type: ignore[method-assign]
    house.start()
    house.run(300.0)
    assert asked[0].zones_open is None
    assert [one.zones_open for one in asked[1:]] == [()] * (len(asked) - 1)
    assert len(asked) > 2
    assert house.store.leads["l00001"].not_before_s == at("2026-11-23 09:00", MADRID)
    house.now_s = at("2026-11-23 09:00", MADRID)
    house.run(70.0)
    assert len(house.wanted) == 1


def test_who_was_asked_for_leads_and_said_nothing_is_asked_again() -> None:
    house = House(campaign(), leads=[record(1)], agents=1)
    house.storing = False
    asked = list(house.start().wanted)
    house.run(20.0)
    assert [one.count for one in asked] == [40]
    house.storing = True
    house.run(15.0)
    assert len(house.wanted) == 1


def test_leads_that_come_when_the_campaign_has_stopped_go_back_as_they_were() -> None:
    house = House(
        campaign(),
        leads=[record(1), record(2, reason="callback", state=LeadState.CALLBACK, not_before_s=START_S)],
        agents=1,
    )
    house.start()
    house.do(CampaignActed("main", "c1", "stop"))
    house.run(5.0)
    assert {one.lead_id: one.state.value for one in house.store.leads.values()} == {
        "l00001": "waiting",
        "l00002": "callback",
    }
    assert house.store.leads["l00002"].not_before_s == START_S
    assert not house.wanted


@pytest.mark.parametrize("tenant", ["main", ""])
def test_after_an_import_the_store_is_asked_at_once(tenant: str) -> None:
    """Without a tenant: a national register has changed, which is everybody's."""
    house = House(campaign(), agents=1)
    house.answers = silent
    house.start()
    house.run(5.0)
    house.store.leads["l00001"] = record(1)
    house.run(5.0)
    assert not house.wanted, "it is looked at once a minute"
    house.do(ListsChanged("acme"))
    house.run(5.0)
    assert not house.wanted, "those were another tenant's lists"
    house.do(ListsChanged(tenant))
    house.run(30.0)
    assert len(house.wanted) == 1


def test_an_import_from_where_nobody_was_before_is_dialed_at_once() -> None:
    house = House(campaign(packs=(law(OFFICE_HOURS),)), agents=1)
    house.answers = silent
    house.now_s = at("2026-11-23 12:00", MADRID)
    stage = house.store.stage
    there = [MADRID]

    def staged(wanted: Staging) -> LeadsStaged:
        knows = wanted.zones_open is None or set(there) <= set(wanted.zones_open)
        return replace(stage(wanted) if knows else LeadsStaged("main", "c1", ()), zones=tuple(there))

    house.store.stage = staged  # type: ignore[method-assign]
    house.start()
    house.run(5.0)
    there.append("Atlantic/Canary")
    house.store.leads["l00001"] = record(1)
    house.do(ListsChanged("main"))
    house.run(10.0)
    assert len(house.wanted) == 1


def test_leads_that_come_while_the_store_is_being_asked_are_not_missed() -> None:
    house = House(campaign(), agents=1)
    house.answers = silent
    house.start()
    too_early = house.store_answers()
    house.store.leads["l00001"] = record(1)
    house.do(ListsChanged("main"))
    house.do(too_early)
    house.run(30.0)
    assert len(house.wanted) == 1


def test_a_register_that_is_missing_or_too_old_pauses_the_campaign_and_keeps_its_leads() -> None:
    needed = ListsNeeded(source("robinson"), Scope(), ("es-robinson",), 30 * DAY_S)
    house = House(campaign(packs=(law(needed),)), leads=[record(1), record(2)], agents=2)
    house.start()
    house.run(2.0)
    assert house.status()["state"] == "paused"
    remedy = "centralita dnc import FILE --register es-robinson --as-of DAY"
    assert f"the register es-robinson has not been imported: {remedy}" in house.status()["why"]
    old = DoNotCall("es-robinson", "national", house.now_s - 31 * DAY_S)
    house.take(house.dialer.change_lists(DoNotCallBook(national={"es-robinson": old}), house.now_s))
    house.start()
    house.run(2.0)
    assert "older than 30 days" in house.status()["why"]
    new = DoNotCall("es-robinson", "national", house.now_s, NumberSet(["+34910000001"]))
    house.take(house.dialer.change_lists(DoNotCallBook(national={"es-robinson": new}), house.now_s))
    house.start()
    house.run(2.0)
    assert house.called() == ["+34910000002"]
    assert house.store.leads["l00001"].state is LeadState.BLOCKED


@pytest.mark.parametrize(
    ("events", "live", "abandoned", "outcome"),
    [
        (("answered", "screen", "machine"), 0, 0, "machine"),
        (("answered", "screen", "connect", "hung_up"), 1, 0, "completed"),
        (("answered", "screen", "no_agent"), 1, 1, "abandoned"),
        (("answered", "screen", "hung_up"), 1, 1, "customer_hung_up"),
        (("answered", "connect", "hung_up"), 1, 0, "completed"),
        (("answered", "hung_up"), 1, 1, "customer_hung_up"),
        (("ringing", "machine"), 0, 0, "machine"),
        (("answered", "screen", "mailbox", "message_left"), 0, 0, "message_left"),
        (("answered", "screen", "mailbox", "hung_up"), 0, 0, "machine"),
        (("answered", "screen", "connect", "machine"), 0, 0, "machine"),
    ],
)
def test_who_counts_as_a_live_answer(events: tuple[str, ...], live: int, abandoned: int, outcome: str) -> None:
    house = House(campaign(screen=True), leads=[record(1)], agents=1)
    house.answers = silent
    house.start()
    house.run(1.0)
    wanted = house.wanted[0][1]
    assert wanted.screen
    for event in events:
        house.do(AttemptProgressed(wanted.interaction_id, wanted.attempt_id, event, agent_id="a00"))
    (window,) = house.status()["abandonment"]
    assert (window["live"], window["abandoned"]) == (live, abandoned)
    house.agents.them.clear()
    house.run(2.0)
    assert house.store.attempts[wanted.attempt_id].state == outcome


@pytest.mark.parametrize(
    "events", [("answered", "connect", "machine"), ("answered", "machine"), ("answered", "connect", "fax")]
)
def test_a_machine_that_an_agent_had_first_was_no_live_answer(events: tuple[str, ...]) -> None:
    house = House(campaign(screen=True, bridge_first=True), leads=[record(1)], agents=1)
    house.answers = silent
    house.start()
    house.run(1.0)
    wanted = house.wanted[0][1]
    assert (wanted.screen, wanted.bridge_first) == (True, True)
    for event in events:
        house.do(AttemptProgressed(wanted.interaction_id, wanted.attempt_id, event, agent_id="a00"))
    (window,) = house.status()["abandonment"]
    today = house.status()["today"]
    assert (window["live"], today["live"], today["connected"], today[events[-1]]) == (0, 0, 0, 1)


def test_agents_say_how_often_the_detector_was_wrong() -> None:
    what = {"other": After("retry", 3600.0, "machine")}
    house = House(campaign(screen=True, dispositions=what), leads=[record(1), record(2)], agents=2)
    house.answers = silent
    house.start()
    house.run(5.0)
    for (_, wanted), said in zip(house.wanted, ("other", "sold"), strict=True):
        ids = (wanted.interaction_id, wanted.attempt_id)
        for event in ("answered", "screen", "connect", "hung_up"):
            house.do(AttemptProgressed(*ids, event, agent_id="a00", verdict="human", evidence="so"))
        house.do(AttemptDisposed(*ids, "a00", said))
    found = house.status()
    assert (found["detector"]["told"], found["detector"]["machines"]) == (2, 1)
    assert found["detector"]["least"] < 0.5 < found["detector"]["most"]
    (window,) = found["abandonment"]
    assert (window["live"], found["today"]["live"], found["today"]["connected"]) == (1, 1, 1)


@pytest.mark.parametrize(("reviewed", "at_worst"), [(NOT_REVIEWED, 10), (Reviewed(0, 10_000), 1), (Reviewed(3, 30), 3)])
def test_machine_verdicts_count_as_people_at_the_worst_a_sample_leaves(reviewed: Reviewed, at_worst: int) -> None:
    leads = [record(n) for n in range(1, 21)]
    house = House(campaign(screen=True, reviewed=reviewed), leads=leads, agents=20)
    house.answers = lambda wanted: [(1.0, "answered"), (1.5, "screen"), (2.0, "machine" if _odd(wanted) else "connect")]
    house.start()
    house.run(30.0)
    (window,) = house.status()["abandonment"]
    assert (window["machines"], window["at_worst"]) == (10, at_worst)


def _odd(wanted: AttemptWanted) -> bool:
    return int(wanted.called[-2:]) % 2 == 1


def test_what_no_detector_heard_measures_none() -> None:
    house = House(campaign(dispositions={"other": After(means="machine")}), leads=[record(1)], agents=1)
    house.answers = served(1.0)
    house.disposition = lambda wanted: "other"
    house.start()
    house.run(600.0)
    assert house.status()["today"]["dialed"] == 1
    assert house.status()["detector"]["told"] == 0
    assert house.status()["today"]["live"] == 0, "it was nobody all the same"


MESSAGE: dict[str, Any] = {"screen": True, "on_machine": "message", "machine_flow": "voicemail"}


def test_a_message_on_a_machine_is_a_call_without_an_agent_for_the_law() -> None:
    consent = BasisNeeded(source("consent"), Scope(modes=frozenset({Mode.AGENTLESS})), frozenset({Basis.CONSENT}))
    leads = [record(1), replace(record(2), basis="consent", consent_s=START_S - DAY_S, proof="form 7")]
    house = House(campaign(packs=(law(consent),), **MESSAGE), leads=leads, agents=2)
    house.start()
    house.run(5.0)
    asked = {wanted.lead_id: wanted for _, wanted in house.wanted}
    assert asked["l00001"].on_machine == "hang_up"
    assert "consent" in asked["l00001"].machine_why
    assert "+3491" not in asked["l00001"].machine_why
    assert (asked["l00002"].on_machine, asked["l00002"].machine_why) == ("message", "")
    assert asked["l00002"].machine_flow == "voicemail"


def test_a_message_that_was_left_follows_its_own_rule_of_retries() -> None:
    rules = {"message_left": Retry(7200.0, 2, "same")}
    house = House(campaign(retries=rules, **MESSAGE), leads=[record(1)], agents=1)
    house.answers = lambda wanted: [(1.0, "answered"), (1.5, "screen"), (4.0, "mailbox"), (9.0, "message_left")]
    house.start()
    house.run(3600.0)
    assert house.states() == {"waiting": 1}
    house.run(2 * 7200.0)
    assert len(house.wanted) == 2
    assert house.states() == {"exhausted": 1}
    assert house.status()["today"]["message_left"] == 2


def test_what_was_heard_stays_with_the_attempt() -> None:
    house = House(campaign(screen=True), leads=[record(1)], agents=1)
    house.answers = silent
    house.start()
    house.run(1.0)
    wanted = house.wanted[0][1]
    ids = (wanted.interaction_id, wanted.attempt_id)
    house.do(AttemptProgressed(*ids, "answered"))
    house.do(AttemptProgressed(*ids, "screen"))
    house.do(AttemptProgressed(*ids, "machine", why="a beep", verdict="machine", evidence="a beep"))
    house.run(2.0)
    kept = house.store.attempts[wanted.attempt_id]
    assert (kept.state, kept.verdict, kept.evidence, kept.greeted_s) == ("machine", "machine", "a beep", None)


def test_the_time_that_the_law_counts_from_the_answer_goes_with_the_attempt() -> None:
    within = AgentWithin(source("in_time"), Scope(), 2.0, since="answer")
    house = House(campaign(packs=(law(within),), within_s=4.0), leads=[record(1)], agents=1)
    house.start()
    house.run(1.0)
    wanted = house.wanted[0][1]
    assert (wanted.within_s, wanted.after_answer_s) == (2.0, 2.0)


def test_the_attempts_of_others_at_the_same_number_count_for_a_lead_in_the_hopper() -> None:
    """Both were staged before either was dialed."""
    same = ("+34910000009",)
    rules = law(replace(cap(1, DAY_S), per="number"))
    leads = [record(1, numbers=same), record(2, numbers=same), record(3, "c2-list", numbers=same)]
    house = House(campaign("c1", packs=(rules,)), campaign("c2", packs=(rules,)), leads=leads, agents=3)
    house.answers = lambda wanted: [(3.0, "busy")]
    house.start("c1")
    house.start("c2")
    house.run(120.0)
    assert house.called() == list(same)


def test_a_lead_staged_with_an_old_history_is_known_better_here() -> None:
    house = House(campaign(packs=(law(cap(1, DAY_S)),)), leads=[record(1)], agents=1)
    house.answers = lambda wanted: [(3.0, "busy")]
    house.start()
    house.run(10.0)
    house.do(LeadsStaged("main", "c1", (StagedLead(record(1)),)))
    house.run(10.0)
    assert len(house.wanted) == 1, "the store gave it out before it knew of the attempt"


def test_served_people_teach_the_pacer_and_its_memory_survives() -> None:
    house = House(campaign(mode=Mode.PREDICTIVE), leads=[record(index) for index in range(60)], agents=3)
    house.answers = served()
    house.start()
    house.run(300.0)
    row = ("pacer", "main/c1")
    before = house.rows[row]
    house.reborn()
    house.run(0.0)
    assert house.dialer.save(row) == before


def test_leads_come_and_go_a_few_at_a_time() -> None:
    setup = campaign(mode=Mode.AGENTLESS, max_lines=200)
    house = House(setup, leads=[record(index) for index in range(1500)])
    house.answers = lambda wanted: [(1.0, "ringing")]
    first = house.start().wanted
    assert [one.count for one in first] == [200]
    house.run(20.0)
    assert house.status()["hopper"] > 500
    house.do(CampaignActed("main", "c1", "stop"))
    assert house.status()["hopper"] > 300
    house.run(60.0)
    assert house.status()["hopper"] == 0
    assert LeadState.STAGED not in {one.state for one in house.store.leads.values()}


@pytest.mark.parametrize("restarted", [False, True])
def test_who_was_held_back_by_rules_that_have_changed_is_asked_again_at_once(restarted: bool) -> None:
    """Put off by hours, blocked without a pack, given up by a cap; not whoever was promised to be left alone."""
    afternoon = law(hours(dict.fromkeys(range(7), ((16 * 60, 21 * 60),))))
    known = [replace(record(4), state=LeadState.WAITING, reason="other/later", not_before_s=START_S + 3600.0)]
    house = House(campaign(packs=(afternoon,)), leads=[record(1), *known], agents=3)
    house.store.leads |= {
        "blocked": replace(record(2), lead_id="blocked", state=LeadState.BLOCKED, reason="rule place/no_pack"),
        "used_up": replace(record(3), lead_id="used_up", state=LeadState.EXHAUSTED, reason="rule campaign/lead_ever"),
        "listed": replace(record(5), lead_id="listed", state=LeadState.BLOCKED, reason="do_not_call/own"),
    }
    campaign_before = house.dialer._state.campaigns["main", "c1"]
    campaign_before.law_id = house.setup.campaigns["main", "c1"].law_id
    house.start()
    house.run(60.0)
    assert (house.called(), house.store.leads["l00001"].reason) == ([], "rule test/hours")
    if restarted:
        house = house.reborn()
    house.setup = DialerSetup("r2", {("main", "c1"): campaign(packs=(law(),))})
    house.take(house.dialer.change_setup(house.setup, house.now_s))
    house.run(60.0)
    assert sorted(house.called()) == [record(number).numbers[0].number for number in (1, 2, 3)]
    assert house.dialer._state.campaigns["main", "c1"].law_id == house.setup.campaigns["main", "c1"].law_id


def test_the_same_rules_have_the_same_id_in_every_process() -> None:
    script = (
        "from tests.unit.dialer.house import campaign, law;"
        "from dialer.compliance.rules import Mode;"
        "print(campaign(packs=(law(),)).law_id)"
    )
    found = {
        subprocess.run(
            [sys.executable, "-c", script],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert found == {campaign(packs=(law(),)).law_id + "\n"}
    assert campaign(packs=(law(percent=2),)).law_id + "\n" not in found


@pytest.mark.parametrize("other", [{"quotas": (Quota("sold", "sold", 5),)}, {"lists": (ListShare("elsewhere"),)}])
def test_quotas_and_lists_count_as_rules(other: dict[str, Any]) -> None:
    assert campaign(**other).law_id != campaign().law_id
    assert campaign(max_lines=7, weight=3).law_id == campaign().law_id, "who is asked does not depend on it"


def test_who_is_on_a_list_that_is_taken_out_leaves_the_hopper() -> None:
    setup = campaign(lists=(ListShare("going"), ListShare("staying")))
    leads = [*(record(n, "going") for n in range(4)), *(record(n, "staying") for n in range(4, 8))]
    house = House(setup, leads=leads)
    house.start()
    house.run(1.0)
    assert house.status()["hopper"] > 4
    house.do(CampaignActed("main", "c1", "pause", by="test"))
    house.do(ListsChanged("main", leaving="going"))
    house.run(1.0)
    states = {one.lead_id: (one.list_id, one.state) for one in house.store.leads.values()}
    assert all(state is not LeadState.STAGED for of, state in states.values() if of == "going"), states
    assert any(state is LeadState.STAGED for of, state in states.values() if of == "staying"), states


def test_and_is_not_staged_again_while_she_is_taken_out() -> None:
    house = House(campaign(), leads=[record(n) for n in range(4)])
    house.start()
    house.run(1.0)
    house.do(ListsChanged("main", leaving="c1-list"))
    house.run(5.0)
    assert house.states() == {"waiting": 4}
    house.run(65.0)
    assert house.states() == {"staged": 4}, "nobody took her out after all"
