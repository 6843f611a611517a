"""Promises to pay and appointments: nobody is dialed about them early, and nothing makes them be forgotten."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.dialing import AttemptWanted, CampaignActed, FormFilled, LeadActed
from core.lead import LeadState
from core.lead_record import LeadNumber, LeadRecord, StagedLead
from dialer.setup import After, CampaignSetup, FormField, Retry
from tests.unit.dialer.house import START_S, House, agentless, campaign, law, record, served
from tests.unit.dialer.law_case import DAY_S, at, hours, pack

HOUR_S = 3600.0
FORM = (
    FormField("pay_on", kind="date"),
    FormField("sum", kind="money"),
    FormField("visit", kind="datetime"),
    FormField("note", required=True),
)
DISPOSITIONS = {
    "promise": After("promise", date="pay_on", amount="sum"),
    "visit": After("appointment", date="visit"),
    "wrong": After("wrong_number"),
}


def setup(**more: object) -> CampaignSetup:
    given = {"form": FORM, "dispositions": DISPOSITIONS, "grace_s": 2 * DAY_S, "remind_s": 24 * HOUR_S, **more}
    return campaign(**given)


def house(*leads: LeadRecord, **more: object) -> House:
    made = House(setup(**more), leads=leads or (record(1),), agents=1)
    made.setup = replace(made.setup, time_zone="Europe/Madrid")
    made.take(made.dialer.change_setup(made.setup, made.now_s))
    made.answers = served()
    made.start()
    return made


def write(house: House, wanted: AttemptWanted, disposition: str = "", complete: bool = True, **answers: str) -> str:
    """What the agent is refused; empty: it was kept."""
    fact = FormFilled("main", wanted.attempt_id, "a00", answers, complete, disposition)
    return house.do(fact).refused


def later(house: House, until_s: float) -> None:
    """Time goes by without anybody looking, but for the last minutes."""
    house.now_s = max(house.now_s, until_s)
    house.run(120.0)


def talk_over(house: House, disposition: str, **answers: str) -> AttemptWanted:
    """The next conversation, as far as its agent's wrap-up with these answers."""
    before = len(house.wanted)
    house.disposition = lambda wanted: disposition
    while len(house.wanted) == before:
        house.run(1.0)
    wanted = house.wanted[-1][1]
    house.run(30.0)
    assert write(house, wanted, disposition, note="said so", **answers) == ""
    house.run(60.0)
    return wanted


def why(house: House, lead_id: str = "l00001") -> list[str]:
    lead = house.store.leads[lead_id]
    told = house.dialer.why(StagedLead(lead, house.store.history(lead)), house.now_s)
    return [*told["sentences"]]


def tell(house: House, action: str, lead_id: str = "l00001") -> str:
    lead = house.store.leads[lead_id]
    return house.do(LeadActed("main", "", lead_id, action, by="test", lead=StagedLead(lead))).refused  # type: ignore[arg-type]


# -- promises ---------------------------------------------------------------------------------------
def test_who_promised_to_pay_is_dialed_again_after_the_day_and_its_grace() -> None:
    made = house()
    talk_over(made, "promise", pay_on="2026-11-25", sum="90,5 €")
    lead = made.store.leads["l00001"]
    due_s = at("2026-11-28 00:00", "Europe/Madrid")
    assert (lead.state, lead.not_before_s) == (LeadState.WAITING, due_s)
    assert lead.promise is not None
    assert (lead.promise.kind, lead.promise.on, lead.promise.amount) == ("promise", "2026-11-25", "90.50")
    assert why(made)[1] == (
        "she promised to pay 90.50 by 2026-11-25: she is not dialed about it before 2026-11-28 00:00"
    )
    later(made, due_s - 121.0)
    assert len(made.wanted) == 1
    later(made, due_s)
    assert len(made.wanted) == 2
    assert made.wanted[-1][0] >= due_s
    assert made.wanted[-1][1].variables["promised_for"] == "2026-11-25"
    assert made.wanted[-1][1].variables["promised_amount"] == "90.50"


def test_answers_are_kept_with_the_attempt_as_they_were_read() -> None:
    made = house()
    wanted = talk_over(made, "promise", pay_on="2026-11-25", sum="1.000")
    kept = made.store.attempts[wanted.attempt_id].answers
    assert kept == {"pay_on": "2026-11-25", "sum": "1000.00", "note": "said so"}


def test_a_day_is_over_when_it_is_so_where_she_is() -> None:
    lima = LeadNumber("+34911234567", time_zone="America/Lima")
    made = house(replace(record(1), numbers=(lima,)), grace_s=0.0)
    talk_over(made, "promise", pay_on="2026-11-25")
    assert made.store.leads["l00001"].not_before_s == at("2026-11-26 00:00", "America/Lima")


def test_who_kept_it_is_done_with() -> None:
    made = house()
    talk_over(made, "promise", pay_on="2026-11-25")
    assert tell(made, "kept") == ""
    made.run(5.0)
    lead = made.store.leads["l00001"]
    assert (lead.state, lead.reason) == (LeadState.DONE, "promise_kept")
    assert why(made)[1] == "she promised to pay by 2026-11-25, and it was kept"
    later(made, made.now_s + 10 * DAY_S)
    assert len(made.wanted) == 1


def test_who_broke_it_is_dialed_at_once_but_not_before_its_day_is_over() -> None:
    made = house()
    talk_over(made, "promise", pay_on="2026-11-25")
    assert tell(made, "broken") == "what she promised still lies ahead: it cannot be broken yet"
    later(made, at("2026-11-26 10:00", "Europe/Madrid"))
    assert len(made.wanted) == 1
    assert tell(made, "broken") == ""
    made.run(90.0)
    assert len(made.wanted) == 2
    assert made.store.leads["l00001"].promise.outcome == "broken"  # type: ignore[union-attr]


def test_what_nobody_promised_cannot_be_kept() -> None:
    made = house()
    made.do(CampaignActed("main", "c1", "pause"))
    assert tell(made, "kept") == "this lead has promised nothing"


def test_kept_while_she_is_being_dialed_ends_it_all_the_same() -> None:
    made = house(retries={"no_answer": Retry(60.0, 5)})
    talk_over(made, "promise", pay_on="2026-11-23")
    made.answers = lambda wanted: [(1.0, "ringing"), (40.0, "no_answer")]
    made.now_s = at("2026-11-26 00:00", "Europe/Madrid")
    while len(made.wanted) == 1:
        made.run(1.0)
    made.run(5.0)
    assert tell(made, "kept") == ""
    later(made, made.now_s + 5 * DAY_S)
    assert len(made.wanted) == 2
    assert made.store.leads["l00001"].state is LeadState.DONE


@pytest.mark.parametrize("disposition", ["promise", "visit"])
def test_when_nobody_wrote_down_the_day_she_is_tried_again_like_anybody(disposition: str) -> None:
    made = house()
    made.disposition = lambda wanted: disposition
    made.run(120.0)
    lead = made.store.leads["l00001"]
    assert (lead.state, lead.promise) == (LeadState.WAITING, None)
    assert made.now_s + DAY_S - 120.0 < lead.not_before_s <= made.now_s + DAY_S


def test_a_newer_promise_takes_the_place_of_the_older() -> None:
    made = house(grace_s=0.0)
    talk_over(made, "promise", pay_on="2026-11-23", sum="10")
    made.now_s = at("2026-11-24 00:00", "Europe/Madrid")
    second = talk_over(made, "promise", pay_on="2026-12-09", sum="20")
    promise = made.store.leads["l00001"].promise
    assert promise is not None
    assert (promise.on, promise.amount, promise.attempt_id) == ("2026-12-09", "20.00", second.attempt_id)


def test_a_callback_she_asked_for_comes_before_the_day() -> None:
    made = house()
    talk_over(made, "promise", pay_on="2026-12-20")
    lead = StagedLead(made.store.leads["l00001"])
    soon_s = made.now_s + 600.0
    assert made.do(LeadActed("main", "c1", "l00001", "callback", at_s=soon_s, lead=lead)).refused == ""
    made.run(900.0)
    assert len(made.wanted) == 2
    assert made.store.leads["l00001"].promise is not None


def test_a_disposition_called_callback_holds_her_back_like_any_other() -> None:
    made = house(dispositions={"callback": DISPOSITIONS["promise"]})
    talk_over(made, "callback", pay_on="2026-12-20")
    later(made, made.now_s + 5 * DAY_S)
    assert len(made.wanted) == 1
    promised = made.store.leads["l00001"]
    made.store.leads["l00001"] = replace(promised, not_before_s=0.0)
    later(made, made.now_s + DAY_S)
    assert len(made.wanted) == 1


def test_reopening_or_importing_her_anew_does_not_dial_her_early() -> None:
    made = house()
    talk_over(made, "promise", pay_on="2026-12-20")
    promised = made.store.leads["l00001"]
    made.store.leads["l00001"] = replace(promised, state=LeadState.NEW, not_before_s=0.0, reason="")
    later(made, made.now_s + 5 * DAY_S)
    assert len(made.wanted) == 1
    assert made.store.leads["l00001"].not_before_s == promised.not_before_s


def test_a_promise_that_the_store_has_not_heard_of_outlives_a_kill() -> None:
    made = house()
    made.run(10.0)
    wanted = made.wanted[-1][1]
    assert write(made, wanted, "promise", note="x", pay_on="2026-12-20", sum="5") == ""
    made.storing = False
    made.reborn()
    made.disposition = lambda _: "promise"
    made.run(120.0)
    assert made.store.leads["l00001"].promise is None
    made.reborn()
    made.storing = True
    made.take(made.dialer.restore(made.rows, made.now_s, lambda _: False))
    made.run(5.0)
    promise = made.store.leads["l00001"].promise
    assert promise is not None
    assert (promise.on, promise.amount) == ("2026-12-20", "5.00")
    assert made.store.attempts[wanted.attempt_id].answers["sum"] == "5.00"
    later(made, made.now_s + 5 * DAY_S)
    assert len(made.wanted) == 1


# -- appointments -----------------------------------------------------------------------------------
def test_an_appointment_is_reminded_of_before_its_hour_and_never_after() -> None:
    made = house(retries={"no_answer": Retry(3 * HOUR_S, 50)})
    talk_over(made, "visit", visit="2026-11-27T17:30")
    first_s = at("2026-11-26 17:30", "Europe/Madrid")
    made.answers = lambda wanted: [(1.0, "ringing"), (20.0, "no_answer")]
    made.now_s = first_s - 120.0
    made.run(26 * HOUR_S)
    again = [at_s for at_s, _ in made.wanted[1:]]
    assert first_s <= again[0] < first_s + 90.0
    assert len(again) == 8
    assert again[-1] < first_s + DAY_S
    lead = made.store.leads["l00001"]
    assert (lead.state, lead.reason) == (LeadState.EXHAUSTED, "rule appointment/over")


def test_an_appointment_that_is_near_needs_no_reminder() -> None:
    made = house()
    talk_over(made, "visit", visit="2026-11-23T16:00")
    lead = made.store.leads["l00001"]
    assert (lead.state, lead.reason) == (LeadState.DONE, "visit")


def test_reminding_is_over_when_she_was_reached() -> None:
    made = house()
    talk_over(made, "visit", visit="2026-11-27T17:30")
    later(made, at("2026-11-26 17:25", "Europe/Madrid"))
    talk_over(made, "reminded")
    assert made.store.leads["l00001"].state is LeadState.DONE


# -- what the form is refused for --------------------------------------------------------------------
def test_a_contact_is_not_finished_without_what_is_needed() -> None:
    made = house()
    made.run(10.0)
    wanted = made.wanted[-1][1]
    assert write(made, wanted, "promise") == "fill in first: note, pay_on"
    assert write(made, wanted, "sold") == "fill in first: note"
    assert write(made, wanted, "wrong") == "", "there was nobody to ask"
    assert write(made, wanted, "promise", note="x", pay_on="2026-11-22") == (
        "pay_on: 2026-11-22 has passed: choose a later one"
    )
    assert write(made, wanted, "visit", note="x", visit="2026-11-23T09:00") == (
        "visit: 2026-11-23T09:00 has passed: choose a later one"
    )
    assert write(made, wanted, complete=False, sum="x", pay_on="soon").count("; ") == 1
    assert write(made, wanted, complete=False, sum="5") == ""
    assert write(made, wanted, "promise", note="x", pay_on="2026-11-23") == ""
    assert write(made, wanted, complete=False, sum="") == ""
    made.disposition = lambda _: "promise"
    made.run(120.0)
    assert made.store.attempts[wanted.attempt_id].answers == {"note": "x", "pay_on": "2026-11-23"}
    assert write(made, wanted, "promise", sum="7") == "this contact has been closed: its form takes no more"
    assert write(made, wanted, "promise") == ""


def test_a_refused_form_changes_nothing() -> None:
    made = house()
    made.run(10.0)
    wanted = made.wanted[-1][1]
    assert write(made, wanted, complete=False, note="first") == ""
    assert write(made, wanted, complete=False, note="second", sum="x") != ""
    desk = made.dialer.desk_of(wanted.interaction_id, made.now_s, {})
    assert desk is not None
    assert desk["answers"] == {"note": "first"}
    fact = FormFilled("other", wanted.attempt_id, "a00", {"note": "theirs"})
    assert made.do(fact).refused == "this contact has been closed: its form takes no more"


# -- whatever happens ---------------------------------------------------------------------------------
OPENS, CLOSES = 9, 20
WINDOWS = pack(*law().rules[:3], hours(dict.fromkeys(range(5), ((OPENS * 60, CLOSES * 60),))))
ANSWERS: tuple[Callable[[AttemptWanted], list[tuple[float, str]]], ...] = (
    served(),
    agentless,
    lambda wanted: [(1.0, "ringing"), (20.0, "no_answer")],
    lambda wanted: [(2.0, "busy")],
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_no_promise_leads_to_a_call_before_its_day_or_outside_the_windows(data: st.DataObject) -> None:
    """Worked out from what was dialed and what was written down: promises, appointments, retries, words of others, a
    kill at any moment, an import that makes the lead new again."""
    grace_s = data.draw(st.sampled_from([0.0, HOUR_S, 2 * DAY_S]))
    again = {name: Retry(1800.0, 20) for name in ("no_answer", "busy", "abandoned", "failed")}
    made = house(packs=(WINDOWS,), grace_s=grace_s, retries=again)
    zone = ZoneInfo("Europe/Madrid")
    not_before_s = 0.0
    checked = 0
    for _ in range(data.draw(st.integers(3, 12))):
        step = data.draw(st.sampled_from(["wait", "wait", "talk", "die", "import", "kept", "broken", "unstage"]))
        if step == "wait":
            made.answers = data.draw(st.sampled_from(ANSWERS))
            made.now_s += data.draw(st.sampled_from([0.0, HOUR_S, 5 * HOUR_S, DAY_S, 3 * DAY_S]))
            made.run(data.draw(st.sampled_from([60.0, 600.0])))
        elif step == "die":
            made.reborn()
            made.now_s += 1.0
        elif step == "import" and made.store.leads["l00001"].state is LeadState.WAITING:
            kept = made.store.leads["l00001"]
            if ("main", "l00001") not in made.dialer.held():
                made.store.leads["l00001"] = replace(kept, state=LeadState.NEW, not_before_s=0.0, reason="")
        elif step in ("kept", "broken") and ("main", "l00001") not in made.dialer.held():
            not_before_s = not_before_s if tell(made, step) else 0.0
            made.run(1.0)
        elif step == "unstage":
            made.do(CampaignActed("main", "c1", "stop"))
            made.run(30.0)
            made.do(CampaignActed("main", "c1", "start"))
        elif step == "talk":
            made.answers = served()
            ahead = data.draw(st.integers(0, 6))
            kind = data.draw(st.sampled_from(["promise", "visit"]))
            day = datetime.fromtimestamp(made.now_s + ahead * DAY_S, zone).date()
            before = len(made.wanted)
            made.disposition = lambda wanted, kind=kind: kind  # type: ignore[misc]
            made.run(2.0)
            if len(made.wanted) == before:
                continue
            made.run(20.0)
            hour = data.draw(st.integers(0, 23))
            answers = {"pay_on": f"{day}"} if kind == "promise" else {"visit": f"{day}T{hour:02d}:15"}
            if write(made, made.wanted[-1][1], kind, note="x", **answers) == "":
                end = at(f"{day} 00:00", "Europe/Madrid") + DAY_S + grace_s
                visit = at(f"{day} {hour:02d}:15", "Europe/Madrid") - DAY_S
                checked = len(made.wanted)
                not_before_s = end if kind == "promise" else visit
            made.run(100.0)
        for at_s, wanted in made.wanted[checked:]:
            assert at_s >= not_before_s, f"{wanted.attempt_id} before what was promised"
        checked = len(made.wanted) if step != "talk" else checked
    for at_s, _ in made.wanted:
        local = datetime.fromtimestamp(at_s, zone)
        assert local.weekday() < 5
        assert OPENS <= local.hour < CLOSES
    assert made.now_s >= START_S
