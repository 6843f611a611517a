"""One inbox, one writer: facts come in from anywhere, one at a time they change one interaction, the change is
journaled, and the commands go to their lanes.

Everything here runs on the engine's loop and awaits nothing on the way from fact to command. What must be
durable first (irreversible commands, "saved" promises) waits in a task of its own.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from core.clock import Clock
from core.commands import (
    AnswerLeg,
    AskQueueStatus,
    CancelTimer,
    Command,
    HangUpLeg,
    OriginateLeg,
    Play,
    RequestCallback,
    SendHttp,
    SetToggle,
    StartTimer,
    StopPlayback,
    is_irreversible,
    subject_of,
)
from core.decisions import Decision, Moved
from core.errors import EventRefused
from core.events import CommandRejected, Event, LegArrived, LegEnded, PlaybackFinished, TimerFired, ToggleSet
from core.table import Transition
from engine.decide import decide
from engine.durably import Durably
from engine.effects import errands
from engine.interaction import Interaction, Surroundings, Turn, interaction_id_for
from engine.lanes import Lanes, Ordered
from engine.metrics import Metrics
from engine.outbound_use import WINDOW_S, OutboundUse
from engine.timers import Timers

log = logging.getLogger("centralita.engine")

INBOX_LIMIT = 100_000
EVENTS_PER_TURN = 200
"""How many facts are handled before the loop gets to read its sockets again."""


@dataclass(frozen=True, slots=True)
class Written:
    """What the journal keeps of one event. `interaction` is the state after it."""

    event: Event
    at_s: float
    interaction: Interaction
    decisions: tuple[Decision, ...]
    commands: tuple[Command, ...]
    closed: bool
    states: Mapping[str, object] = field(default_factory=dict)
    """State of the whole engine that this event changed, by name."""


class Book(Protocol):
    """The journal as the runtime sees it."""

    @property
    def healthy(self) -> bool: ...

    def write(self, written: Written, before: Interaction | None) -> int:
        """The event's seq, at once; durable a little later."""
        ...

    async def durable(self, seq: int) -> None: ...

    async def command_started(self, command_id: str, interaction_id: str, what: str, subject_id: str) -> None: ...

    def command_done(self, command_id: str, outcome: str) -> None: ...

    def write_state(self, name: str, event: Event, at_s: float, body: object) -> int: ...


def toggles_body(toggles: Mapping[tuple[str, str], bool]) -> list[tuple[str, str, bool]]:
    """The toggles as they are kept: (tenant, name, value)."""
    return [(tenant, name, value) for (tenant, name), value in sorted(toggles.items())]


class HttpSender(Protocol):
    def send(self, command: SendHttp, report: Callable[[Event], None], done: Callable[[str], None]) -> None: ...


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
    ) -> None:
        self.clock = clock
        self.metrics = metrics
        self.max_interactions = max_interactions
        self.draining = False
        self.interactions: dict[str, Interaction] = {}
        metrics.open_interactions.set_function(lambda: len(self.interactions))
        self._outbound_use = outbound_use or OutboundUse()
        self.surroundings = replace(surroundings, dialed=self._outbound_use.counts(clock.now_s()))
        self.lanes: Lanes
        self.timers = Timers(clock, self._timer_due)
        self._book = book
        self._http = http
        self._on_overflow = on_overflow
        self._on_transition = on_transition
        self._inbox: deque[Event | _Due] = deque()
        self._scheduled = False
        self._closed = False
        self._legs: dict[str, str] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._durably = Durably(book, self.put, self.perform, self._spawn)
        self._toggles_pending: dict[tuple[str, str], bool] = {}
        self._idle = asyncio.Event()
        self._idle.set()

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
        if not self._scheduled:
            self._scheduled = True
            asyncio.get_running_loop().call_soon(self._drain)

    def admit(self, arrival: LegArrived) -> bool:
        """May this leg come in? Asked before the fact exists; refused legs go to the dialplan's overflow."""
        known = interaction_id_for(arrival.leg_id) in self.interactions
        if known or (not self.draining and self._book.healthy and len(self.interactions) < self.max_interactions):
            return True
        self.metrics.refused_arrivals.inc()
        return False

    def adopt(self, interaction: Interaction) -> None:
        """Puts an interaction recovered from its snapshot on the table, before any event."""
        self._remember(interaction)

    def knows_leg(self, leg_id: str) -> bool:
        return leg_id in self._legs

    def work(self) -> dict[str, int]:
        """How much is under way: nothing of it may be left when nobody is there."""
        return {"timers": len(self.timers), "lanes": len(self.lanes), "waiting_for_disk": len(self._tasks)}

    def handle_now(self) -> None:
        """Empties the inbox before something that must see its effects (reconciling)."""
        while self._inbox:
            self._drain()

    async def until_idle(self) -> None:
        """Returns when no interaction is open."""
        await self._idle.wait()

    async def close(self) -> None:
        """Stops taking facts. Calls stay up: the next engine adopts them."""
        self._closed = True
        self._inbox.clear()
        self.timers.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    # -- one fact ------------------------------------------------------------------------------------
    def _drain(self) -> None:
        self._scheduled = False
        inbox = self._inbox
        for _ in range(min(len(inbox), EVENTS_PER_TURN)):
            fact = inbox.popleft()
            try:
                self._take(fact)
            except Exception:
                log.exception("event dropped: %s", type(fact).__name__)
        if inbox and not self._scheduled:
            self._scheduled = True
            asyncio.get_running_loop().call_soon(self._drain)

    def _take(self, fact: Event | _Due) -> None:
        if isinstance(fact, _Due):
            if not self.timers.take(fact.interaction_id, fact.timer_id, fact.token):
                return
            fact = TimerFired(fact.interaction_id, fact.timer_id)
        if isinstance(fact, PlaybackFinished | LegEnded):
            self.lanes.over(fact)
        self.metrics.events.add(type(fact))
        now_s = self.clock.now_s()
        interaction = self._find(fact)
        if interaction is None and not isinstance(fact, LegArrived):
            self.metrics.late_events.inc()
            return
        if interaction is not None and isinstance(fact, LegArrived):
            return
        turn = self._decide(interaction, fact, now_s)
        self._carry_out(fact, interaction, turn, now_s)

    def _find(self, fact: Event) -> Interaction | None:
        leg_id = getattr(fact, "leg_id", "")
        interaction_id = self._legs.get(leg_id) if leg_id else None
        if interaction_id is None:
            interaction_id = getattr(fact, "interaction_id", None)
            if interaction_id is None:
                return None
        return self.interactions.get(interaction_id)

    def _decide(self, interaction: Interaction | None, fact: Event, now_s: float) -> Turn:
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
        states = self._count_dialing(turn, now_s)
        written = Written(
            fact, now_s, interaction, tuple(turn.decisions), tuple(turn.commands), interaction.is_closed, states
        )
        seq = self._book.write(written, before)
        self._remember(interaction)
        if interaction.is_closed:
            self._forget(interaction)
        secret = interaction.holds_secrets or (before is not None and before.holds_secrets)
        for n, command in enumerate(turn.commands):
            ordered = Ordered(f"{seq}.{n}", interaction.interaction_id, command, secret=secret)
            try:
                self.dispatch(ordered, seq)
            except Exception as bug:  # the commands after it are not to blame
                log.exception("command %s could not be sent on its way", ordered.command_id)
                leg_id, what, why = getattr(command, "leg_id", ""), type(command).__name__, type(bug).__name__
                rejected = CommandRejected(ordered.interaction_id, ordered.command_id, what, why, leg_id)
                self.put(replace(rejected, subject_id=subject_of(command)))

    def _count_dialing(self, turn: Turn, now_s: float) -> Mapping[str, object]:
        """Hourly caps: what is dialed is counted before it is, and survives a restart."""
        transfer = turn.interaction.transfer
        if transfer is None or not any(isinstance(command, OriginateLeg) for command in turn.commands):
            return {}
        self._outbound_use.add(transfer.rule, now_s)
        self._refresh_dialed()
        asyncio.get_running_loop().call_later(WINDOW_S + 1.0, self._refresh_dialed)
        return {"outbound_use": self._outbound_use.kept()}

    def _refresh_dialed(self) -> None:
        self.surroundings = replace(self.surroundings, dialed=self._outbound_use.counts(self.clock.now_s()))

    def _remember(self, interaction: Interaction) -> None:
        self.interactions[interaction.interaction_id] = interaction
        for leg in interaction.legs:
            self._legs[leg.leg_id] = interaction.interaction_id
        self._idle.clear()

    def _forget(self, interaction: Interaction) -> None:
        self.timers.cancel_all(interaction.interaction_id)
        del self.interactions[interaction.interaction_id]
        for leg in interaction.legs:
            self._legs.pop(leg.leg_id, None)
        self.metrics.closed_interactions.labels(interaction.outcome).inc()
        if not self.interactions:
            self._idle.set()

    # -- commands --------------------------------------------------------------------------------------
    def dispatch(self, ordered: Ordered, seq: int) -> None:
        """Sends a command on its way: timers and toggles here, legs to their lanes, irreversible ones when durable."""
        command = ordered.command
        match command:
            case Play() | StopPlayback() | AnswerLeg():  # most of them
                self.lanes.put(ordered)
            case StartTimer():
                self.timers.start(command.interaction_id, command.timer_id, command.due_s)
            case CancelTimer():
                self.timers.cancel(command.interaction_id, command.timer_id)
            case SetToggle():
                self._set_toggle(ordered, command)
            case HangUpLeg() if self._durably.calls_off(command.leg_id):
                pass
            case _ if is_irreversible(command):
                self._durably.carry_out(ordered, seq)
            case SendHttp():
                self._http.send(command, self.put, lambda outcome: None)
            case AskQueueStatus():
                self.put(errands.answer(ordered))
            case RequestCallback():
                self._durably.promise(ordered, seq, lambda: errands.answer(ordered))
            case _ if hasattr(command, "leg_id") or hasattr(command, "bridge_id"):
                self.lanes.put(ordered)
            case _:
                pass

    def perform(self, ordered: Ordered) -> None:
        """Carries out an irreversible command whose start is on disk; its end is written down too."""
        command_id = ordered.command_id

        def done(outcome: str) -> None:
            self._book.command_done(command_id, outcome)

        if isinstance(ordered.command, SendHttp):
            self._http.send(ordered.command, self.put, done)
        elif errands.answers(ordered.command):
            done("answered")
            self.put(errands.answer(ordered))
        else:
            self.lanes.put(replace(ordered, done=done))

    def _set_toggle(self, ordered: Ordered, command: SetToggle) -> None:
        """In force once it is durable, and kept together with those on their way to the disk."""
        key, value, pending = (command.tenant, command.toggle), command.value, self._toggles_pending
        pending[key] = value
        fact = ToggleSet(command.interaction_id, command.tenant, command.toggle, value)
        body = toggles_body({**self.surroundings.toggles, **pending})

        def settled() -> None:
            if pending.get(key) is value:
                del pending[key]

        def then() -> Event:
            settled()
            self.surroundings = replace(self.surroundings, toggles={**self.surroundings.toggles, key: value})
            return fact

        seq = self._book.write_state("toggles", fact, self.clock.now_s(), body)
        self._durably.promise(ordered, seq, then, settled)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _timer_due(self, interaction_id: str, timer_id: str, token: int) -> None:
        self.put(_Due(interaction_id, timer_id, token))


__all__ = ["Book", "HttpSender", "Runtime", "Written"]
