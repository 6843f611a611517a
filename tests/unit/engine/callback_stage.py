"""A caller who may ask to be called back, an interaction and a router that tell each other everything."""

from __future__ import annotations

from dataclasses import replace

import pytest

from acd.router import Router
from acd.setup import Callbacks
from core.agent_facts import AgentActed
from core.commands import RequestCallback, StartTimer
from core.events import (
    CallbackRequested,
    DigitPressed,
    LegArrived,
    LegEnded,
    LegRinging,
    LegUp,
    TimerFired,
)
from core.leg import EndReason, LegRole
from core.leg_commands import OriginateLeg
from core.routing import RouterFact
from engine.config.outbound import OutboundRule, OutboundRules
from ivr.loader import Context, load
from tests.unit.engine.talk_case import CALLER, ID, Case, surroundings

HERS, OTHER = "+34600000000", "+34600111222"
FLOWS = {
    "flows/desk.yaml": """
flow: desk
languages: [es]
start: main
nodes:
  main:
    type: menu
    prompt: "Marque 1."
    keys: {"1": sales, "2": away, "3": support}
    no_input: {then: bye}
    no_match: {then: bye}
  sales: {type: queue, queue: sales, keys: {"2": call_me}, next: bye}
  support: {type: queue, queue: support, keys: {"2": call_me}, next: bye}
  away: {type: callback, queue: sales, prompt: "Su número.", confirm: {prompt: "Le llamamos. Marque 1."},
         next: promised, refused: sorry, error: bye}
  call_me: {type: callback, prompt: "Su número.", confirm: {prompt: "Le llamamos. Marque 1."}, next: promised,
            refused: sorry, no_match: {then: sales}, no_input: {then: sales}, error: bye}
  promised: {type: hangup, prompt: "Le llamaremos."}
  sorry: {type: hangup, prompt: "No podemos llamarle."}
  bye: {type: hangup}
""",
}
LATER = Callbacks(attempts=2, retry_s=300.0, expiry_s=86_400.0, ring_s=30.0)
CALLED_FIRST = replace(LATER, first="customer")
ROUTED = set(RouterFact.__args__)


def house(told: Callbacks = LATER, listed: str = "") -> object:
    loaded = load(FLOWS, Context(languages=("es",), queues=frozenset({("main", "sales"), ("main", "support")})))
    assert loaded.release is not None, str(loaded.problems)
    around = surroundings(no_agents="wait", wrap_up_s=0.0)
    queues = {key: replace(queue, callback=told) for key, queue in around.routing.queues.items() if key[1] == "sales"}
    return replace(
        around,
        releases={loaded.release.id: loaded.release},
        release_id=loaded.release.id,
        outbound=OutboundRules(rules=(OutboundRule("mobile", ("+346",), "main-carrier", "+34900"),)),
        routing=replace(around.routing, queues={**around.routing.queues, **queues}),
        listed=lambda tenant, number: listed,
    )


class Together:
    """An interaction and the router: every fact of one is told to the other until both are still."""

    def __init__(self, around: object = None, agents: tuple[str, ...] = ()) -> None:
        self.around = around or house()
        self.case = Case(self.around)
        self.router = Router(self.around.routing)  # type: ignore[attr-defined]
        self.told = 0
        self.timers: dict[str, float] = {}
        self.near: list[str] = []
        for agent_id in agents:
            self.comes(agent_id)

    @property
    def interaction(self):
        return self.case.interaction

    @property
    def callback(self) -> str:
        return self.interaction.callback.state.value if self.interaction.callback else ""

    def comes(self, agent_id: str) -> None:
        for action in ("log_in", "ready"):
            self.route(AgentActed("main", agent_id, action))

    def route(self, fact: object) -> None:
        outcome = self.router.handle(fact, self.case.now_s)
        assert not outcome.refused
        for command in outcome.commands:
            if isinstance(command, StartTimer):
                self.timers[command.timer_id] = command.due_s
            else:
                self.timers.pop(command.timer_id, None)
        for said in outcome.facts:
            self.tell(said)

    def tell(self, *events: object) -> None:
        for event in events:
            before = len(self.case.commands)
            self.case.tell(event)
            for command in self.case.commands[before:]:
                if isinstance(command, RequestCallback):
                    self.tell(CallbackRequested(ID, command.callback_id))
            while self.told < len(self.case.facts):
                fact = self.case.facts[self.told]
                self.told += 1
                if type(fact) in ROUTED:
                    self.route(fact)

    def passes(self, seconds: float) -> None:
        until_s = self.case.now_s + seconds
        while due := [(at_s, timer_id) for timer_id, at_s in self.timers.items() if at_s <= until_s]:
            at_s, timer_id = min(due)
            self.case.now_s = max(self.case.now_s, at_s)
            del self.timers[timer_id]
            self.route(TimerFired("", timer_id))
        self.case.now_s = max(self.case.now_s, until_s)

    # -- what people do
    def waits(self) -> None:
        self.tell(DigitPressed(CALLER, "1"))

    def asks(self) -> None:
        """She asks to be called at the number she calls from."""
        self.tell(DigitPressed(CALLER, "2"), DigitPressed(CALLER, "1"))

    def hangs_up(self) -> None:
        self.tell(LegEnded(self.interaction.customer.leg_id, EndReason.HUNG_UP))

    def agent_answers(self) -> None:
        self.tell(LegUp(self.case.ringing))

    def answers(self) -> None:
        self.tell(LegRinging(self.interaction.customer.leg_id), LegUp(self.interaction.customer.leg_id))

    def does_not_answer(self, reason: EndReason = EndReason.NO_ANSWER) -> None:
        self.tell(LegEnded(self.interaction.customer.leg_id, reason))

    def rings_back(self, leg_id: str = "c2") -> None:
        self.tell(LegArrived(leg_id, "n1", "100", HERS), LegUp(leg_id))

    def calls_to_her(self) -> list[str]:
        dialed = (c for c in self.case.commands if isinstance(c, OriginateLeg))
        return [c.leg_id for c in dialed if c.role is LegRole.CUSTOMER]

    def stay(self):
        (stay,) = self.router.stays()
        return stay

    def work(self, agent_id: str = "ana") -> str:
        work = self.router.assignments(("main", agent_id)).get(ID)
        return work.state.value if work is not None else ""


@pytest.fixture
def away() -> Together:
    """She has waited, asked for a callback and hung up."""
    both = Together()
    both.waits()
    both.asks()
    both.hangs_up()
    return both
