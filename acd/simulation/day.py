"""One day of a scenario: callers, phones and agents around the router that serves the real floor, in virtual time.

Everything that is drawn about a call is drawn when it arrives, from a stream of its queue alone: two floors under the
same seed get the very same calls, so what differs between them is the floor.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass, field, replace
from math import inf

import numpy as np
from numpy.random import Generator

from acd.router import Router
from acd.setup import Announcements, Key, QueueSetup, Setup
from acd.simulation.traffic import Scenario, Traffic
from acd.turn import RoutingOutcome
from core.agent_facts import AgentActed, WrapUpActed
from core.commands import StartTimer
from core.decisions import StayEnded, WorkEnded
from core.events import TimerFired
from core.offer_facts import OfferAccepted, OfferMade
from core.queue_facts import QueueJoined, StayGivenUp
from core.routing import RouterFact
from core.talk_facts import TalkEnded

Fact = RouterFact | TimerFired
EPOCH_S = 1_767_225_600.0
"""Midnight of the simulated day."""
_UNLIMITED_S = 1e7


@dataclass(slots=True)
class Call:
    """One call, drawn in full. `told`: the range in which she was told her wait would end."""

    joined_s: float
    talk_s: float
    wrap_up_s: float | None
    told: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class Ended:
    """How a wait ended. Moments from midnight."""

    queue: Key
    joined_s: float
    waited_s: float
    how: str
    in_target: bool
    told: tuple[float, float] | None = None

    @property
    def as_told(self) -> bool | None:
        """Whether the wait ended within the range she was told; None when nothing was."""
        return None if self.told is None else self.told[0] <= self.waited_s <= self.told[1]


@dataclass(slots=True)
class DayResult:
    """`worked_s`, `staffed_s`: agents' time at work (ringing, talk, wrap-up), and ready or at work, in all."""

    ends: list[Ended] = field(default_factory=list)
    worked_s: float = 0.0
    staffed_s: float = 0.0
    facts: int = 0


_SILENT = Announcements()


def floor_for(setup: Setup, scenario: Scenario, told: Announcements = _SILENT) -> Setup:
    """The setup as the simulation needs it: every queue announces what is `told`, wrap-ups end when they were drawn
    to."""

    def simulated(key: Key) -> QueueSetup:
        queue, traffic = setup.queues[key], scenario.traffic.get(key)
        drawn = traffic is not None and traffic.wrap_up is not None
        return replace(
            queue,
            announcements=told,
            disposition_required=False,
            hours=None,
            wrap_up_s=_UNLIMITED_S if drawn else queue.wrap_up_s,
        )

    agents = {key: replace(agent, device=agent.device or f"sim-{key[1]}") for key, agent in setup.agents.items()}
    return replace(setup, agents=agents, queues={key: simulated(key) for key in setup.queues}, devices=frozenset())


class Day:
    """`run` plays it once. The same scenario, setup and seed give the same day. `told`: what callers who wait hear;
    it takes time and changes nothing, unless somebody asks."""

    def __init__(self, setup: Setup, scenario: Scenario, seed: int, told: Announcements = _SILENT) -> None:
        self.router = Router(floor_for(setup, scenario, told), seed)
        self.scenario = scenario
        self.result = DayResult()
        self._now_s = EPOCH_S
        self._agenda: list[tuple[float, int, Fact]] = []
        self._order = 0
        self._timers: dict[str, float] = {}
        self._calls: dict[str, Call] = {}
        self._agents: dict[str, str] = {}
        """Offer -> the agent it was made to."""
        self._counted_from_s = scenario.from_s + scenario.warm_up_s
        for n, (key, traffic) in enumerate(sorted(scenario.traffic.items())):
            self._arrive(key, traffic, np.random.default_rng([seed, n]))
        for shift in scenario.shifts:
            self._act(shift.from_s, shift.agent_id, "log_in")
            self._act(shift.from_s, shift.agent_id, "ready")
            self._act(shift.until_s, shift.agent_id, "log_out")

    def run(self) -> DayResult:
        agenda, timers = self._agenda, self._timers
        while agenda:
            self._now_s, _, fact = heapq.heappop(agenda)
            if isinstance(fact, TimerFired):
                if timers.get(fact.timer_id) != self._now_s:
                    continue
                del timers[fact.timer_id]
            self._handle(fact)
        self._staff()
        return self.result

    # -- what comes ------------------------------------------------------------------------------------
    def _arrive(self, key: Key, traffic: Traffic, dice: Generator) -> None:
        asked, shares = list(traffic.skills), list(traffic.skills.values())
        number = 0
        for rate in traffic.rates:
            at_s = rate.from_s
            while rate.per_hour > 0 and (at_s := at_s + float(dice.exponential(3600.0 / rate.per_hour))) < rate.until_s:
                number += 1
                call_id = f"{key[1]}-{number}"
                wrap_up_s = traffic.wrap_up.draw(dice) if traffic.wrap_up is not None else None
                self._calls[call_id] = Call(at_s, traffic.talk.draw(dice), wrap_up_s)
                patience_s = traffic.patience.draw(dice) if traffic.patience is not None else inf
                skills = self._asks(asked, shares, float(dice.random()))
                self._at(at_s, QueueJoined(call_id, call_id, key[0], key[1], skills=skills))
                if patience_s < inf:
                    self._at(at_s + patience_s, StayGivenUp(call_id, call_id))

    @staticmethod
    def _asks(asked: list[str], shares: list[float], lot: float) -> str:
        for skills, share in zip(asked, shares, strict=True):
            lot -= share
            if lot < 0:
                return skills
        return ""

    def _act(self, at_s: float, agent_id: str, action: str) -> None:
        self._at(at_s, AgentActed(self.scenario.tenant, agent_id, action, by="system"))  # type: ignore[arg-type]

    def _at(self, at_s: float, fact: Fact) -> None:
        self._order += 1
        heapq.heappush(self._agenda, (EPOCH_S + at_s, self._order, fact))

    def _later(self, after_s: float, fact: Fact) -> None:
        self._at(self._now_s - EPOCH_S + after_s, fact)

    # -- what follows ----------------------------------------------------------------------------------
    def _handle(self, fact: Fact) -> None:
        if isinstance(fact, QueueJoined):
            self._calls[fact.interaction_id].told = self._range(fact)
        elif isinstance(fact, StayGivenUp) and self.router.stay(fact.stay_id) is None:
            return
        outcome = self.router.handle(fact, self._now_s)
        self.result.facts += 1
        self._follow(outcome)
        if isinstance(fact, OfferAccepted) and outcome.changed:
            self._later(
                self._calls[fact.interaction_id].talk_s, TalkEnded(fact.interaction_id, self._agents[fact.offer_id])
            )
        elif isinstance(fact, TalkEnded):
            self._wrap_up(fact)

    def _range(self, fact: QueueJoined) -> tuple[float, float] | None:
        expected = self.router.expected(fact.tenant, fact.queue, self._now_s)
        return None if expected is None else (expected.low_s, expected.high_s)

    def _follow(self, outcome: RoutingOutcome) -> None:
        for command in outcome.commands:
            if isinstance(command, StartTimer):
                due_s = max(command.due_s, self._now_s)
                self._timers[command.timer_id] = due_s
                self._order += 1
                heapq.heappush(self._agenda, (due_s, self._order, TimerFired("", command.timer_id)))
            else:
                self._timers.pop(command.timer_id, None)
        for told in outcome.facts:
            if isinstance(told, OfferMade):
                self._agents[told.offer_id] = told.agent_id
                self._later(self.scenario.answer_s, OfferAccepted(told.interaction_id, told.offer_id))
        for decision in outcome.decisions:
            if isinstance(decision, StayEnded):
                self._ended(decision)
            elif isinstance(decision, WorkEnded):
                self._worked(decision)

    def _wrap_up(self, fact: TalkEnded) -> None:
        wrap_up_s = self._calls[fact.interaction_id].wrap_up_s
        if wrap_up_s is not None:
            tenant = self.scenario.tenant
            self._later(wrap_up_s, WrapUpActed(fact.interaction_id, tenant, fact.agent_id, finish=True))

    # -- counts ----------------------------------------------------------------------------------------
    def _ended(self, end: StayEnded) -> None:
        call = self._calls[end.interaction_id]
        if call.joined_s >= self._counted_from_s:
            key = (end.tenant, end.queue)
            self.result.ends.append(Ended(key, call.joined_s, end.waited_s, end.how, end.in_target, call.told))

    def _worked(self, work: WorkEnded) -> None:
        from_s = max(self._counted_from_s, self._now_s - EPOCH_S - work.ring_s - work.talk_s - work.wrap_up_s)
        self.result.worked_s += max(0.0, self._now_s - EPOCH_S - from_s)

    def _staff(self) -> None:
        for shift in self.scenario.shifts:
            self.result.staffed_s += max(0.0, shift.until_s - max(shift.from_s, self._counted_from_s))
