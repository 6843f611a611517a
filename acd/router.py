"""The router: one fact in, what follows from it out. Pure and deterministic; it changes in place, all or nothing.

    outcome = router.handle(QueueJoined(...), now_s)
    outcome.facts      OfferMade, OfferWithdrawn, QueuePosition, QueueLeft: for interactions
    outcome.commands   timers of its own
    outcome.changed    what must be saved: `router.save(aggregate)` for each

`QueueLeft` is told when the router ends a stay (no_agents, full, closed, overflowed). A stay the interaction gave up
ends silently; one that was answered ended when `OfferAccepted` was handled, and the interaction knows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from acd import callbacks, changes, due, ewt, matching, offers, presence, queues, stays, steering, views, wrap_up
from acd.capacity import hindrance
from acd.explain import Explanation, counterfactual, explain
from acd.floor import Floor
from acd.queues import QueueStatus
from acd.records import Agent, Assignment, Queue, Stay
from acd.saved import SavedUnreadable, dump, load
from acd.setup import Key, Setup
from acd.turn import Aggregate, Refused, RoutingOutcome, Turn
from core.agent_facts import (
    AgentActed,
    AgentKept,
    DeviceChanged,
    PhoneUsed,
    WrapUpActed,
)
from core.events import TimerFired
from core.line_facts import LineChanged
from core.offer_facts import (
    OfferAccepted,
    OfferFailed,
    OfferRefused,
    OfferRinging,
    OfferTaken,
)
from core.queue_facts import (
    QueueActed,
    QueueJoined,
    QueuePosition,
    StayActed,
    StayGivenUp,
    StayTurned,
)
from core.routing import RouterFact, RoutingChanged
from core.talk_facts import TalkChanged, TalkEnded

_Handler = Callable[[Floor, Turn, Any], None]
_HANDLERS: dict[type, _Handler] = {
    QueueJoined: stays.join,
    StayGivenUp: stays.given_up,
    StayTurned: callbacks.turned,
    OfferRinging: offers.ringing,
    OfferTaken: offers.taken,
    OfferAccepted: offers.accepted,
    OfferFailed: offers.failed,
    OfferRefused: offers.refused,
    TalkChanged: wrap_up.talk_changed,
    TalkEnded: wrap_up.talk_ended,
    LineChanged: presence.line_changed,
    AgentKept: presence.kept,
    AgentActed: presence.acted,
    WrapUpActed: wrap_up.acted,
    DeviceChanged: presence.device_changed,
    PhoneUsed: presence.phone_used,
    QueueActed: queues.acted,
    StayActed: steering.acted,
    RoutingChanged: lambda floor, turn, fact: None,
    TimerFired: due.fired,
}


class Router:
    """`seed`: for strategies that draw lots; the same events with the same seed come to the same."""

    def __init__(self, setup: Setup, seed: int = 0) -> None:
        self._floor = Floor(setup, seed)
        self._pictures: dict[Aggregate, bytes] = {}

    @property
    def setup(self) -> Setup:
        return self._floor.setup

    # -- events ------------------------------------------------------------------------------------
    def handle(self, fact: RouterFact | TimerFired, now_s: float) -> RoutingOutcome:
        """What follows from a fact. A request that cannot be comes back `refused`, and nothing has changed.

        Raises:
            EventRefused: it cannot happen in this state; nothing has changed.
        """
        return self._do(_HANDLERS[type(fact)], fact, now_s)

    def change_setup(self, setup: Setup, now_s: float) -> RoutingOutcome:
        """Puts a new version in force. Nobody loses her place; who waits in a queue that is gone goes on to its
        fallback; an agent who is gone finishes her work first."""
        before = self._floor.setup
        try:
            return self._do(changes.change, setup, now_s)
        except Exception:
            self._floor.setup = before
            self._floor.index(now_s)
            raise

    def _do(self, handler: _Handler, fact: Any, now_s: float) -> RoutingOutcome:
        floor, turn = self._floor, Turn(now_s, self._pictures)
        try:
            floor.climb(now_s)
            handler(floor, turn, fact)
            matching.settle(floor, turn)
            due.arm(floor, turn)
        except Refused as refused:
            self._undo(turn)
            return RoutingOutcome(refused=str(refused))
        except Exception:
            self._undo(turn)
            raise
        return turn.outcome

    def _undo(self, turn: Turn) -> None:
        floor = self._floor
        for timer_id, armed_s in turn.armed_before.items():
            if armed_s is None:
                floor.armed.pop(timer_id, None)
            else:
                floor.armed[timer_id] = armed_s
        if not turn.before:
            return
        for aggregate, picture in turn.before.items():
            if picture is None:
                floor.stays.pop(aggregate[1], None)
            else:
                self._put(aggregate, picture)
        floor.index(turn.now_s)

    def _put(self, aggregate: Aggregate, body: bytes) -> None:
        record = load(aggregate[0], body)
        if isinstance(record, Agent):
            self._floor.agents[record.key] = record
        elif isinstance(record, Queue):
            self._floor.queues[record.key] = record
        else:
            self._floor.stays[record.stay_id] = record

    # -- saving ------------------------------------------------------------------------------------
    def save(self, aggregate: Aggregate) -> bytes | None:
        """The record as bytes; None when it is gone and its row is to be deleted."""
        kind, row_id = aggregate
        record: Agent | Stay | Queue | None
        if kind == "stay":
            record = self._floor.stays.get(row_id)
        else:
            tenant, _, name = row_id.partition("/")
            rows: Mapping[Key, Agent | Queue] = self._floor.agents if kind == "agent" else self._floor.queues
            record = rows.get((tenant, name))
        if record is None or (isinstance(record, Agent) and record.gone):
            return None
        body = self._pictures.get(aggregate)
        if body is None:
            body = self._pictures[aggregate] = dump(record)
        return body

    def restore(self, rows: Mapping[Aggregate, bytes], now_s: float, alive: Callable[[str], bool]) -> RoutingOutcome:
        """Takes in what was saved. Stays and offers of interactions that are not `alive` are over, conversations with
        them have ended (their wrap-up begins); timers are armed and whoever is free is matched.

        What cannot be read is left out and noted."""
        unread = []
        for aggregate, body in rows.items():
            try:
                self._put(aggregate, body)
            except SavedUnreadable as error:
                unread.append((aggregate, str(error)))
        self._floor.index(now_s)
        return self._do(lambda floor, turn, _: changes.resume(floor, turn, alive, unread), None, now_s)

    # -- reading -----------------------------------------------------------------------------------
    def status(self, tenant: str, queue: str, now_s: float) -> QueueStatus:
        return queues.status(self._floor, (tenant, queue), now_s)

    def expected(self, tenant: str, queue: str, now_s: float) -> ewt.Expected | None:
        """How long one who joins now will wait; None when nothing can be said."""
        return ewt.expected(self._floor, (tenant, queue), len(self._floor.present.get((tenant, queue), ())) + 1)

    def estimates(self, tenant: str, queue: str, place: int) -> Mapping[str, ewt.Expected | None]:
        """What each estimator says to one at `place`, whichever of them speaks."""
        return dict(zip(ewt.NAMES, ewt.ranges(self._floor, (tenant, queue), place), strict=True))

    def position(self, stay_id: str, now_s: float) -> QueuePosition | None:
        stay = self._floor.stays.get(stay_id)
        return queues.position(self._floor, stay, now_s) if stay is not None and not stay.in_person else None

    def agent(self, key: Key) -> Agent | None:
        """To be read only."""
        return self._floor.agents.get(key)

    def hindrance(self, key: Key, channel: str, now_s: float, interaction_id: str) -> str:
        """Why an agent could not be offered this contact in person now, in a word; empty when she could, or nobody
        knows her."""
        number = self._floor.numbers.get(key)
        if number is None:
            return ""
        agent, person = self._floor.roster[number], self._floor.people[number]
        if interaction_id in agent.assignments:
            return ""  # her own customer, in her wrap-up perhaps: that is weighed when it comes to it
        why = hindrance(agent, person, channel, self._floor.setup, now_s, interaction_id)
        return "" if why == "resting" else why

    def agent_at(self, device: str) -> Agent | None:
        """Who is logged in at a phone, else whose own it is. To be read only."""
        number = self._floor.devices.get(device, self._floor.owners.get(device))
        return self._floor.roster[number] if number is not None else None

    def is_on_phone(self, device: str, interaction_id: str) -> bool:
        """Whether its phone counts as in use by this interaction."""
        number = self._floor.devices.get(device)
        on_phone = self._floor.roster[number].on_phone if number is not None else ()
        return interaction_id in (*self._floor.in_use.get(device, ()), *on_phone)

    def assignments(self, key: Key) -> Mapping[str, Assignment]:
        """By interaction id. To be read only."""
        agent = self._floor.agents.get(key)
        return agent.assignments if agent is not None else {}

    def stay(self, stay_id: str) -> Stay | None:
        """To be read only."""
        return self._floor.stays.get(stay_id)

    def longest(self, queue: Key, below: float) -> Stay | None:
        """Who has waited longest on the line in a queue, of those whose priority is below that. To be read only."""
        here = self._floor.present.get(queue, {}).values()
        live = (stay for stay in here if stay.counted and stay.mode == "live" and stay.priority < below)
        return min(live, key=lambda stay: (stay.began_s, stay.number), default=None)

    def stays(self) -> tuple[Stay, ...]:
        return tuple(self._floor.stays.values())

    def explain(self, stay_id: str, now_s: float) -> Explanation | None:
        """Who could have this contact and why she does not; None when it does not wait."""
        stay = self._floor.stays.get(stay_id)
        return explain(self._floor, stay, now_s) if stay is not None else None

    def counterfactual(self, stay_id: str, now_s: float, later_s: float = 10.0) -> Explanation | None:
        """The same, `later_s` seconds on, if nothing happened but the passing of time."""
        stay = self._floor.stays.get(stay_id)
        return counterfactual(self._floor, stay, now_s, later_s) if stay is not None else None

    def board(self, now_s: float, tenant: str | None = None) -> views.Board:
        return views.board(self._floor, now_s, tenant)

    def places(self, queue: Key, now_s: float) -> dict[str, int]:
        """Stay -> its place in a queue, from 1, in that order."""
        return views.places(self._floor, queue, now_s)

    def view_agent(self, key: Key, now_s: float) -> dict[str, Any] | None:
        agent = self._floor.agents.get(key)
        return views.view_agent(self._floor, agent, now_s) if agent is not None else None

    def view_queue(self, key: Key, now_s: float) -> dict[str, Any] | None:
        return views.view_queue(self._floor, key, now_s) if key in self._floor.setup.queues else None

    def view_stay(self, stay_id: str, now_s: float) -> dict[str, Any] | None:
        stay = self._floor.stays.get(stay_id)
        return views.view_stay(self._floor, stay, now_s) if stay is not None else None
