"""Without agents: what her flow says came of the call is what follows for the lead."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from core.decisions import Noted
from core.dialing import AttemptDisposed, AttemptProgressed, AttemptWanted
from core.lead import LeadState
from core.lead_record import StagedLead
from dialer.compliance.rules import Mode
from dialer.setup import After, FormField, Quota
from tests.unit.dialer.house import START_S, House, campaign, law, record

DAY_S = 86_400.0
AFTER = {
    "confirmed": After("finish"),
    "another_day": After("retry", 2 * DAY_S),
    "call_me": After("callback", 3600.0),
    "never": After("do_not_call"),
    "not_here": After("wrong_number"),
    "promise": After("promise", date="pay_on", amount="sum"),
    "visit": After("appointment", date="visit"),
}
FORM = (FormField("pay_on", kind="date"), FormField("sum", kind="money"), FormField("visit", kind="datetime"))
IN_FLOW = [(1.0, "ringing"), (5.0, "answered"), (5.0, "connect")]


class Called:
    """One lead, called; her flow has her."""

    def __init__(self, **more: Any) -> None:
        setup = campaign(
            mode=Mode.AGENTLESS, max_lines=1, dispositions=AFTER, form=FORM, packs=(law(),), **{"retries": {}, **more}
        )
        self.house = House(setup, leads=[record(1, numbers=("+34910000001", "+34910000002"))])
        self.house.answers = lambda wanted: []
        self.house.start()
        self.house.run(10.0)
        self.pick_up()

    @property
    def wanted(self) -> AttemptWanted:
        return self.house.wanted[-1][1]

    def pick_up(self) -> None:
        for event in ("ringing", "answered", "connect"):
            self.progress(event)

    def progress(self, event: str, **more: Any) -> None:
        self.house.do(AttemptProgressed(self.wanted.interaction_id, self.wanted.attempt_id, event, **more))

    def say(self, disposition: str, agent_id: str = "", **answers: str) -> None:
        attempt = (self.wanted.interaction_id, self.wanted.attempt_id)
        self.house.do(AttemptDisposed(*attempt, agent_id, disposition, answers=answers))

    def hang_up(self, **more: Any) -> None:
        self.progress("hung_up", **more)
        self.house.run(1.0)

    @property
    def lead(self) -> Any:
        return self.house.store.leads["l00001"]

    @property
    def attempt(self) -> Any:
        return self.house.store.attempts[self.wanted.attempt_id]


def test_what_she_chose_finishes_her_and_is_kept_with_the_attempt() -> None:
    called = Called()
    called.say("confirmed")
    assert called.lead.state is not LeadState.DONE, "she is still on the line"
    called.hang_up()
    assert (called.attempt.state, called.attempt.disposition, called.attempt.agent_id) == (
        "completed",
        "confirmed",
        "",
    )
    assert (called.lead.state, called.lead.reason, called.lead.disposition) == (
        LeadState.DONE,
        "confirmed",
        "confirmed",
    )
    assert called.house.status()["dispositions"] == {"confirmed": 1}
    told = called.house.dialer.why(StagedLead(called.lead, (called.attempt,)), called.house.now_s)
    assert [past["disposition"] for past in told["attempts"]] == ["confirmed"]
    assert "nothing more is done with it: confirmed" in told["sentences"]


def test_who_chooses_nothing_is_finished_as_ever() -> None:
    called = Called()
    called.hang_up()
    assert (called.attempt.disposition, called.lead.state, called.lead.reason) == ("", LeadState.DONE, "completed")
    assert called.house.status()["dispositions"] == {}


def test_the_last_choice_holds() -> None:
    called = Called()
    called.say("confirmed")
    called.say("another_day")
    called.hang_up()
    assert (called.lead.state, called.lead.disposition) == (LeadState.WAITING, "another_day")
    assert called.lead.not_before_s == pytest.approx(called.house.now_s + 2 * DAY_S, abs=2)


@pytest.mark.parametrize(
    ("said", "state", "next_number"),
    [("call_me", LeadState.CALLBACK, 0), ("not_here", LeadState.WAITING, 1), ("never", LeadState.DONE, 0)],
)
def test_it_drives_the_lead_like_an_agents(said: str, state: LeadState, next_number: int) -> None:
    called = Called()
    called.say(said)
    called.hang_up()
    assert (called.lead.state, called.lead.next_number) == (state, next_number)
    assert [listed.by for listed in called.house.store.listed] == (["caller"] if said == "never" else [])


def test_who_asks_to_be_called_back_hears_the_flow_again_then() -> None:
    called = Called()
    called.say("call_me")
    called.hang_up()
    called.house.run(3000.0)
    assert len(called.house.wanted) == 1
    called.house.run(610.0)
    assert len(called.house.wanted) == 2
    assert called.wanted.flow == "reminder"


def test_a_promise_holds_her_back_until_its_day_is_over() -> None:
    called = Called()
    day = datetime.fromtimestamp(START_S + 3 * DAY_S, UTC)
    called.say("promise", pay_on=f"{day:%Y-%m-%d}", sum="120,50")
    called.hang_up()
    promise = called.lead.promise
    assert (promise.kind, promise.on, promise.amount) == ("promise", f"{day:%Y-%m-%d}", "120.50")
    assert called.lead.not_before_s == promise.not_before_s > START_S + 4 * DAY_S
    assert called.attempt.answers == {"pay_on": f"{day:%Y-%m-%d}", "sum": "120.50"}


def test_an_appointment_is_reminded_of_before_its_hour() -> None:
    called = Called()
    at = datetime.fromtimestamp(START_S + 3 * DAY_S, UTC)
    called.say("visit", visit=f"{at:%Y-%m-%dT%H:%M}")
    called.hang_up()
    assert called.lead.promise.kind == "appointment"
    assert called.lead.not_before_s == pytest.approx(START_S + 2 * DAY_S, abs=60)


@pytest.mark.parametrize("day", ["someday", "2001-01-01", ""])
def test_a_day_that_cannot_be_is_noted_and_she_is_tried_a_day_later(day: str) -> None:
    called = Called()
    called.say("promise", pay_on=day, sum="1")
    called.hang_up()
    assert called.lead.promise is None
    assert (called.lead.state, called.attempt.answers) == (LeadState.WAITING, {"sum": "1.00"})
    assert called.lead.not_before_s == pytest.approx(called.house.now_s + DAY_S, abs=2)
    assert len([noted for noted in called.house.said(Noted) if noted.what == "form"]) == bool(day)


def test_an_agent_to_whom_her_flow_handed_her_has_the_last_word() -> None:
    called = Called()
    called.say("call_me")
    called.hang_up(agent_id="ana")
    assert called.lead.state is LeadState.STAGED, "not settled: the agent still writes up"
    called.say("confirmed", "ana")
    called.house.run(1.0)
    assert (called.attempt.disposition, called.attempt.agent_id) == ("confirmed", "ana")
    assert (called.lead.state, called.lead.disposition) == (LeadState.DONE, "confirmed")


def test_an_agent_who_says_nothing_leaves_what_the_flow_said() -> None:
    called = Called()
    called.say("another_day")
    called.hang_up(agent_id="ana")
    called.say("not_given", "ana")
    called.house.run(1.0)
    assert (called.attempt.disposition, called.lead.state) == ("another_day", LeadState.WAITING)


def test_an_agent_who_finished_before_she_hung_up_is_not_overruled_by_the_flow_after_her() -> None:
    called = Called()
    called.say("confirmed", "ana")
    called.say("another_day")
    called.hang_up(agent_id="ana")
    assert (called.attempt.disposition, called.lead.state) == ("confirmed", LeadState.DONE)


def test_an_agent_of_whom_nothing_is_heard_holds_the_lead_half_an_hour() -> None:
    called = Called()
    called.say("confirmed")
    called.hang_up(agent_id="ana")
    called.house.run(1900.0)
    assert (called.attempt.disposition, called.lead.state) == ("confirmed", LeadState.DONE)


def test_what_she_chose_survives_a_kill() -> None:
    called = Called()
    called.say("another_day")
    called.house.reborn(lambda interaction_id: True)
    called.hang_up()
    assert (called.attempt.disposition, called.lead.state) == ("another_day", LeadState.WAITING)


def test_choices_count_towards_quotas() -> None:
    called = Called(quotas=(Quota("enough", "confirmed", 1),))
    called.say("confirmed")
    called.hang_up()
    assert called.house.status()["quotas"] == [{"name": "enough", "most": 1, "reached": 1}]
