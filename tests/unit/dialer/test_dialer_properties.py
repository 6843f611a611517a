"""No order of events dials outside a window, a listed number, one in two hands, or past a cap; and every lead is
accounted for, also when the engine dies at any moment.

What is checked is worked out here again, from what was dialed and what was said, not read from the dialer.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from core.agent_facts import AgentActed
from core.attempt import ATTEMPT_TABLE, OPEN_ATTEMPTS, AttemptEvent, AttemptState
from core.dialing import (
    AttemptDisposed,
    AttemptProgressed,
    AttemptWanted,
    CampaignActed,
    LeadActed,
    LeadsStaged,
    ManualAsked,
    NumberListed,
    PreviewActed,
)
from core.errors import EventRefused
from core.events import TimerFired
from core.lead import LeadState
from core.lead_record import StagedLead
from core.lead_store import Save
from dialer.compliance.rules import Mode
from dialer.dialer import Dialer
from dialer.do_not_call import DoNotCallBook
from dialer.floor import FloorAgent
from dialer.records import lead_row
from dialer.saved import load
from dialer.setup import CallerIds, CampaignSetup, DialerSetup, Retry
from dialer.turn import DialerOutcome
from tests.unit.dialer.house import START_S, Agents, Store, campaign, law, record
from tests.unit.dialer.law_case import DAY_S, cap, hours, pack

OPENS, CLOSES = 9 * 60, 20 * 60
LEAD_DAY, NUMBER_DAY = 2, 3
IDENTITIES = ("+34910000001", "+34910000002")
DAILY = 14
RULES = pack(
    *law(ring_s=10.0).rules[:3],
    hours(dict.fromkeys(range(5), ((OPENS, CLOSES),))),
    cap(LEAD_DAY, DAY_S),
    replace(cap(NUMBER_DAY, DAY_S), per="number"),
)
QUICK = {name: Retry(30.0, 4) for name in ("busy", "no_answer", "abandoned", "failed", "machine", "cancelled")}
POOL = (CallerIds("ours", IDENTITIES, daily=DAILY, rest_after=3, rest_s=120.0),)
EVENTS = ("ringing", "answered", "connect", "no_agent", "hung_up", "no_answer", "busy", "failed", "invalid", "lost")
MODES = (Mode.PROGRESSIVE, Mode.PREDICTIVE, Mode.AGENTLESS, Mode.PREVIEW)
CAMPAIGNS = ("progressive", "predictive", "agentless", "preview")
AGENTS = ("a1", "a2", "a3")


def setups() -> dict[tuple[str, str], CampaignSetup]:
    found = [
        campaign(
            name,
            mode,
            packs=(RULES,),
            retries=QUICK,
            caller_ids=POOL,
            max_lines=3 if mode is Mode.AGENTLESS else 6,
            preview_s=20.0,
        )
        for name, mode in zip(CAMPAIGNS, MODES, strict=True)
    ]
    return {one.key: one for one in found}


@dataclass
class Call:
    wanted: AttemptWanted
    at_s: float
    state: AttemptState = AttemptState.DIALING


class Dialing(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.now_s = START_S
        self.agents = Agents()
        self.setup = DialerSetup("r1", setups())
        self.dialer = Dialer(self.setup, DoNotCallBook(), self.agents)
        self.rows: dict[tuple[str, str], bytes] = {}
        self.store = Store()
        self.calls: dict[str, Call] = {}
        self.listed: set[str] = set()
        self.staged: list[LeadsStaged] = []
        self.saves: list[Save] = []
        self.timers: dict[str, float] = {}

    @initialize(
        leads=st.lists(
            st.tuples(st.sampled_from(CAMPAIGNS), st.lists(st.integers(0, 9), min_size=1, max_size=3, unique=True)),
            min_size=3,
            max_size=14,
        )
    )
    def import_leads(self, leads: list[tuple[str, list[int]]]) -> None:
        """Few numbers: many leads have the same."""
        for index, (name, numbers) in enumerate(leads):
            lead = record(index, f"{name}-list", numbers=tuple(f"+3491000010{one}" for one in numbers))
            self.store.leads[lead.lead_id] = lead
        self.imported = set(self.store.leads)
        for name in AGENTS:
            self.agents.ready(name)
        for name in CAMPAIGNS:
            self.do(CampaignActed("main", name, "start"))

    # -- what happens ------------------------------------------------------------------------------
    def do(self, fact: Any) -> DialerOutcome:
        twin = self.twin()
        outcome = self.dialer.handle(fact, self.now_s)
        again = twin.handle(fact, self.now_s)
        assert (again.facts, again.refused) == (outcome.facts, outcome.refused), "restored, it decides the same"
        assert again.decisions == outcome.decisions
        self.take(outcome)
        for aggregate in sorted(again.changed):
            body = twin.save(aggregate)
            assert body == self.rows.get(aggregate), (body and load(aggregate[0], body), self.rows.get(aggregate))
        return outcome

    def twin(self) -> Dialer:
        """What a kill -9 at this moment would leave, with all interactions alive."""
        found = Dialer(self.setup, self.book(), self.agents)
        found.restore(self.rows, self.now_s, lambda interaction_id: True)
        # Serials only have to grow: those of words that the store has kept since are in no row any more.
        found._state.serial = self.dialer._state.serial
        return found

    def book(self) -> DoNotCallBook:
        """As the store has it."""
        book = DoNotCallBook(built_s=self.now_s)
        for said in self.store.listed:
            book = book.heard(said, self.now_s)
        return book

    def take(self, outcome: DialerOutcome) -> None:
        for aggregate in sorted(outcome.changed):
            body = self.dialer.save(aggregate)
            if body is None:
                self.rows.pop(aggregate, None)
            else:
                self.rows[aggregate] = body
            if body is not None and aggregate[1] in self.calls:
                kept = load("attempt", body)
                self.calls[aggregate[1]].state = kept.state  # type: ignore[union-attr]
        lines_before = self.lines()
        for command in outcome.commands:
            self.timers[command.timer_id] = getattr(command, "due_s", 0.0)
        for fact in outcome.facts:
            if isinstance(fact, AttemptWanted):
                self.check_dialed(fact)
                self.calls[fact.attempt_id] = Call(fact, self.now_s)
            elif isinstance(fact, AgentActed):
                assert not self.dialer.previews("main", fact.agent_id, self.now_s), "shown to an empty chair"
                self.agents.them.pop(fact.agent_id, None)
            else:
                call = self.calls[fact.attempt_id]
                assert self.now_s - call.at_s >= call.wanted.least_ring_s, "it rings as long as it must"
        self.check_lines(lines_before, [fact for fact in outcome.facts if isinstance(fact, AttemptWanted)])
        self.staged += [self.store.stage(wanted) for wanted in outcome.wanted]
        self.saves += outcome.saves

    @rule(seconds=st.sampled_from([0.5, 1.0, 3.0, 15.0, 40.0, 130.0, 130.0, 3600.0, 7 * 3600.0]), quick=st.booleans())
    def time_passes(self, seconds: float, quick: bool) -> None:
        """`quick`: the store has done what it was asked meanwhile."""
        self.now_s += seconds
        if quick:
            self.leads_come()
            self.the_store_keeps()
        for timer_id, due_s in sorted(self.timers.items()):
            if due_s <= self.now_s:
                del self.timers[timer_id]
                self.do(TimerFired("dialer", timer_id))

    @rule()
    def leads_come(self) -> None:
        if self.staged:
            self.do(self.staged.pop(0))

    @rule()
    def the_store_keeps(self) -> None:
        """What it gave out before is told first: it does one thing after the other."""
        while self.staged:
            self.leads_come()
        if self.saves:
            saves, self.saves = self.saves, []
            self.do(self.store.save(saves))

    @rule(pick=st.integers(0, 50), choice=st.integers(0, 20), agent=st.sampled_from(AGENTS))
    def an_attempt_goes_on(self, pick: int, choice: int, agent: str) -> None:
        """By something its table knows."""
        open_ = [call for call in self.calls.values() if call.state in OPEN_ATTEMPTS]
        if not open_:
            return
        call = open_[pick % len(open_)]
        events = [event for event in EVENTS if (call.state, AttemptEvent(event)) in ATTEMPT_TABLE.moves]
        self.progress(call, events[choice % len(events)], agent)

    @rule(pick=st.integers(0, 50), agent=st.sampled_from(AGENTS))
    def somebody_is_served(self, pick: int, agent: str) -> None:
        """She answers, has an agent, and hangs up."""
        open_ = [call for call in self.calls.values() if call.state in OPEN_ATTEMPTS]
        for event in ("answered", "connect", "hung_up") if open_ else ():
            self.progress(open_[pick % len(open_)], event, agent)

    @rule(pick=st.integers(0, 50), event=st.sampled_from(EVENTS), agent=st.sampled_from(AGENTS))
    def an_attempt_does_anything(self, pick: int, event: str, agent: str) -> None:
        open_ = [call for call in self.calls.values() if call.state in OPEN_ATTEMPTS]
        if not open_:
            return
        self.progress(open_[pick % len(open_)], event, agent)

    @rule(pick=st.integers(0, 50))
    def an_answer_crosses(self, pick: int) -> None:
        """It was given up, and she answers all the same."""
        over = [call for call in self.calls.values() if call.state in (AttemptState.NO_ANSWER, AttemptState.CANCELLED)]
        if over:
            self.progress(over[pick % len(over)], "answered", "")

    def progress(self, call: Call, event: str, agent: str) -> None:
        wanted = call.wanted
        try:
            self.do(AttemptProgressed(wanted.interaction_id, wanted.attempt_id, event, agent_id=agent))
        except EventRefused:
            return

    @rule(
        pick=st.integers(0, 50),
        said=st.sampled_from(["done", "interested", "not_given"]),
        callback_s=st.sampled_from([0.0, 60.0]),
        personal=st.booleans(),
    )
    def an_agent_disposes(self, pick: int, said: str, callback_s: float, personal: bool) -> None:
        met = [call for call in self.calls.values() if call.state in (AttemptState.COMPLETED, AttemptState.CONNECTED)]
        if met:
            wanted = met[pick % len(met)].wanted
            at_s = self.now_s + callback_s if callback_s else 0.0
            self.do(AttemptDisposed(wanted.interaction_id, wanted.attempt_id, "a1", said, at_s, personal))

    @rule(name=st.sampled_from(AGENTS), state=st.sampled_from(["ready", "talk", "wrap_up", "gone"]))
    def an_agent_changes(self, name: str, state: Any) -> None:
        self.agents.them.pop(name, None)
        if state != "gone":
            self.agents.them[name] = FloorAgent(name, state, self.now_s, line=True)
        self.take(self.dialer.nudge("main", "sales", self.now_s))

    @rule(name=st.sampled_from(CAMPAIGNS), action=st.sampled_from(["start", "start", "pause", "drain", "stop"]))
    def somebody_acts(self, name: str, action: Any) -> None:
        self.do(CampaignActed("main", name, action))

    @rule(number=st.integers(0, 9))
    def she_asks_not_to_be_called(self, number: int) -> None:
        called = f"+3491000010{number}"
        self.listed.add(called)
        self.do(NumberListed("main", called, by="caller"))

    @rule(number=st.integers(0, 11), agent=st.sampled_from(AGENTS), name=st.sampled_from(CAMPAIGNS))
    def an_agent_dials(self, number: int, agent: str, name: str) -> None:
        called = f"+3491000010{number}" if number < 10 else f"+349100002{number}"
        known = next((one for one in self.store.leads.values() if called in {n.number for n in one.numbers}), None)
        if known is None:
            history = tuple(one for one in self.store.attempts.values() if one.number == called)
            given = StagedLead(
                replace(record(0, ""), lead_id=f"manual{called}", numbers=record(0, numbers=(called,)).numbers), history
            )
            self.do(ManualAsked("main", name, agent, called, lead=given))
        else:
            given = StagedLead(known, self.store.history(known))
            self.do(ManualAsked("main", name, agent, called, known.lead_id, lead=given))

    @rule(
        pick=st.integers(0, 20), action=st.sampled_from(["callback", "opt_out", "reopen", "finish"]), mine=st.booleans()
    )
    def somebody_decides_about_a_lead(self, pick: int, action: Any, mine: bool) -> None:
        known = sorted(self.store.leads)[pick % len(self.store.leads)]
        lead = self.store.leads[known]
        given = StagedLead(lead, self.store.history(lead))
        fact = LeadActed(
            "main",
            lead.list_id.removesuffix("-list"),
            known,
            action,
            self.now_s + 60.0,
            "a2" if mine else "",
            lead=given,
        )
        try:
            outcome = self.do(fact)
        except EventRefused:
            return
        if action == "opt_out" and not outcome.refused:
            self.listed |= {number.number for number in lead.numbers}

    @rule(agent=st.sampled_from(AGENTS), action=st.sampled_from(["dial", "skip"]))
    def an_agent_looked(self, agent: str, action: Any) -> None:
        for shown in self.dialer.previews("main", agent, self.now_s)[:1]:
            self.do(PreviewActed("main", agent, shown["attempt_id"], action))

    @rule()
    def a_handler_raises(self) -> None:
        """Nothing has changed."""
        before = {row: self.dialer.save(row) for row in self.rows}
        pool, self.agents.pool = self.agents.pool, _raises  # type: ignore[method-assign]
        try:
            for name in CAMPAIGNS:
                self.dialer.handle(CampaignActed("main", name, "start"), self.now_s)
        except ZeroDivisionError:
            pass
        else:
            raise AssertionError("it should have raised")
        finally:
            self.agents.pool = pool  # type: ignore[method-assign]
        assert {row: self.dialer.save(row) for row in self.rows} == before

    @rule(alive=st.sampled_from([True, True, True, False]))
    def kill_9(self, alive: bool) -> None:
        """What was asked of the store, and what it said, is lost; what it has is there."""
        self.dialer = Dialer(self.setup, self.book(), self.agents)
        self.staged, self.saves, self.timers = [], [], {}
        open_ = (
            {call.wanted.interaction_id for call in self.calls.values() if call.state in OPEN_ATTEMPTS} if alive else ()
        )
        self.take(self.dialer.restore(self.rows, self.now_s, lambda one: one in open_))
        for call in self.calls.values():
            if not alive and call.state in OPEN_ATTEMPTS:
                call.state = AttemptState.FAILED
        self.the_store_keeps()
        held = self.dialer.held()
        for lead_id, lead in self.store.leads.items():
            if lead.state is LeadState.STAGED and ("main", lead_id) not in held:
                self.store.leads[lead_id] = replace(lead, state=LeadState.WAITING)

    # -- what must hold --------------------------------------------------------------------------------
    def check_dialed(self, wanted: AttemptWanted) -> None:
        local = datetime.fromtimestamp(self.now_s, ZoneInfo("Europe/Madrid"))
        assert local.weekday() < 5, "outside a window"
        assert OPENS <= local.hour * 60 + local.minute < CLOSES, "outside a window"
        assert wanted.called not in self.listed, "a listed number"
        assert wanted.attempt_id not in self.calls, "twice"
        others = list(self.calls.values())
        open_ = [call for call in others if call.state in OPEN_ATTEMPTS]
        assert all(call.wanted.lead_id != wanted.lead_id for call in open_), "the lead is in another hand"
        assert all(call.wanted.called != wanted.called for call in open_), "the number is being dialed"
        lately = [call for call in others if call.at_s > self.now_s - DAY_S]
        assert sum(call.wanted.lead_id == wanted.lead_id for call in lately) < LEAD_DAY, "past a cap"
        assert sum(call.wanted.called == wanted.called for call in lately) < NUMBER_DAY, "past a cap"
        today = [call for call in others if call.at_s // DAY_S == self.now_s // DAY_S]
        assert sum(call.wanted.identity == wanted.identity for call in today) < DAILY, "past a caller id's cap"

    def lines(self) -> Counter[str]:
        calling = (AttemptState.DIALING, AttemptState.RINGING, AttemptState.ANSWERED)
        return Counter(
            call.wanted.campaign for call in self.calls.values() if call.state in calling and not call.wanted.agent_id
        )

    def check_lines(self, before: Counter[str], new: list[AttemptWanted]) -> None:
        """Without budget there is one line for each ready agent; and never more than the campaign's own."""
        ready = sum(agent.state == "ready" for agent in self.agents.them.values())
        for name in CAMPAIGNS:
            more = sum(one.campaign == name and not one.agent_id for one in new)
            if not more:
                continue
            status = self.dialer.status("main", name, self.now_s)
            assert status is not None
            assert before[name] + more <= self.setup.campaigns["main", name].max_lines
            if name == "progressive" or (name == "predictive" and status["abandonment"][0]["spare"] == 0):
                assert more <= max(0, ready - before[name]), "more lines than agents, and nobody may be abandoned"

    @invariant()
    def every_lead_is_accounted_for(self) -> None:
        held = self.dialer.held()
        coming = {one.record.lead_id for staged in self.staged for one in staged.leads}
        leaving = {one.lead.lead_id for one in self.saves if one.lead is not None}
        for lead_id, lead in self.store.leads.items():
            if lead.state is LeadState.STAGED:
                assert ("main", lead_id) in held or lead_id in coming or lead_id in leaving, f"{lead_id} is lost"
            row = self.rows.get(("lead", lead_row("main", lead_id)))
            if row is None:
                assert ("main", lead_id) not in held
        assert set(self.store.leads) == getattr(self, "imported", set()), "none more, none fewer"

    @invariant()
    def spare_is_what_was_counted(self) -> None:
        for name in CAMPAIGNS:
            status = self.dialer.status("main", name, self.now_s)
            if status is not None and status["abandonment"]:
                window = status["abandonment"][0]
                assert window["abandoned"] <= window["live"]


def _raises(*given: Any) -> Any:
    raise ZeroDivisionError


Dialing.TestCase.settings = settings(
    max_examples=25, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck)
)
TestAnyOrderOfEvents = Dialing.TestCase
