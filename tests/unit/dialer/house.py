"""A house that dials, for tests: the dialer, agents, a store of leads and people who answer as they are told to."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from core.agent_facts import AgentActed
from core.commands import StartTimer
from core.dialing import (
    AttemptCancelled,
    AttemptDisposed,
    AttemptProgressed,
    AttemptWanted,
    CampaignActed,
    LeadsSaved,
    LeadsStaged,
    LineCame,
    LineUnwanted,
    LineWanted,
    NumberListed,
)
from core.events import TimerFired
from core.lead import LeadState
from core.lead_record import BY_RULE, AttemptRecord, LeadNumber, LeadRecord, StagedLead
from core.lead_store import FREED, ListShare, Save, Staging
from core.listed_leads import after_word
from dialer.compliance.rules import AgentWithin, Mode, Purpose, Ring, RulePack, Scope
from dialer.dialer import Dialer
from dialer.do_not_call import DoNotCallBook
from dialer.floor import Absence, FloorAgent, FloorPool
from dialer.pacing import PacingSettings
from dialer.setup import CampaignSetup, DialerSetup
from dialer.turn import DialerOutcome
from tests.unit.dialer.law_case import ALL_DAY, abandonment, at, cap, hours, pack, source

START_S = at("2026-11-23 10:00", "Europe/Madrid")
"""A Monday."""


def law(*more: Any, percent: int = 3, ring_s: float = 15.0) -> RulePack:
    """A small law: a cap on abandoned calls, a least ring, two seconds for an agent."""
    return pack(
        abandonment(percent),
        Ring(source("ring"), Scope(), ring_s),
        AgentWithin(source("within"), Scope(), 2.0, "answer"),
        cap(50, 86_400.0),
        hours(ALL_DAY),
        *more,
    )


def campaign(name: str = "c1", mode: Mode = Mode.PROGRESSIVE, **more: Any) -> CampaignSetup:
    given: dict[str, Any] = {
        "tenant": "main",
        "campaign": name,
        "mode": mode,
        "purpose": Purpose.SALES,
        "packs": (law(),),
        "lists": (ListShare(f"{name}-list"),),
        "queue": "" if mode is Mode.AGENTLESS else "sales",
        "flow": "reminder" if mode is Mode.AGENTLESS else "",
        "pacing": PacingSettings(method=_METHODS.get(mode, "progressive")),
        **more,
    }
    return CampaignSetup(**given)


_METHODS = {Mode.PREDICTIVE: "adaptive_ratio", Mode.POWER: "ratio", Mode.PREVIEW: "preview"}


def record(number: int, list_id: str = "c1-list", **more: Any) -> LeadRecord:
    """`numbers`: E.164 texts; one of its own when left out."""
    numbers = more.pop("numbers", (f"+3491{number:07d}",))
    return LeadRecord(
        f"l{number:05d}", "main", list_id, tuple(LeadNumber(one) for one in numbers), basis="contract", **more
    )


@dataclass
class Agents:
    """`them`: agent -> what she does. `waiting`: contacts of the queue that are not ours. `absent`: who is logged in
    and does not count."""

    them: dict[str, FloorAgent] = field(default_factory=dict)
    absent: tuple[tuple[Absence, int], ...] = ()
    queue: str = "sales"
    waiting: int = 0

    def pool(self, tenant: str, queue: str, skills: str, now_s: float) -> FloorPool:
        if queue != self.queue:
            return FloorPool()
        ready = sorted(self.them.values(), key=lambda one: (one.since_s, one.agent_id))
        return FloorPool(tuple(ready), self.waiting, self.absent)

    def ready(self, *names: str, now_s: float = START_S) -> None:
        for name in names:
            self.them[name] = FloorAgent(name, "ready", now_s, line=True)


@dataclass
class Store:
    """Leads by id, in order. Never more than one hand on any of them."""

    leads: dict[str, LeadRecord] = field(default_factory=dict)
    attempts: dict[str, AttemptRecord] = field(default_factory=dict)
    serials: dict[str, int] = field(default_factory=dict)
    listed: list[NumberListed] = field(default_factory=list)

    def stage(self, wanted: Staging) -> LeadsStaged:
        lists = {share.list_id for share in wanted.lists}
        for one in tuple(self.leads.values()):
            if wanted.law_id and one.list_id in lists and one.reason.startswith(BY_RULE) and one.state in FREED:
                self.leads[one.lead_id] = replace(one, state=FREED[one.state], not_before_s=0.0)
        idle = (LeadState.NEW, LeadState.WAITING, LeadState.CALLBACK)
        free = [
            one
            for one in self.leads.values()
            if one.list_id in lists and one.state in idle and one.not_before_s <= wanted.now_s
        ]
        if wanted.promised:
            free = [one for one in free if one.state is LeadState.CALLBACK]
        free.sort(key=lambda one: (one.reason != "callback", -one.priority, one.rank, one.lead_id))
        taken = free[: wanted.count]
        for one in taken:
            self.leads[one.lead_id] = replace(one, state=LeadState.STAGED)
        later = [one for one in self.leads.values() if one.state in idle and one.not_before_s > wanted.now_s]
        since_s = wanted.now_s - wanted.history_s
        staged = tuple(StagedLead(self.leads[one.lead_id], self.history(one, since_s)) for one in taken)
        return LeadsStaged(
            "main",
            wanted.campaign,
            staged,
            len(free) > wanted.count,
            min((one.not_before_s for one in later), default=0.0),
            law_id=wanted.law_id,
            callback_s=min((one.not_before_s for one in later if one.state is LeadState.CALLBACK), default=0.0),
            promised=wanted.promised,
            asked_s=wanted.now_s,
        )

    def history(self, lead: LeadRecord, since_s: float = 0.0) -> tuple[AttemptRecord, ...]:
        numbers = {one.number for one in lead.numbers}
        return tuple(
            one
            for one in self.attempts.values()
            if one.lead_id == lead.lead_id or (one.number in numbers and one.dialed_s >= since_s)
        )

    def save(self, saves: Iterable[Save]) -> LeadsSaved:
        done = []
        for one in saves:
            done.append((one.id, one.serial))
            if one.serial <= self.serials.get(one.id, -1):
                continue
            self.serials[one.id] = one.serial
            if one.lead is not None:
                self.leads[one.lead.lead_id] = one.lead
            if one.attempt is not None:
                self.attempts[one.attempt.attempt_id] = one.attempt
            if one.listed is not None:
                self.listed.append(one.listed)
                self._settle(one.listed)
        return LeadsSaved(tuple(done))

    def _settle(self, said: NumberListed) -> None:
        now = {(word.called, word.campaign): word.listed for word in self.listed}
        listed = {called for (called, campaign), is_ in now.items() if is_ and not campaign}
        for one in tuple(self.leads.values()):
            if one.lead_id == said.lead_id or said.called in [each.number for each in one.numbers]:
                becomes = after_word(one, said, listed)
                if becomes is not None:
                    self.leads[one.lead_id] = replace(one, state=becomes[0], reason=becomes[1], not_before_s=0.0)


class House:
    """`answers(wanted)`: what becomes of an attempt, [(seconds after it was wanted, event)]. `wrap_up_s`: an agent is
    ready again so long after a conversation, having given `disposition`."""

    def __init__(self, *setups: CampaignSetup, leads: Iterable[LeadRecord] = (), agents: int = 0) -> None:
        self.now_s = START_S
        self.agents = Agents()
        self.agents.ready(*(f"a{index:02d}" for index in range(agents)))
        self.store = Store({one.lead_id: one for one in leads})
        self.setup = DialerSetup("r1", {one.key: one for one in setups})
        self.dialer = Dialer(self.setup, DoNotCallBook(), self.agents)
        self.rows: dict[tuple[str, str], bytes] = {}
        self.wanted: list[tuple[float, AttemptWanted]] = []
        self.cancelled: list[tuple[float, AttemptCancelled]] = []
        self.phones: list[LineWanted] = []
        self.hung_up: list[LineUnwanted] = []
        self.decisions: list[tuple[float, Any]] = []
        self.answers: Callable[[AttemptWanted], list[tuple[float, str]]] = lambda wanted: [(20.0, "no_answer")]
        self.disposition: Callable[[AttemptWanted], str] = lambda wanted: "done"
        self.talk_s, self.wrap_up_s = 60.0, 10.0
        self._queue: list[tuple[float, int, Any]] = []
        self._number = 0
        self.live: dict[str, AttemptWanted] = {}
        self.storing = True
        self.timers: dict[str, float] = {}
        self.absent: list[str] = []

    # -- doing -------------------------------------------------------------------------------------
    def start(self, campaign: str = "c1") -> DialerOutcome:
        return self.do(CampaignActed("main", campaign, "start", by="test"))

    def do(self, fact: Any) -> DialerOutcome:
        outcome = self.dialer.handle(fact, self.now_s)
        self.take(outcome)
        return outcome

    def take(self, outcome: DialerOutcome) -> None:
        for aggregate in sorted(outcome.changed):
            body = self.dialer.save(aggregate)
            if body is None:
                self.rows.pop(aggregate, None)
            else:
                self.rows[aggregate] = body
        self.decisions += [(self.now_s, one) for one in outcome.decisions]
        for command in outcome.commands:
            if isinstance(command, StartTimer):
                self.timers[command.timer_id] = command.due_s
                self.later(command.due_s - self.now_s, TimerFired(command.interaction_id, command.timer_id))
        for fact in outcome.facts:
            if isinstance(fact, AttemptWanted):
                self.wanted.append((self.now_s, fact))
                self.live[fact.attempt_id] = fact
                for after_s, event in self.answers(fact):
                    self.later(after_s, (fact, event))
            elif isinstance(fact, LineWanted):
                self.phones.append(fact)
            elif isinstance(fact, AgentActed):
                assert (fact.action, fact.reason, fact.by) == ("not_ready", "rona", "system")
                self.absent.append(fact.agent_id)
                self.agents.them.pop(fact.agent_id, None)
            elif isinstance(fact, LineUnwanted):
                self.hung_up.append(fact)
            else:
                self.cancelled.append((self.now_s, fact))
                self.later(0.0, (fact, "cancel"))
        if self.storing:
            for staging in outcome.wanted:
                self.later(0.05, staging)
            if outcome.saves:
                self.later(0.05, tuple(outcome.saves))

    def pick_up(self, agent: str) -> None:
        """Her phone, which was rung first, is up: the router knows, and the dialer."""
        line = self.phones[-1]
        self.agents.them[agent] = replace(self.agents.them[agent], line=True)
        self.do(LineCame(line.interaction_id, line.attempt_id, True))

    def later(self, after_s: float, what: Any) -> None:
        self._number += 1
        heapq.heappush(self._queue, (self.now_s + after_s, self._number, what))

    def store_answers(self) -> LeadsStaged:
        """What the store found just now for the one who asked it: to be told by whoever calls this."""
        (asked,) = [one for one in self._queue if isinstance(one[2], Staging)]
        self._queue.remove(asked)
        heapq.heapify(self._queue)
        return self.store.stage(asked[2])

    def run(self, seconds: float) -> None:
        end_s = self.now_s + seconds
        while self._queue and self._queue[0][0] <= end_s:
            at_s, _, what = heapq.heappop(self._queue)
            self.now_s = max(self.now_s, at_s)
            self._happen(what)
        self.now_s = end_s

    def _happen(self, what: Any) -> None:
        if isinstance(what, Staging):
            self.do(self.store.stage(what))
        elif isinstance(what, tuple) and what and isinstance(what[0], Save):
            self.do(self.store.save(what))
        elif isinstance(what, tuple):
            self._progress(*what)
        elif callable(what):
            what()
        elif not isinstance(what, TimerFired) or self.timers.get(what.timer_id, 0.0) <= self.now_s + 1e-6:
            if isinstance(what, TimerFired) and self.timers.pop(what.timer_id, None) is None:
                return
            self.do(what)

    def _progress(self, fact: AttemptWanted | AttemptCancelled, event: str) -> None:
        wanted = self.live.get(fact.attempt_id)
        if wanted is None:
            return
        agent = ""
        if event == "connect":
            agent = wanted.agent_id or self._free_agent()
            if not agent:
                event = "no_agent"
            else:
                self.agents.them[agent] = FloorAgent(agent, "talk", self.now_s, wanted.interaction_id, True)
                self.later(self.talk_s, (wanted, f"over:{agent}"))
        if event.startswith("over:"):
            agent, event = event.removeprefix("over:"), "hung_up"
            self.agents.them[agent] = FloorAgent(agent, "wrap_up", self.now_s, wanted.interaction_id, True)
            self.later(self.wrap_up_s, lambda: self._wrapped_up(wanted, agent))
        if event not in ("ringing", "answered", "connect", "screen", "mailbox"):
            del self.live[fact.attempt_id]
        self.do(AttemptProgressed(wanted.interaction_id, wanted.attempt_id, event, agent_id=agent))

    def _wrapped_up(self, wanted: AttemptWanted, agent: str) -> None:
        self.agents.ready(agent, now_s=self.now_s)
        self.do(AttemptDisposed(wanted.interaction_id, wanted.attempt_id, agent, self.disposition(wanted)))
        self.take(self.dialer.nudge("main", "sales", self.now_s))

    def _free_agent(self) -> str:
        ready = [one for one in self.agents.them.values() if one.state == "ready"]
        return min(ready, key=lambda one: (one.since_s, one.agent_id)).agent_id if ready else ""

    # -- looking -------------------------------------------------------------------------------------
    def status(self, campaign: str = "c1") -> dict[str, Any]:
        found = self.dialer.status("main", campaign, self.now_s)
        assert found is not None
        return found

    def called(self) -> list[str]:
        return [wanted.called for _, wanted in self.wanted]

    def said(self, kind: type) -> list[Any]:
        return [one for _, one in self.decisions if isinstance(one, kind)]

    def states(self) -> dict[str, int]:
        """The store's leads by state."""
        found: dict[str, int] = {}
        for one in self.store.leads.values():
            found[one.state.value] = found.get(one.state.value, 0) + 1
        return found

    def reborn(self, open_: Callable[[str], bool] | None = None) -> House:
        """The same house after a kill -9: another dialer from the rows. News of attempts that were live comes still."""
        self.dialer = Dialer(self.setup, DoNotCallBook(), self.agents)
        alive = {wanted.interaction_id for wanted in self.live.values()}
        self._queue = [one for one in self._queue if not isinstance(one[2], TimerFired | Staging)]
        heapq.heapify(self._queue)
        self.take(self.dialer.restore(self.rows, self.now_s, open_ or alive.__contains__))
        for lead_id, one in self.store.leads.items():
            if one.state is LeadState.STAGED and ("main", lead_id) not in self.dialer.held():
                self.store.leads[lead_id] = replace(one, state=LeadState.WAITING)
        return self


def served(ring_s: float = 6.0) -> Callable[[AttemptWanted], list[tuple[float, str]]]:
    """Everybody answers, and has an agent half a second later when there is one."""
    return lambda wanted: [(1.0, "ringing"), (ring_s, "answered"), (ring_s + 0.5, "connect")]


def agentless(wanted: AttemptWanted) -> list[tuple[float, str]]:
    """Everybody answers and hears the flow to its end."""
    return [(1.0, "ringing"), (5.0, "answered"), (30.0, "hung_up")]
