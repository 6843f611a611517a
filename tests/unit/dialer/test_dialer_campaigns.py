"""One behaviour of a campaign each: callbacks, previews, manual dialing, quotas, sharing, what follows."""

from __future__ import annotations

from dataclasses import replace

import pytest

from core.decisions import LeadBlocked
from core.dialing import (
    AttemptDisposed,
    AttemptProgressed,
    CampaignActed,
    LeadActed,
    ManualAsked,
    NumberListed,
    PreviewActed,
)
from core.lead import LeadState
from core.lead_record import LeadNumber, StagedLead
from core.lead_store import ListShare
from dialer.compliance.rules import Identity, Mode, Scope
from dialer.floor import FloorAgent
from dialer.setup import After, CallerIds, Quota, Retry
from tests.unit.dialer.house import START_S, House, campaign, law, record, served
from tests.unit.dialer.law_case import source


def silent(wanted: object) -> list[tuple[float, str]]:
    return []


def reach(house: House, *events: str, agent: str = "a00") -> str:
    """The last attempt goes through these events."""
    wanted = house.wanted[-1][1]
    for event in events:
        house.do(AttemptProgressed(wanted.interaction_id, wanted.attempt_id, event, agent_id=agent))
    house.run(0.1)
    return wanted.attempt_id


def test_the_number_she_saw_is_kept_whoever_named_it() -> None:
    house = House(campaign(), leads=[record(1)], agents=1)
    house.answers = silent
    house.start()
    house.run(1.0)
    wanted = house.wanted[-1][1]
    assert not wanted.identity, "the campaign names none"
    trunks = "+34910100100"
    for event in ("ringing", "busy"):
        house.do(AttemptProgressed(wanted.interaction_id, wanted.attempt_id, event, identity=trunks))
    house.run(1.0)
    assert house.store.attempts[wanted.attempt_id].identity == trunks


def test_agents_are_ready_also_where_nobody_is_left_to_dial() -> None:
    house = House(campaign(), leads=[record(1)], agents=3)
    house.start()
    house.run(1.0)
    house.run(60.0)
    assert house.status()["hopper"] == 0
    assert house.status()["agents"]["ready"] == 3


def test_a_script_is_told_filled_in() -> None:
    script = {"es": "Hola, {{ name }}: {{company}}, {{ balance }} €, {{ branch }}, {{ never }}"}
    setup = campaign(mode=Mode.PREVIEW, preview_s=30.0, script=script, variables={"company": "Acme"})
    house = House(setup, leads=[record(1, name="Carmen", fields={"balance": "12,50"})], agents=1)
    house.answers = silent
    house.start()
    house.run(1.0)
    (shown,) = house.dialer.previews("main", "a00", house.now_s)
    assert shown["script"] == {"es": "Hola, Carmen: Acme, 12,50 €, …, …"}
    house.do(PreviewActed("main", "a00", shown["attempt_id"], "dial"))
    wanted = house.wanted[-1][1]
    told = house.dialer.desk_of(wanted.interaction_id, house.now_s, {"branch": "Soria"})
    assert told is not None
    assert told["script"] == {"es": "Hola, Carmen: Acme, 12,50 €, Soria, …"}


# -- order ------------------------------------------------------------------------------------------
def test_priority_goes_before_list_mix_and_rank() -> None:
    setup = campaign(lists=(ListShare("big", 2), ListShare("small", 1)))
    leads = [record(index, "big", rank=float(-index)) for index in range(6)]
    leads += [record(10 + index, "small") for index in range(3)] + [record(20, "small", priority=5)]
    house = House(setup, leads=leads, agents=1)
    house.answers = served()
    house.start()
    house.run(1200.0)
    order = [wanted.lead_id for _, wanted in house.wanted]
    assert order[0] == "l00020"
    assert order[1:3] == ["l00005", "l00004"], "the lowest rank first"
    lists = [house.store.leads[one].list_id for one in order]
    assert lists[:6].count("big") == 4, "two of the big list for each of the small"
    assert len(set(order)) == 10


def test_a_promised_call_goes_before_everything_and_waits_for_its_agent() -> None:
    setup = campaign(callback_wait_s=300.0)
    promise = {"reason": "callback", "state": LeadState.CALLBACK, "not_before_s": START_S + 30.0}
    leads = [record(1), record(2), record(3, **promise), record(4, agent_id="a01", **promise)]
    house = House(setup, leads=leads, agents=1)
    house.answers = silent
    house.start()
    house.run(5.0)
    assert house.called() == [leads[0].numbers[0].number]
    house.run(60.0)
    reach(house, "no_answer")
    assert house.wanted[-1][1].lead_id == "l00003"
    reach(house, "no_answer")
    assert house.wanted[-1][1].lead_id == "l00002", "the other one is a01's, who is not here"
    house.agents.ready("a01", now_s=house.now_s)
    house.run(2.0)
    assert (house.wanted[-1][1].lead_id, house.wanted[-1][1].agent_id) == ("l00004", "a01")
    assert house.wanted[-1][1].mode == "callback"


def test_a_personal_callback_is_anybodys_when_its_agent_stays_away() -> None:
    promise = {"reason": "callback", "state": LeadState.CALLBACK, "not_before_s": START_S, "agent_id": "a09"}
    house = House(campaign(callback_wait_s=60.0), leads=[record(4, **promise)], agents=1)
    house.answers = silent
    house.start()
    house.run(50.0)
    assert not house.wanted
    held = StagedLead(house.store.leads["l00004"])
    told = house.dialer.why(held, house.now_s)
    assert told["sentences"] == ["it waits until a09 is ready, who promised this call"]
    house.run(20.0)
    assert [(wanted.lead_id, wanted.agent_id) for _, wanted in house.wanted] == [("l00004", "")]


# -- agents ------------------------------------------------------------------------------------------
def test_campaigns_share_agents_by_weight_and_never_promise_one_twice() -> None:
    setups = [campaign("c1", weight=3), campaign("c2", weight=1)]
    leads = [record(index, f"c{1 + index % 2}-list") for index in range(400)]
    house = House(*setups, leads=leads, agents=8)
    house.answers = served()
    house.talk_s = 20.0
    house.start("c1")
    house.start("c2")
    for _ in range(600):
        house.run(1.0)
        open_ = sum(house.status(name)["lines"][line] for name in ("c1", "c2") for line in ("dialing", "ringing"))
        assert open_ <= 8
    first, second = (house.status(name)["today"]["connected"] for name in ("c1", "c2"))
    assert 2.5 < first / second < 3.5
    assert house.status("c1")["today"]["abandoned"] == house.status("c2")["today"]["abandoned"] == 0


def test_the_higher_priority_has_the_agents_first() -> None:
    setups = [campaign("c1"), campaign("c2", priority=1)]
    leads = [record(index, f"c{1 + index % 2}-list") for index in range(20)]
    house = House(*setups, leads=leads, agents=2)
    house.answers = silent
    house.start("c1")
    house.start("c2")
    house.run(5.0)
    assert [wanted.campaign for _, wanted in house.wanted] == ["c1", "c1"], "they were free when it began"
    for wanted in [wanted for _, wanted in house.wanted]:
        house.do(AttemptProgressed(wanted.interaction_id, wanted.attempt_id, "no_answer"))
    house.run(0.1)
    assert [wanted.campaign for _, wanted in house.wanted[2:]] == ["c2", "c2"]


def test_only_agents_whose_line_is_held_open_count() -> None:
    house = House(campaign(), leads=[record(1)])
    house.agents.them["a1"] = FloorAgent("a1", "ready", START_S)
    house.start()
    house.run(5.0)
    assert not house.wanted
    house.agents.them["a1"] = FloorAgent("a1", "ready", START_S, line=True)
    house.run(1.0)
    assert len(house.wanted) == 1


def test_who_waits_in_the_queue_beside_us_comes_first() -> None:
    house = House(campaign(), leads=[record(1), record(2)], agents=2)
    house.agents.waiting = 1
    house.answers = silent
    house.start()
    house.run(5.0)
    assert len(house.wanted) == 1


# -- preview and manual ------------------------------------------------------------------------------
def test_an_agent_looks_then_dials_or_skips_or_runs_out_of_time() -> None:
    setup = campaign(mode=Mode.PREVIEW, preview_s=30.0, skip_after_s=600.0, script={"es": "Hola"})
    house = House(setup, leads=[record(1, fields={"city": "Soria"}), record(2), record(3), record(4)], agents=1)
    house.answers = silent
    house.start()
    house.run(2.0)
    (shown,) = house.dialer.previews("main", "a00", house.now_s)
    assert (shown["lead"]["fields"], shown["script"], shown["number"]) == (
        {"city": "Soria"},
        {"es": "Hola"},
        "+34910000001",
    )
    assert not house.wanted, "nobody is dialed by looking"
    house.do(PreviewActed("main", "a00", shown["attempt_id"], "skip"))
    house.run(0.1)
    (shown,) = house.dialer.previews("main", "a00", house.now_s)
    assert shown["lead"]["lead_id"] == "l00002"
    house.run(1.0)
    assert house.store.leads["l00001"].reason == "skipped"
    assert house.store.leads["l00001"].not_before_s > house.now_s + 500.0
    assert house.do(PreviewActed("main", "a07", shown["attempt_id"], "dial")).refused
    house.do(PreviewActed("main", "a00", shown["attempt_id"], "dial"))
    assert [(wanted.lead_id, wanted.agent_id) for _, wanted in house.wanted] == [("l00002", "a00")]
    assert not house.dialer.previews("main", "a00", house.now_s)
    reach(house, "busy")
    (shown,) = house.dialer.previews("main", "a00", house.now_s)
    house.run(31.0)
    assert house.store.leads["l00003"].reason == "skipped"
    assert house.absent == ["a00"], "she did nothing about it: nothing more is shown to an empty chair"
    assert not house.dialer.previews("main", "a00", house.now_s)
    assert house.status("c1")["previews"] == 0


def test_what_an_agent_looks_at_goes_back_when_she_is_called_away() -> None:
    house = House(campaign(mode=Mode.PREVIEW), leads=[record(1)], agents=1)
    house.start()
    house.run(1.0)
    assert house.dialer.previews("main", "a00", house.now_s)
    house.agents.them["a00"] = FloorAgent("a00", "talk", house.now_s, "inbound", True)
    house.run(2.0)
    assert not house.dialer.previews("main", "a00", house.now_s)
    assert house.store.leads["l00001"].state is LeadState.WAITING
    assert house.store.leads["l00001"].attempts == 0


def test_a_typed_number_is_dialed_under_the_same_law() -> None:
    house = House(campaign(mode=Mode.MANUAL), agents=1)
    house.answers = silent
    assert "stopped" in house.do(ManualAsked("main", "c1", "a00", "+34911234567")).refused
    house.start()
    assert not house.do(ManualAsked("main", "c1", "a00", "+34911234567")).refused
    wanted = house.wanted[-1][1]
    assert (wanted.called, wanted.agent_id, wanted.mode) == ("+34911234567", "a00", "manual")
    assert house.do(ManualAsked("main", "c1", "a00", "+34911234568")).refused == "you are dialing already"
    reach(house, "answered", "connect", "hung_up")
    house.do(AttemptDisposed(wanted.interaction_id, wanted.attempt_id, "a00", "done"))
    house.run(1.0)
    assert [one.number for one in house.store.attempts.values()] == ["+34911234567"]
    assert not house.store.leads, "a number of nobody's is on no list"
    house.do(NumberListed("main", "+34911234567"))
    assert "asked not to be called" in house.do(ManualAsked("main", "c1", "a00", "+34911234567")).refused
    assert "emergency" in house.do(ManualAsked("main", "c1", "a00", "+34112")).refused


# -- what follows ------------------------------------------------------------------------------------
DISPOSITIONS = {
    "sold": After("finish"),
    "later": After("callback", 7200.0),
    "never": After("do_not_call"),
    "wrong": After("wrong_number"),
    "again": After("retry", 1800.0),
}


@pytest.mark.parametrize(
    ("said", "state", "due_s", "dead"),
    [
        ("sold/new", LeadState.DONE, 0.0, ""),
        ("anything", LeadState.DONE, 0.0, ""),
        ("later", LeadState.CALLBACK, 7200.0, ""),
        ("never", LeadState.DONE, 0.0, ""),
        ("wrong", LeadState.WAITING, 60.0, "wrong_person"),
        ("again", LeadState.WAITING, 1800.0, ""),
    ],
)
def test_a_disposition_says_what_follows(said: str, state: LeadState, due_s: float, dead: str) -> None:
    lead = record(1, numbers=("+34910000001", "+34910000002"))
    house = House(campaign(dispositions=DISPOSITIONS), leads=[lead], agents=1)
    house.answers = silent
    house.start()
    house.run(1.0)
    attempt_id = reach(house, "answered", "connect", "hung_up")
    house.agents.them.clear()
    house.run(5.0)
    assert house.store.leads["l00001"].state is LeadState.STAGED, "in hand until the agent has said what came of it"
    house.do(AttemptDisposed("", attempt_id, "a00", said))
    house.run(1.0)
    kept = house.store.leads["l00001"]
    assert (kept.state, kept.numbers[0].dead, kept.disposition) == (state, dead, said)
    assert kept.not_before_s == pytest.approx(house.now_s - 1.0 + due_s if due_s else 0.0, abs=0.01)
    assert house.store.attempts[attempt_id].disposition == said
    assert [one.called for one in house.store.listed] == (["+34910000001"] if said == "never" else [])


def test_an_agent_who_says_nothing_is_not_waited_for_for_ever() -> None:
    house = House(campaign(), leads=[record(1)], agents=1)
    house.answers = silent
    house.start()
    house.run(1.0)
    reach(house, "answered", "connect", "hung_up")
    house.run(1900.0)
    assert house.store.leads["l00001"].disposition == "not_given"


@pytest.mark.parametrize("after", [After(), After("callback", 86_400.0)])
def test_a_callback_promised_in_the_conversation_stays(after: After) -> None:
    house = House(campaign(dispositions={"done": after}), leads=[record(1)], agents=1)
    house.answers = silent
    house.start()
    house.run(1.0)
    attempt_id = reach(house, "answered", "connect")
    promised_s = house.now_s + 3600.0
    house.do(LeadActed("main", "c1", "l00001", "callback", promised_s, "a00"))
    reach(house, "hung_up")
    house.do(AttemptDisposed("", attempt_id, "a00", "done"))
    house.agents.them.clear()
    house.run(1.0)
    kept = house.store.leads["l00001"]
    assert (kept.state, kept.reason, kept.agent_id) == (LeadState.CALLBACK, "callback", "a00")
    assert kept.not_before_s == promised_s


@pytest.mark.parametrize(
    ("mode", "why"), [(Mode.MANUAL, "dials only what agents type"), (Mode.PROGRESSIVE, "is on no list")]
)
def test_a_callback_that_nobody_would_make_is_not_promised(mode: Mode, why: str) -> None:
    house = House(campaign(mode=mode), agents=1)
    house.answers = silent
    house.start()
    lead = record(1) if mode is Mode.MANUAL else None
    given = StagedLead(lead) if lead is not None else None
    house.do(ManualAsked("main", "c1", "a00", "+34910000001", lead.lead_id if lead is not None else "", lead=given))
    reach(house, "answered", "connect")
    wanted = house.wanted[-1][1]
    asked = LeadActed("main", "c1", wanted.lead_id, "callback", house.now_s + 60.0, "a00", called=wanted.called)
    assert why in house.do(asked).refused


def test_numbers_are_tried_in_turn_and_dead_ones_never_again() -> None:
    numbers = ("+34910000001", "+34910000002", "+34910000003")
    retries = {"no_answer": Retry(10.0, 4, "next"), "invalid": Retry(10.0, 9, "next"), "busy": Retry(10.0, 3, "same")}
    house = House(campaign(retries=retries), leads=[record(1, numbers=numbers)], agents=1)
    outcomes = iter(["no_answer", "invalid", "busy", "no_answer", "no_answer", "no_answer"])
    house.answers = lambda wanted: [(5.0, next(outcomes))]
    house.start()
    house.run(900.0)
    assert [number[-1] for number in house.called()] == ["1", "2", "3", "3", "1", "3"]
    assert house.store.leads["l00001"].state is LeadState.EXHAUSTED
    assert [one.dead for one in house.store.leads["l00001"].numbers] == ["", "invalid", ""]


def test_a_quota_ends_the_campaign_and_one_of_a_field_holds_its_leads_back() -> None:
    quotas = (Quota("all", "sold", 3), Quota("soria", "sold", 1, "city", "soria"))
    leads = [record(index, fields={"city": "soria" if index % 2 else "lugo"}) for index in range(20)]
    house = House(campaign(quotas=quotas), leads=leads, agents=1)
    house.answers = served()
    house.disposition = lambda wanted: "sold/new"
    house.start()
    house.run(900.0)
    assert house.status()["state"] == "stopped"
    assert house.status()["why"] == "quota all of 3 is reached"
    sold = [one.fields["city"] for one in house.store.leads.values() if one.disposition == "sold/new"]
    assert sorted(sold) == ["lugo", "lugo", "soria"]
    assert LeadState.STAGED not in {one.state for one in house.store.leads.values()}


def test_caller_ids_are_used_evenly_rest_and_are_used_up() -> None:
    pool = CallerIds("es", ("+34910000101", "+34910000102"), daily=5, rest_after=2, rest_s=60.0)
    house = House(campaign(caller_ids=(pool,)), leads=[record(index) for index in range(30)], agents=2)
    house.answers = lambda wanted: [(2.0, "busy")]
    house.start()
    house.run(5.0)
    assert len(house.wanted) == 4, "after two calls each of them rests"
    house.run(3600.0)
    shown = [wanted.identity for _, wanted in house.wanted]
    assert sorted(shown.count(one) for one in pool.numbers) == [5, 5]
    assert any("used up" in one.why for one in house.said(LeadBlocked))


def test_numbers_that_rest_are_told_of_with_the_time_when_they_no_longer_do() -> None:
    pool = CallerIds("es", ("+34910000101",), rest_after=1, rest_s=7200.0)
    shown = law(Identity(source("shown"), Scope(), no_mobile=True))
    house = House(campaign(caller_ids=(pool,), packs=(shown,)), leads=[record(1), record(2)], agents=1)
    house.answers = lambda wanted: [(2.0, "busy")]
    house.start()
    house.run(60.0)
    found = house.dialer.why(StagedLead(house.store.leads["l00002"]), house.now_s)
    assert [block["rule"] for block in found["numbers"][0]["blocks"]] == ["identity/used_up"]
    assert found["next_s"] == pytest.approx(START_S + 7200.0, abs=5.0)


# -- people -------------------------------------------------------------------------------------------
def test_who_asks_not_to_be_called_is_not_and_what_rings_there_is_given_up_in_time() -> None:
    house = House(campaign(), leads=[record(1), record(2)], agents=1)
    house.answers = silent
    house.start()
    house.run(2.0)
    house.do(NumberListed("main", "+34910000001", by="api"))
    assert not house.cancelled, "it has not rung long enough"
    house.run(20.0)
    assert [fact.why for _, fact in house.cancelled] == ["the number asked not to be called"]
    house.run(60.0)
    assert house.called() == ["+34910000001", "+34910000002"]
    assert house.do(NumberListed("main", "911")).refused


def test_a_lead_is_opted_out_finished_and_reopened_by_people() -> None:
    house = House(campaign(), leads=[record(1), record(2)])
    given = StagedLead(house.store.leads["l00001"])
    assert "not known here" in house.do(LeadActed("main", "c1", "l00001", "finish")).refused
    house.do(LeadActed("main", "c1", "l00001", "finish", by="ana", lead=given))
    house.run(1.0)
    assert (house.store.leads["l00001"].state, house.store.leads["l00001"].reason) == (
        LeadState.DONE,
        "finished by ana",
    )
    given = StagedLead(house.store.leads["l00001"])
    house.do(LeadActed("main", "c1", "l00001", "reopen", lead=given))
    house.run(1.0)
    assert house.store.leads["l00001"].state is LeadState.NEW
    given = StagedLead(house.store.leads["l00002"])
    house.do(LeadActed("main", "c1", "l00002", "opt_out", lead=given))
    house.run(1.0)
    assert house.store.leads["l00002"].state is LeadState.DONE
    assert [one.called for one in house.store.listed] == ["+34910000002"]


def test_why_a_lead_is_not_dialed_and_when_it_may_be() -> None:
    lead = replace(record(1), numbers=(LeadNumber("+34910000001"), LeadNumber("+5491112345678", dead="invalid")))
    house = House(campaign(), leads=[lead])
    found = house.dialer.why(StagedLead(lead), house.now_s)
    assert found["sentences"] == ["it has never been dialed", "the campaign c1 is stopped"]
    assert (found["next_s"], found["numbers"][0]["allowed"], found["numbers"][1]["dead"]) == (
        house.now_s,
        True,
        "invalid",
    )
    house.do(NumberListed("main", "+34910000001"))
    found = house.dialer.why(StagedLead(lead), house.now_s)
    assert found["next_s"] is None
    assert found["numbers"][0]["blocks"][0]["rule"] == "do_not_call/main"


def test_what_is_journaled_about_a_lead_that_may_not_be_dialed_tells_no_whole_number() -> None:
    house = House(campaign(), leads=[record(1)], agents=1)
    house.do(NumberListed("main", "+34910000001"))
    house.start()
    house.run(2.0)
    (blocked,) = house.said(LeadBlocked)
    assert (blocked.number, blocked.rule) == ("…001", "do_not_call/main")
    assert "…001 asked not to be called" in blocked.why
    assert "+34910000001" not in repr([one for _, one in house.decisions])


def test_a_campaign_that_is_not_there_is_refused() -> None:
    house = House(campaign())
    assert "no campaign 'c9'" in house.do(CampaignActed("main", "c9", "start")).refused


def test_who_opted_out_is_not_reopened_before_her_conversation_is_over() -> None:
    house = House(campaign(), leads=[record(1)], agents=1)
    house.answers = silent
    house.start()
    house.run(2.0)
    attempt_id = reach(house, "ringing", "answered", "connect")
    assert not house.do(LeadActed("main", "c1", "l00001", "opt_out", by="test")).refused
    assert house.do(LeadActed("main", "c1", "l00001", "reopen", by="test")).refused.startswith("somebody is dialing")
    reach(house, "hung_up")
    house.do(AttemptDisposed(f"dial-{attempt_id}", attempt_id, "a00", "done"))
    house.run(1.0)
    assert house.store.leads["l00001"].state is LeadState.DONE
    assert not house.do(
        LeadActed("main", "c1", "l00001", "reopen", lead=StagedLead(house.store.leads["l00001"]))
    ).refused
