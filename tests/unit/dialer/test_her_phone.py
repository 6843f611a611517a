"""Who is dialed for one agent alone never waits for her phone: it is rung first."""

from dataclasses import replace

import pytest

from core.dialing import AttemptProgressed, LineCame, ManualAsked, NumberListed, PreviewActed
from core.lead import LeadState
from core.lead_record import StagedLead
from dialer.compliance.rules import Mode
from dialer.floor import FloorAgent
from tests.unit.dialer.house import House, campaign, record

HERS = "+34911234567"


def desk_phone(house, agent="a00"):
    """She is ready, at a phone, without a held line."""
    house.agents.them[agent] = FloorAgent(agent, "ready", house.now_s, device="main-1001")


def asking(mode=Mode.MANUAL, **more):
    house = House(campaign(mode=mode, **more), leads=[record(1)], agents=1)
    house.answers = lambda wanted: []
    desk_phone(house)
    house.start()
    return house


def test_her_phone_is_up_before_the_number_is_dialed():
    house = asking()
    assert not house.do(ManualAsked("main", "c1", "a00", HERS)).refused
    (line,) = house.phones
    assert (line.agent_id, line.device, line.called) == ("a00", "main-1001", HERS)
    assert not house.wanted, "nobody is dialed for a phone that rings"
    house.run(5.0)
    house.pick_up("a00")
    ((_, wanted),) = house.wanted
    assert (wanted.called, wanted.agent_id, wanted.mode) == (HERS, "a00", "manual")
    house._progress(wanted, "busy")
    assert [one.interaction_id for one in house.hung_up] == [line.interaction_id]


def test_a_held_line_is_not_rung():
    house = asking()
    house.agents.ready("a00")
    house.do(ManualAsked("main", "c1", "a00", HERS))
    assert not house.phones
    assert house.called() == [HERS]


def test_nobody_is_dialed_for_a_phone_that_is_not_picked_up():
    house = asking()
    known = replace(record(7), state=LeadState.DONE, reason="sold")
    house.store.leads[known.lead_id] = known
    house.do(ManualAsked("main", "c1", "a00", "+34910000007", known.lead_id, lead=StagedLead(known)))
    line = house.phones[-1]
    house.do(LineCame(line.interaction_id, line.attempt_id, False, "no_answer"))
    house.run(1.0)
    assert not house.wanted
    kept = house.store.leads[known.lead_id]
    assert (kept.state, kept.reason, kept.attempts) == (LeadState.DONE, "sold", 0), "she is as she was"
    assert not house.do(ManualAsked("main", "c1", "a00", HERS)).refused, "and may try again"


def test_a_phone_of_which_nothing_is_heard_is_given_up():
    house = asking()
    house.do(ManualAsked("main", "c1", "a00", HERS))
    house.run(50.0)
    assert [one.why for one in house.hung_up] == ["your phone was not picked up"]
    assert not house.wanted


def test_the_law_is_asked_again_when_she_has_picked_up():
    house = asking()
    house.do(ManualAsked("main", "c1", "a00", HERS))
    house.do(NumberListed("main", HERS))
    house.pick_up("a00")
    assert not house.wanted
    assert len(house.hung_up) == 1


def test_who_hangs_up_while_the_number_rings_leaves_nobody_waiting():
    house = asking()
    house.do(ManualAsked("main", "c1", "a00", HERS))
    house.pick_up("a00")
    line = house.phones[-1]
    house.do(LineCame(line.interaction_id, line.attempt_id, False, "hung_up"))
    house.run(16.0)
    assert [fact.why for _, fact in house.cancelled] == ["the agent hung up"]


def test_a_lead_she_looked_at_is_dialed_when_her_phone_is_up():
    house = asking(Mode.PREVIEW, held_lines=False, preview_s=30.0, skip_after_s=600.0)
    house.run(2.0)
    (shown,) = house.dialer.previews("main", "a00", house.now_s)
    house.do(PreviewActed("main", "a00", shown["attempt_id"], "dial"))
    assert not house.dialer.previews("main", "a00", house.now_s), "she has decided"
    assert "pick it up" in house.do(PreviewActed("main", "a00", shown["attempt_id"], "dial")).refused
    assert not house.wanted
    house.pick_up("a00")
    assert house.called() == ["+34910000001"]


def test_a_lead_whose_agent_does_not_pick_up_waits_a_while():
    house = asking(Mode.PREVIEW, held_lines=False, preview_s=5.0, preview_then="dial", skip_after_s=600.0)
    house.run(8.0)  # nobody decided: it is dialed, and her phone rings
    line = house.phones[-1]
    house.do(LineCame(line.interaction_id, line.attempt_id, False, "busy"))
    house.run(1.0)
    kept = house.store.leads["l00001"]
    assert (kept.state, kept.reason, kept.attempts) == (LeadState.WAITING, "your phone is busy", 0)
    assert kept.not_before_s > house.now_s + 500.0


def test_who_is_not_there_dials_nobody():
    house = asking()
    for state, said in {"talk": "talking", "wrap_up": "not finished", "reserved": "put through"}.items():
        house.agents.them["a00"] = FloorAgent("a00", state, house.now_s, device="main-1001")
        assert said in house.do(ManualAsked("main", "c1", "a00", HERS)).refused
    house.agents.them.clear()
    assert "not ready in the queue sales" in house.do(ManualAsked("main", "c1", "a00", HERS)).refused
    house.agents.them["a00"] = FloorAgent("a00", "ready", house.now_s)
    assert "no phone" in house.do(ManualAsked("main", "c1", "a00", HERS)).refused


def test_whom_an_agent_promised_a_call_has_it_from_another_when_she_does_not_pick_up():
    promise = {"reason": "callback", "state": LeadState.CALLBACK, "agent_id": "a00"}
    house = House(campaign(held_lines=False), leads=[], agents=0)
    house.answers = lambda wanted: []
    house.store.leads["l00001"] = record(1, not_before_s=house.now_s + 5.0, **promise)
    house.agents.ready("a01")
    desk_phone(house)
    house.start()
    house.run(20.0)
    line = house.phones[-1]
    house.do(LineCame(line.interaction_id, line.attempt_id, False, "no_answer"))
    house.run(60.0)
    assert [(wanted.lead_id, wanted.agent_id) for _, wanted in house.wanted] == [("l00001", "")]


def test_whom_she_promised_a_call_she_calls_without_a_held_line():
    promise = {"reason": "callback", "state": LeadState.CALLBACK, "agent_id": "a00"}
    house = House(campaign(held_lines=True, callback_wait_s=60.0), leads=[], agents=0)
    for n in (1, 2):
        house.store.leads[f"l0000{n}"] = record(n, not_before_s=house.now_s + 5.0, **promise)
    desk_phone(house)
    house.start()
    house.run(20.0)
    (line,) = house.phones
    assert line.agent_id == "a00"
    house.pick_up("a00")
    assert [wanted.agent_id for _, wanted in house.wanted] == ["a00"]


@pytest.mark.parametrize(("why", "absent"), [("no_answer", ["a00"]), ("busy", []), ("", ["a00"])])
def test_who_does_not_pick_up_is_not_ready_and_is_not_rung_again(why, absent):
    house = asking(Mode.PREVIEW, held_lines=False, preview_s=5.0, preview_then="dial", skip_after_s=600.0)
    house.store.leads["l00002"] = record(2)
    house.run(8.0)
    (line,) = house.phones
    if why:
        house.do(LineCame(line.interaction_id, line.attempt_id, False, why))
    else:
        house.run(60.0)  # nothing is heard of it
    assert house.absent == absent
    house.run(20.0)
    assert len(house.phones) == (1 if absent else 2)


def test_who_asked_by_hand_stays_ready_when_she_lets_her_phone_ring():
    house = asking()
    house.do(ManualAsked("main", "c1", "a00", HERS))
    line = house.phones[-1]
    house.do(LineCame(line.interaction_id, line.attempt_id, False, "no_answer"))
    assert house.absent == []


@pytest.mark.parametrize("held_lines", [True, False], ids=["both promised", "the other dials for her"])
def test_two_campaigns_do_not_call_for_her_at_once(held_lines):
    promise = {"reason": "callback", "state": LeadState.CALLBACK, "agent_id": "a00"}
    others = campaign("c2", mode=Mode.POWER, held_lines=held_lines, priority=1)
    house = House(campaign("c1", held_lines=True), others, leads=[], agents=0)
    house.answers = lambda wanted: []
    for n in (1, 2):
        kept = promise if n == 1 or held_lines else {}
        house.store.leads[f"l0000{n}"] = record(n, f"c{n}-list", not_before_s=house.now_s - 5.0, **kept)
    house.start("c1")
    house.start("c2")
    house.run(20.0)
    desk_phone(house)
    house.run(20.0)
    assert len(house.phones) + len(house.wanted) == 1


def test_a_phone_that_rings_survives_a_crash():
    house = asking()
    house.do(ManualAsked("main", "c1", "a00", HERS))
    house.reborn()
    house.pick_up("a00")
    assert house.called() == [HERS]


# -- what she is told ----------------------------------------------------------------------------------
def phases(house):
    return [(one["agent_id"], one["phase"], one["why"]) for one in house.status()["in_person"]]


def test_an_agent_sees_how_far_her_attempt_is_and_why_it_came_to_nothing():
    house = asking()
    house.do(ManualAsked("main", "c1", "a00", HERS))
    assert phases(house) == [("a00", "phone", "")]
    house.pick_up("a00")
    assert phases(house) == [("a00", "dialing", "")]
    (_, wanted) = house.wanted[-1]
    house._progress(wanted, "ringing")
    assert phases(house) == [("a00", "ringing", "")]
    house._progress(wanted, "busy")
    assert phases(house) == [("a00", "over", "the number is busy")]
    house.do(ManualAsked("main", "c1", "a00", "+34911234568"))
    assert [one[1] for one in phases(house)] == ["dialing"], "what she does now replaces it"


@pytest.mark.parametrize(
    ("event", "cause", "why", "said"),
    [
        ("no_answer", 0, "nobody answered within 25 s", "nobody answered within 25 s"),
        ("no_answer", 19, "no_answer", "nobody answered"),
        ("invalid", 1, "invalid_number", "the network does not know this number"),
        ("failed", 21, "rejected", "the call failed: the other side refused the call"),
        (
            "failed",
            34,
            "congestion (SIP 503)",
            "the call failed: the network has no room for the call: try again in a moment",
        ),
        ("failed", 0, "outbound: no rule", "the call failed: outbound: no rule"),
    ],
)
def test_every_end_is_told_in_words(event, cause, why, said):
    house = asking()
    house.agents.ready("a00")
    house.do(ManualAsked("main", "c1", "a00", HERS))
    wanted = house.wanted[-1][1]
    house.do(AttemptProgressed(wanted.interaction_id, wanted.attempt_id, event, cause, why))
    (told,) = house.status()["in_person"]
    assert told["why"].startswith(said)
    assert (told["phase"], told["outcome"], told["cause"], told["number"]) == ("over", event, cause, HERS)
    house.run(301.0)
    assert not house.status()["in_person"], "not for ever"


def test_a_phone_that_was_not_picked_up_is_told_and_a_skipped_lead_is_not():
    house = asking(Mode.PREVIEW, held_lines=False, skip_after_s=600.0)
    house.run(2.0)
    (shown,) = house.dialer.previews("main", "a00", house.now_s)
    house.do(PreviewActed("main", "a00", shown["attempt_id"], "skip"))
    assert not phases(house)
    house.do(ManualAsked("main", "c1", "a00", HERS))
    line = house.phones[-1]
    house.do(LineCame(line.interaction_id, line.attempt_id, False, "no_answer"))
    assert phases(house) == [("a00", "over", "your phone was not picked up")]


def test_who_talked_is_told_nothing():
    house = asking()
    house.agents.ready("a00")
    house.do(ManualAsked("main", "c1", "a00", HERS))
    wanted = house.wanted[-1][1]
    for event in ("answered", "connect"):
        house.do(AttemptProgressed(wanted.interaction_id, wanted.attempt_id, event, agent_id="a00"))
    assert not phases(house), "her conversation is on her page"
    house.do(AttemptProgressed(wanted.interaction_id, wanted.attempt_id, "hung_up", agent_id="a00"))
    assert not phases(house)


def test_what_came_of_an_earlier_one_is_not_told_once_she_has_talked():
    house = asking()
    house.agents.ready("a00")
    for number, events in ((HERS, ("busy",)), ("+34911234568", ("answered", "connect", "hung_up"))):
        house.do(ManualAsked("main", "c1", "a00", number))
        wanted = house.wanted[-1][1]
        for event in events:
            house.do(AttemptProgressed(wanted.interaction_id, wanted.attempt_id, event, agent_id="a00"))
    assert not phases(house)
