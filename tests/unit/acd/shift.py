"""A shift at work: a router in virtual time, with the interactions, phones and people around it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from acd.explain import why_not
from acd.floor import Floor
from acd.router import Router
from acd.setup import AgentSetup, NotReadyReason, QueueSetup, Setup
from acd.turn import Aggregate, RoutingOutcome
from core.agent_facts import AgentActed, WrapUpActed
from core.assignment import AssignmentState
from core.commands import StartTimer
from core.decisions import OfferDecided, StayEnded, WorkEnded
from core.events import QueueLeft, TimerFired
from core.offer_facts import (
    OfferAccepted,
    OfferFailed,
    OfferMade,
    OfferWithdrawn,
)
from core.queue_facts import QueueJoined, StayGivenUp
from core.routing import RouterFact
from core.stay import StayState
from core.talk_facts import TalkEnded

START_S = 1_767_225_600.0


def agent(agent_id: str, queues: Iterable[str] | None = ("sales",), **more: object) -> AgentSetup:
    more = {"device": f"main-{agent_id}", **more}
    return AgentSetup("main", agent_id, queues=None if queues is None else frozenset(queues), **more)  # type: ignore[arg-type]


def queue(name: str = "sales", **more: object) -> QueueSetup:
    return QueueSetup("main", name, **{"wrap_up_s": 0.0, **more})  # type: ignore[arg-type]


def setup(agents: Iterable[AgentSetup], queues: Iterable[QueueSetup] = (), **more: object) -> Setup:
    reasons = (NotReadyReason("lunch", limit_s=1800.0), NotReadyReason("rona", chosen=False, system=True))
    return Setup(
        agents={("main", who.agent_id): who for who in agents},
        queues={("main", one.queue): one for one in (tuple(queues) or (queue(),))},
        reasons={("main", reason.reason): reason for reason in reasons},
        **more,  # type: ignore[arg-type]
    )


class Shift:
    """`offers`: those that ring now, by stay. `ends`: stay -> how often it ended, and how."""

    def __init__(self, made: Setup, seed: int = 0) -> None:
        self.router = Router(made, seed)
        self.now_s = START_S
        self.timers: dict[str, float] = {}
        self.offers: dict[str, list[OfferMade]] = {}
        self.ends: dict[str, list[str]] = {}
        self.left: dict[str, QueueLeft] = {}
        self.decided: list[OfferDecided] = []
        self.work: list[WorkEnded] = []
        self.joined: dict[str, float] = {}
        self.log: list[RoutingOutcome] = []
        self.rows: dict[Aggregate, bytes] = {}
        self._count = 0
        self.heed(self.router.restore({}, self.now_s, lambda _: True))

    # -- what people do ----------------------------------------------------------------------------
    def logs_in(self, *names: str) -> None:
        for name in names:
            self.do(AgentActed("main", name, "log_in"))
            self.do(AgentActed("main", name, "ready"))

    def calls(self, queue: str = "sales", **more: object) -> str:
        """The stay's id; its interaction is called like it."""
        self._count += 1
        name = f"c{self._count}"
        self.do(QueueJoined(name, name, "main", queue, **more))  # type: ignore[arg-type]
        return name

    def answers(self, stay_id: str) -> str:
        """Who it was offered to answers; her name."""
        offer = self.offers[stay_id][0]
        self.do(OfferAccepted(offer.interaction_id, offer.offer_id))
        return offer.agent_id

    def does_not_answer(self, stay_id: str, how: str = "rona") -> str:
        offer = self.offers[stay_id][0]
        self.do(OfferFailed(offer.interaction_id, offer.offer_id, how))  # type: ignore[arg-type]
        return offer.agent_id

    def hangs_up(self, stay_id: str) -> None:
        """Waiting or talking."""
        self.do(StayGivenUp(stay_id, stay_id))
        for name in tuple(self.router._floor.agents):
            if stay_id in self.router.assignments(name):
                self.do(TalkEnded(stay_id, name[1]))

    def finishes(self, name: str, **more: object) -> RoutingOutcome:
        interaction_id = next(iter(self.router.assignments(("main", name))))
        return self.do(WrapUpActed(interaction_id, "main", name, finish=True, **more))  # type: ignore[arg-type]

    # -- time and facts ----------------------------------------------------------------------------
    def passes(self, seconds: float) -> None:
        """Time, with every timer in it."""
        until_s = self.now_s + seconds
        while due := [(at_s, timer_id) for timer_id, at_s in self.timers.items() if at_s <= until_s]:
            at_s, timer_id = min(due)
            self.now_s = max(self.now_s, at_s)
            del self.timers[timer_id]
            self.do(TimerFired("", timer_id))
        self.now_s = until_s

    def do(self, fact: RouterFact | TimerFired) -> RoutingOutcome:
        if isinstance(fact, QueueJoined):
            self.joined.setdefault(fact.stay_id, self.now_s)
        return self.heed(self.router.handle(fact, self.now_s))

    def heed(self, outcome: RoutingOutcome) -> RoutingOutcome:
        self.log.append(outcome)
        for command in outcome.commands:
            if isinstance(command, StartTimer):
                self.timers[command.timer_id] = command.due_s
            else:
                self.timers.pop(command.timer_id, None)
        for fact in outcome.facts:
            if isinstance(fact, OfferMade):
                self.offers.setdefault(fact.stay_id, []).append(fact)
            elif isinstance(fact, OfferWithdrawn):
                for stay_id in tuple(self.offers):
                    self._stops(stay_id, fact.offer_id)
            elif isinstance(fact, QueueLeft):
                self.left[fact.stay_id] = fact
        for decision in outcome.decisions:
            if isinstance(decision, StayEnded):
                self.ends.setdefault(decision.stay_id, []).append(decision.how)
            elif isinstance(decision, WorkEnded):
                self.work.append(decision)
            elif isinstance(decision, OfferDecided):
                self.decided.append(decision)
        for stay_id in tuple(self.offers):
            stay = self.router.stay(stay_id)
            ringing = stay.offers if stay is not None else {}
            for offer in tuple(self.offers[stay_id]):
                if offer.offer_id not in ringing:
                    self._stops(stay_id, offer.offer_id)
        for aggregate in outcome.changed:
            body = self.router.save(aggregate)
            if body is None:
                self.rows.pop(aggregate, None)
            else:
                self.rows[aggregate] = body
        return outcome

    def _stops(self, stay_id: str, offer_id: str) -> None:
        left = [offer for offer in self.offers[stay_id] if offer.offer_id != offer_id]
        if left:
            self.offers[stay_id] = left
        else:
            del self.offers[stay_id]

    # -- what is so --------------------------------------------------------------------------------
    def looks(self, name: str) -> str:
        view = self.router.view_agent(("main", name), self.now_s)
        assert view is not None
        return str(view["looks"])

    def ringing(self) -> dict[str, str]:
        """Stay -> who rings for it."""
        return {stay_id: offers[0].agent_id for stay_id, offers in self.offers.items()}

    def today(self, queue: str = "sales") -> dict[str, int]:
        view = self.router.view_queue(("main", queue), self.now_s)
        assert view is not None
        return {name: count for name, count in view["today"].items() if count and name != "service_level"}


def check(shift: Shift) -> None:
    """What must always hold between two events. Looks at everybody, without the router's indexes."""
    floor: Floor = shift.router._floor
    now_s = shift.now_s
    offered: Counter[str] = Counter()
    for agent in floor.agents.values():
        person = floor.person(agent.key)
        taken: Counter[str] = Counter()
        for work in agent.assignments.values():
            taken[work.channel] += work.units
        assert all(units <= person.capacity for units in taken.values()), agent
        assert all(work.state is not AssignmentState.DONE for work in agent.assignments.values())
        for interaction_id, work in agent.assignments.items():
            assert interaction_id == work.interaction_id
            assert floor.offers[work.offer_id] == (agent, interaction_id)
            assert floor.working[interaction_id] >> floor.numbers[agent.key] & 1
            if work.state is AssignmentState.OFFERED:
                offered[work.stay_id] += 1
                assert floor.stays[work.stay_id].offers[work.offer_id] == agent.agent_id
    for stay in floor.stays.values():
        assert stay.state is not StayState.ENDED
        # By what its queue was when they were rung: a new setup withdraws nothing.
        rung = (each for each in shift.decided if each.offer_id in stay.offers)
        several = all(each.strategy == "ring_several" for each in rung)
        assert (offered[stay.stay_id] >= 1) == (stay.state is StayState.OFFERED)
        assert several or offered[stay.stay_id] <= 1, "offered to two agents"
        if stay.state is StayState.WAITING:
            able = [agent.agent_id for agent in floor.roster if not why_not(floor, stay, agent, now_s)]
            assert not able, f"{stay.stay_id} waits though {able} could have it"
    assert {stay_id for stay_id, ends in shift.ends.items() if len(ends) != 1} == set()
    assert not shift.ends.keys() & floor.stays.keys()
    _indexes_are_as_if_built_anew(floor, now_s)
    assert shift.timers.items() == floor.armed.items()
    assert shift.rows.keys() <= {
        *(("agent", agent.row_id) for agent in floor.agents.values()),
        *(("stay", stay_id) for stay_id in floor.stays),
        *(("queue", record.row_id) for record in floor.queues.values()),
    }


def _indexes_are_as_if_built_anew(floor: Floor, now_s: float) -> None:
    fresh = Floor(floor.setup, floor.seed)
    fresh.agents, fresh.stays, fresh.queues, fresh.down = dict(floor.agents), floor.stays, floor.queues, floor.down
    fresh.index(now_s)
    floor.climb(now_s)
    for name in ("numbers", "logged_in", "ready", "idle", "free", "working", "offers", "members"):
        assert getattr(floor, name) == getattr(fresh, name), name
    assert {stay_id: place[:4] for stay_id, place in floor.placed.items()} == {
        stay_id: place[:4] for stay_id, place in fresh.placed.items()
    }
    queues = {key: [place[:4] for place in group.waiting] for key, group in floor.groups.items() if group.waiting}
    assert queues == {key: [place[:4] for place in group.waiting] for key, group in fresh.groups.items()}
    assert all(group.head is (group.waiting[0] if group.waiting else None) for group in floor.groups.values())
    assert {k: v for k, v in floor.present.items() if v} == fresh.present
