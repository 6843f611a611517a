"""The router in the engine: it takes facts from the one inbox, and what it decides is journaled with what it changed.

    fact -> Router.handle -> journal (fact, decisions, timers, changed rows) -> timers, facts for interactions

Queues, stays, agents and assignments live in the router alone; conversations live in interactions. Both are journaled
in the very turn of the loop in which they change, so after a crash they fit each other.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import inf
from typing import Any, Protocol, TypeGuard

from prometheus_client import CollectorRegistry

from acd.router import Router
from acd.setup import Key, Setup
from acd.turn import Aggregate, RoutingOutcome
from acd.views import looks
from core.agent_facts import PhoneUsed
from core.commands import AskQueueStatus, CancelTimer, StartTimer
from core.decisions import Decision, Moved, Noted
from core.dialing import DialerFact
from core.errors import EventRefused
from core.events import CommandRejected, Event, QueueStatusGiven, RoutingDecided, RoutingKept, TimerFired
from core.queue_facts import QueueJoined
from core.routing import ROUTER, RouterFact, RoutingChanged
from core.table import Transition
from engine.interaction import Interaction
from engine.routing_disposed import disposed
from engine.routing_metrics import RoutingMetrics
from engine.waiting import channel_of

log = logging.getLogger("centralita.routing")

ROUTED: frozenset[type] = frozenset(RouterFact.__args__)
"""Types of facts that are the router's."""
ROWS = "acd:"
"""How the names of the router's rows in the journal begin: `acd:<kind>:<id>`."""
KEPT_EVERY_S = 900.0
"""How often all of it is journaled, for whoever wants to know later why it decided so."""
MOST_JOINS_A_SECOND = 50
"""A flow may bounce off closed queues this often without time passing."""
_NOT_DONE = "that could not be done: a fault in the routing, which the engine's log tells; nothing was changed"

Row = tuple[str, bytes | None]
"""Name and body; None: the row is gone."""


@dataclass(frozen=True, slots=True)
class Routed:
    """What the journal keeps of one fact. `interaction`: the one it is about, when that is still open. Decisions about
    other interactions are kept with these, each with a `RoutingDecided` in the place of the fact."""

    fact: RouterFact | DialerFact | TimerFired | RoutingDecided | RoutingKept
    at_s: float
    interaction: Interaction | None
    decisions: Sequence[Decision]
    commands: Sequence[StartTimer | CancelTimer]
    rows: Sequence[Row]


class RoutingBook(Protocol):
    """The journal as routing sees it."""

    def write_routed(self, routed: Routed) -> int:
        """The event's seq, at once; durable a little later."""
        ...


@dataclass(frozen=True, slots=True)
class Consequences:
    """What the runtime has to do about a fact. `refused`: why a person's request was not done, in words."""

    commands: Sequence[StartTimer | CancelTimer] = ()
    facts: Sequence[Event] = ()
    refused: str = ""


class Routing:
    """Owns the router. `on_change` is told which of its aggregates changed, after each fact that was handled."""

    def __init__(
        self,
        router: Router,
        book: RoutingBook,
        metrics: RoutingMetrics,
        on_transition: Callable[[Transition, float], None] = lambda transition, at_s: None,
        on_change: Callable[[Iterable[Aggregate]], None] = lambda changed: None,
    ) -> None:
        self.router = router
        self.metrics = metrics
        self.on_change = on_change
        self._book = book
        self._on_transition = on_transition
        self._coming: Setup | None = None
        self._known: set[Aggregate] = set()
        self._kept_s = inf
        self._joins: dict[str, int] = {}
        self._joins_since_s = 0.0

    @property
    def setup(self) -> Setup:
        return self.router.setup

    def take(self, fact: RouterFact | TimerFired, interaction: Interaction | None, now_s: float) -> Consequences:
        """One fact. A router that raises has changed nothing: the fact is journaled as refused, and whoever waits for
        an answer gets one."""
        try:
            self._count_joins(fact, now_s)
            outcome = self._handle(fact, now_s)
        except Exception as bug:
            return self._refuse(fact, interaction, bug, now_s)
        self._write(fact, interaction, outcome, now_s)
        if now_s - self._kept_s > KEPT_EVERY_S:
            self._keep(now_s)
        facts = [*outcome.facts, *disposed(self.router, outcome.decisions)]
        return Consequences(outcome.commands, facts, outcome.refused)

    def hindered(self, interaction: Interaction, agent_id: str, now_s: float) -> str:
        """Why the colleague whom an agent wants to ask, or to give her customer to, cannot be rung now. Empty: she
        can, or nobody knows her."""
        key = interaction.tenant, agent_id
        if not self.router.hindrance(key, channel_of(interaction), now_s, interaction.interaction_id):
            return ""
        known = self.setup.agents.get(key)
        name = known.name if known is not None and known.name else agent_id
        return f"{name} cannot be rung now: choose another colleague or a queue"

    def change(self, setup: Setup, now_s: float) -> Consequences:
        """Queues, skills and agents of a new release are in force. Nobody loses a place."""
        self._coming = setup
        return self.take(RoutingChanged(setup.release_id), None, now_s)

    def restore(self, rows: Mapping[str, bytes], open_: Mapping[str, Interaction], now_s: float) -> Consequences:
        """The router as it was when the journal was last written. `rows`: by name, as `load_states(ROWS)` has them;
        `open_`: the interactions that go on."""
        saved = {aggregate_of(name): body for name, body in rows.items()}
        outcome = self.router.restore(saved, now_s, open_.__contains__)
        self._known.update(saved)
        self._write(RoutingChanged(self.setup.release_id), None, outcome, now_s)
        self._keep(now_s)
        return Consequences(outcome.commands, outcome.facts)

    # -- answers -----------------------------------------------------------------------------------------
    def status(self, command: AskQueueStatus, tenant: str, now_s: float) -> QueueStatusGiven:
        if (tenant, command.queue) not in self.setup.queues:
            return QueueStatusGiven(command.interaction_id, command.request_id, "no_agents")
        status = self.router.status(tenant, command.queue, now_s)
        return QueueStatusGiven(
            interaction_id=command.interaction_id,
            request_id=command.request_id,
            status=status.status,
            waiting=status.waiting,
            ewt_s=max(0.0, status.ewt_s),
            longest_wait_s=status.longest_wait_s,
            agents_ready=status.available,
            agents_logged_in=status.logged_in,
        )

    def agent_at(self, device: str) -> Key | None:
        """(tenant, agent_id) of who is logged in at a phone, else whose own it is."""
        agent = self.router.agent_at(device)
        return agent.key if agent is not None else None

    def put_down(self, over: Interaction, told: Sequence[Event]) -> list[Event]:
        """That the phones it used are free, unless it is `told`: of legs whose end nobody heard of."""
        said = {fact.device for fact in told if isinstance(fact, PhoneUsed)}
        phones = {over.entry, *(leg.device for leg in over.legs)} - said  # legs of older releases do not name it
        return [
            PhoneUsed(over.interaction_id, phone, used=False)
            for phone in sorted(phones)
            if self.router.is_on_phone(phone, over.interaction_id)
        ]

    def agent(self, tenant: str, agent_id: str, now_s: float) -> Mapping[str, Any]:
        """An agent as the control socket shows her; nothing when there is no such agent."""
        return self.router.view_agent((tenant, agent_id), now_s) or {}

    def floor(self) -> dict[str, Any]:
        """`{waiting, agents: {what they look like: how many}}`. `waiting`: in all queues, as boards count them."""
        agents = (self.router.agent(key) for key in self.setup.agents)
        seen = Counter(looks(agent) for agent in agents if agent is not None)
        return {"waiting": sum(stay.counted for stay in self.router.stays()), "agents": dict(sorted(seen.items()))}

    # -- within ----------------------------------------------------------------------------------------
    def _handle(self, fact: RouterFact | TimerFired, now_s: float) -> RoutingOutcome:
        if isinstance(fact, RoutingChanged):
            setup, self._coming = self._coming, None
            if setup is None:
                raise EventRefused(f"release {fact.release_id} came without its queues and agents")
            return self.router.change_setup(setup, now_s)
        return self.router.handle(fact, now_s)

    def _write(
        self, fact: RouterFact | TimerFired, interaction: Interaction | None, outcome: RoutingOutcome, now_s: float
    ) -> None:
        for decision in outcome.decisions:
            if isinstance(decision, Moved):
                self._on_transition(decision.transition, now_s)
            else:
                self.metrics.count(decision)
        rows = [(row_name(aggregate), self.router.save(aggregate)) for aggregate in sorted(outcome.changed)]
        self._known |= outcome.changed
        decisions: dict[str, list[Decision]] = {fact.interaction_id: []}
        for decision in outcome.decisions:
            decisions.setdefault(about(decision) or fact.interaction_id, []).append(decision)
        own = decisions.pop(fact.interaction_id)
        if outcome.refused:
            own.append(Noted("refused", outcome.refused))
        seq = self._book.write_routed(Routed(fact, now_s, interaction, own, outcome.commands, rows))
        for interaction_id, others in decisions.items():
            decided = RoutingDecided(interaction_id, seq, type(fact).__name__)
            self._book.write_routed(Routed(decided, now_s, None, others, (), ()))
        if outcome.changed:
            self.on_change(outcome.changed)

    def _keep(self, now_s: float) -> None:
        saved = {aggregate: self.router.save(aggregate) for aggregate in self._known}
        self._known = {aggregate for aggregate, body in saved.items() if body is not None}
        rows = {row_name(aggregate): body for aggregate, body in saved.items() if body is not None}
        self._book.write_routed(Routed(RoutingKept(self.setup.release_id, rows), now_s, None, (), (), ()))
        self._kept_s = now_s

    def _refuse(
        self, fact: RouterFact | TimerFired, interaction: Interaction | None, bug: Exception, now_s: float
    ) -> Consequences:
        known = isinstance(bug, EventRefused)
        log.error("the router refused %s: %s", type(fact).__name__, bug, exc_info=None if known else bug)
        self.metrics.refused.inc()
        why = f"{type(fact).__name__}: {bug}"
        self._book.write_routed(Routed(fact, now_s, interaction, (Noted("event_refused", why),), (), ()))
        if isinstance(fact, QueueJoined):
            rejected = CommandRejected(fact.interaction_id, "", "JoinQueue", why, subject_id=fact.stay_id)
            return Consequences(facts=(rejected,))
        return Consequences(refused=str(bug) if known else _NOT_DONE)

    def _count_joins(self, fact: RouterFact | TimerFired, now_s: float) -> None:
        if not isinstance(fact, QueueJoined):
            return
        if now_s - self._joins_since_s > 1.0:
            self._joins_since_s = now_s
            self._joins.clear()
        joins = self._joins[fact.interaction_id] = self._joins.get(fact.interaction_id, 0) + 1
        if joins > MOST_JOINS_A_SECOND:
            raise EventRefused(
                f"interaction {fact.interaction_id}: its flow joined {joins} queues without time passing; give the "
                "branches of its queue nodes somewhere to wait"
            )


def nobody(book: RoutingBook, registry: CollectorRegistry) -> Routing:
    """A house without queues and agents."""
    return Routing(Router(Setup()), book, RoutingMetrics(registry))


def is_routed(fact: object) -> TypeGuard[RouterFact | TimerFired]:
    """Whether the router handles this fact, rather than an interaction."""
    return type(fact) in ROUTED or (isinstance(fact, TimerFired) and fact.interaction_id == ROUTER)


def about(decision: Decision) -> str:
    """The interaction that a decision of the router is about; empty for none."""
    if isinstance(decision, Moved):
        move = decision.transition
        return move.id.split("/", 2)[-1] if move.thing == "assignment" else ""
    return getattr(decision, "interaction_id", "")


def row_name(aggregate: Aggregate) -> str:
    kind, id_ = aggregate
    return f"{ROWS}{kind}:{id_}"


def aggregate_of(name: str) -> Aggregate:
    """The opposite of `row_name`."""
    kind, _, id_ = name.removeprefix(ROWS).partition(":")
    return kind, id_
