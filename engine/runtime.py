"""One inbox, one writer: facts come in from anywhere, one at a time they change one interaction, the change is
journaled, and the commands go to their lanes.

Everything here runs on the engine's loop and awaits nothing on the way from fact to command. What must be
durable first (irreversible commands, "saved" promises) waits in a task of its own.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace

from acd.setup import Setup
from acd.turn import Aggregate
from core.clock import Clock
from core.commands import StartTimer
from core.decisions import Moved
from core.dialing import AttemptWanted, DialingFact, LineWanted
from core.errors import EventRefused
from core.events import CommandRejected, Event, LegArrived, LegEnded, PlaybackFinished, RecordingFailed, TimerFired
from core.routing import RouterFact, RoutingFact
from core.table import Transition
from core.talk_facts import SupervisorCalled
from engine.away_callers import AwayCallers
from engine.campaigns import Campaigns, is_dialed, no_campaigns
from engine.decide import BEGINNINGS, decide, refuse
from engine.dispatch import Dispatch
from engine.hourly_caps import HourlyCaps
from engine.interaction import Interaction, Surroundings, Turn, interaction_id_for
from engine.lanes import Lanes, Ordered
from engine.lost_recordings import LostRecordings
from engine.metrics import Metrics
from engine.open_interactions import OpenInteractions
from engine.outbound_use import OutboundUse
from engine.routing import Consequences, Routing, is_routed, nobody
from engine.routing_recovery import mend
from engine.routing_views import talk_looks_new
from engine.timers import Timers
from engine.written import Book, HttpSender, Written

log = logging.getLogger("centralita.engine")

INBOX_LIMIT = 100_000
EVENTS_PER_TURN = 200
"""How many facts are handled before the loop gets to read its sockets again."""
CONSEQUENCES = 1000
"""How many facts may follow from one within the same turn of the loop, and so into the same commit."""


@dataclass(frozen=True, slots=True)
class _Due:
    interaction_id: str
    timer_id: str
    token: int


class Runtime:
    """Owns every open interaction. `put` is the only way in."""

    def __init__(
        self,
        *,
        clock: Clock,
        book: Book,
        surroundings: Surroundings,
        http: HttpSender,
        metrics: Metrics,
        max_interactions: int,
        on_overflow: Callable[[], None],
        outbound_use: OutboundUse | None = None,
        on_transition: Callable[[Transition, float], None] = lambda transition, at_s: None,
        routing: Routing | None = None,
        campaigns: Campaigns | None = None,
    ) -> None:
        self.clock = clock
        self.metrics = metrics
        self.max_interactions = max_interactions
        self.routing = routing = routing or nobody(book, metrics.registry)
        self.campaigns = campaigns or no_campaigns(book)
        self.campaigns.no_room = self.no_room
        self.draining = False
        self.lost_recordings = LostRecordings(metrics)
        self._open = OpenInteractions()
        self.interactions = self._open.by_id
        metrics.open_interactions.set_function(lambda: len(self.interactions))
        self.surroundings = replace(surroundings, listed=self.campaigns.listed, hindered=routing.hindered)
        self._away_callers = AwayCallers()
        self._hourly_caps = HourlyCaps(self, outbound_use or OutboundUse())
        self.lanes: Lanes
        self.timers = Timers(clock, self._timer_due)
        self._book = book
        self._on_overflow = on_overflow
        self._on_transition = on_transition
        self._inbox: deque[Event | _Due] = deque()
        self._arriving = 0
        """Callers in the inbox: they were let in, and are no interactions yet."""
        self._next: deque[Event] = deque()
        self._scheduled = self._closed = False
        self._on_change: Callable[[Iterable[Aggregate]], None] = lambda changed: None
        self._dispatch = Dispatch(self, book, http)

    # -- the door ------------------------------------------------------------------------------------
    def put(self, event: Event | _Due) -> None:
        """Takes a fact; never blocks. A full inbox declares a gap: everything is reconciled with the nodes."""
        if self._closed:
            return
        if len(self._inbox) >= INBOX_LIMIT:
            self.metrics.gaps.inc()
            self._on_overflow()
            return
        self._inbox.append(event)
        self._arriving += isinstance(event, LegArrived)
        if not self._scheduled:
            self._scheduled = True
            asyncio.get_running_loop().call_soon(self._drain)

    def ask(self, fact: RoutingFact | DialingFact) -> str:
        """Takes what a person wants, at once. Returns why it cannot be done, in words; empty when it is done."""
        if self._closed:
            return "the engine is stopping: try again in a moment"
        return self._take_all(fact)

    def change_routing(self, setup: Setup) -> str:
        """Queues, skills and agents of a new release are in force; nobody loses a place. Or else: why not."""
        return self.settle(self.routing.change(setup, self.clock.now_s()))

    def restore_routing(self, rows: Mapping[str, bytes]) -> None:
        """The router as the journal kept it, after every open interaction was adopted; what does not fit is mended."""
        now_s = self.clock.now_s()
        self.settle(self.routing.restore(rows, self.interactions, now_s))
        for fact in mend(self.routing.router, tuple(self.interactions.values()), now_s):
            self._take_all(fact)

    def watch(self, changed: Callable[[Iterable[Aggregate]], None]) -> None:
        """`changed` is told which agents, queues, stays and conversations look different now."""
        self.routing.on_change = self._on_change = changed

    def admit(self, arrival: LegArrived) -> bool:
        """May this leg come in? Asked before the fact exists; refused legs go to the dialplan's overflow."""
        known = interaction_id_for(arrival.leg_id) in self.interactions
        if known or not self.no_room():
            return True
        self.metrics.refused_arrivals.inc()
        return False

    def no_room(self) -> str:
        """Why nothing new is taken on, in words; empty when it is."""
        if self.draining:
            return "the engine is stopping"
        if not self._book.healthy:
            return "the journal cannot be written"
        taken = len(self.interactions) + self._arriving
        return "" if taken < self.max_interactions else "max_interactions is reached"

    def adopt(self, interaction: Interaction) -> None:
        """Puts an interaction recovered from its snapshot on the table, before any event."""
        self._remember(interaction)

    def work(self) -> dict[str, int]:
        """How much is under way: nothing of it may be left when nobody is there."""
        return {"timers": len(self.timers), "lanes": len(self.lanes), "waiting_for_disk": len(self._dispatch)}

    def handle_now(self) -> None:
        """Empties the inbox before something that must see its effects (reconciling)."""
        while self._inbox:
            self._drain()

    async def until_idle(self) -> None:
        """Returns when no interaction is open."""
        await self._open.until_none()

    async def close(self) -> None:
        """Stops taking facts. Calls stay up: the next engine adopts them."""
        self._closed = True
        self._inbox.clear()
        self.timers.close()
        await self._dispatch.close()

    # -- one fact ------------------------------------------------------------------------------------
    def _drain(self) -> None:
        self._scheduled = False
        inbox = self._inbox
        for _ in range(min(len(inbox), EVENTS_PER_TURN)):
            fact = inbox.popleft()
            self._arriving -= isinstance(fact, LegArrived)
            self._take_all(fact)
        if inbox and not self._scheduled:
            self._scheduled = True
            asyncio.get_running_loop().call_soon(self._drain)

    def _take_all(self, fact: Event | _Due) -> str:
        """A fact and what it leads to among router and interactions: journaled in one turn of the loop, a crash finds
        all of it or nothing."""
        refused = self._take_safely(fact)
        if self._next:
            self._take_following()
        return refused

    def _take_following(self) -> None:
        following = self._next
        for _ in range(CONSEQUENCES):
            if not following:
                return
            self._take_safely(following.popleft())
        while following:
            self.put(following.popleft())

    def settle(self, consequences: Consequences) -> str:
        """Carries out what router or dialer decided by themselves. Why they refused, in words."""
        refused = self.follow(consequences)
        self._take_following()
        return refused

    def _take_safely(self, fact: Event | _Due) -> str:
        try:
            return self._take(fact)
        except Exception:
            log.exception("event dropped: %s", type(fact).__name__)
            return "that could not be done: a fault, which the engine's log tells"

    def _take(self, fact: Event | _Due) -> str:
        if isinstance(fact, _Due):
            if not self.timers.take(fact.interaction_id, fact.timer_id, fact.token):
                return ""
            fact = TimerFired(fact.interaction_id, fact.timer_id)
        if isinstance(fact, PlaybackFinished | LegEnded):
            self.lanes.over(fact)
        self.metrics.events.add(type(fact))
        lost = self.lost_recordings.hear(fact) if isinstance(fact, RecordingFailed | CommandRejected) else ""
        now_s, interaction = self.clock.now_s(), self._find(fact)
        if is_routed(fact):
            return self.follow(self.routing.take(fact, interaction, now_s))
        if is_dialed(fact):
            return self.follow(self.campaigns.take(fact, interaction, now_s))
        if interaction is None and not isinstance(fact, BEGINNINGS):
            self.metrics.late_events.inc()
            if lost:
                self._book.write_after(lost, fact)
            return "this contact is over"
        if interaction is not None and isinstance(fact, LegArrived) and not interaction.is_away:
            return ""
        turn = self._decide(interaction, fact, now_s)
        self._carry_out(fact, interaction, turn, now_s)
        return turn.refused

    def _find(self, fact: Event) -> Interaction | None:
        return self._open.named_in(fact) or self._away_callers.whose(fact, self.surroundings)

    def follow(self, consequences: Consequences) -> str:
        """Sets the timers of router or dialer and hands their facts on."""
        for command in consequences.commands:
            if isinstance(command, StartTimer):
                self.timers.start(command.interaction_id, command.timer_id, command.due_s)
            else:
                self.timers.cancel(command.interaction_id, command.timer_id)
        self._next.extend(consequences.facts)
        return consequences.refused

    def _decide(self, interaction: Interaction | None, fact: Event, now_s: float) -> Turn:
        if isinstance(fact, AttemptWanted | LineWanted) and interaction is None and (why := self.no_room()):
            return refuse(fact, self.surroundings, why, now_s)
        decided = decide(interaction, fact, self.surroundings, now_s)
        if decided.refused:
            self.metrics.refused_events.inc()
        for reason in decided.refused:
            known = isinstance(reason, EventRefused)
            log.error("refused %s: %s", type(fact).__name__, reason, exc_info=None if known else reason)
        return decided.turn

    def _carry_out(self, fact: Event, before: Interaction | None, turn: Turn, now_s: float) -> None:
        interaction = turn.interaction
        for decision in turn.decisions:
            if isinstance(decision, Moved):
                self._on_transition(decision.transition, now_s)
        states = self._hourly_caps.count(turn, now_s)
        written = Written(
            fact, now_s, interaction, tuple(turn.decisions), tuple(turn.commands), interaction.is_closed, states
        )
        seq = self._book.write(written, before)
        if talk_looks_new(before, interaction):
            self._on_change((("talk", interaction.interaction_id),))
        self._remember(interaction)
        if interaction.is_closed:
            self._forget(interaction)
        secret = interaction.holds_secrets or (before is not None and before.holds_secrets)
        self._next.extend(turn.facts)
        if interaction.is_closed:
            self._next.extend(self.routing.put_down(interaction, turn.facts))
        self._dispatch.all(turn.commands, interaction.interaction_id, seq, secret)

    def _remember(self, interaction: Interaction) -> None:
        self._open.keep(interaction)
        self._away_callers.keep(interaction, self.surroundings)

    def _forget(self, interaction: Interaction) -> None:
        self.timers.cancel_all(interaction.interaction_id)
        self._open.drop(interaction)
        self.metrics.closed_interactions.labels(interaction.outcome).inc()

    # -- commands --------------------------------------------------------------------------------------
    def dispatch(self, ordered: Ordered, seq: int) -> None:
        """Sends a command on its way: timers and toggles here, legs to their lanes, irreversible ones when durable."""
        self._dispatch.one(ordered, seq)

    def then(self, fact: Event) -> None:
        """Takes a fact within this turn of the loop."""
        self._next.append(fact)

    def act(self, fact: RouterFact | SupervisorCalled) -> str:
        """What an agent does by her phone, at once. Returns why it cannot be done, in words."""
        if isinstance(fact, SupervisorCalled):
            return self._take_safely(fact)
        return self.follow(self.routing.take(fact, self._find(fact), self.clock.now_s()))

    def _timer_due(self, interaction_id: str, timer_id: str, token: int) -> None:
        self.put(_Due(interaction_id, timer_id, token))


__all__ = ["Book", "HttpSender", "Runtime", "Written"]
