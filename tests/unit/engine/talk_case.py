"""One caller who waits for agents and talks with them, in virtual time: facts in, commands and facts out.

case = Case(around); case.queue()             # she waits in `sales`
case.tell(case.offer("ana"))                  # the router offers her to Ana
case.tell(LegUp(case.ringing))                # Ana answers
"""

from dataclasses import replace

import pytest

from acd.setup import AgentSetup, Announcements, QueueSetup, Setup
from core.events import DigitPressed, LegArrived, LegEnded, LegUp, PlaybackFinished
from core.leg import EndReason, LegState
from core.leg_commands import BridgeLegs, DestroyBridge, HangUpLeg, OriginateLeg, UnbridgeLeg
from core.line_facts import LineUsed
from core.offer_facts import OfferMade
from core.queue_facts import QueueJoined, StayGivenUp
from core.talk_facts import ConversationActed, TalkEnded
from engine import arrivals, interactions, snapshots
from engine.config.numbers import NumberPlan, Route
from engine.config.outbound import OutboundRule, OutboundRules
from engine.config.queue_prompts import QueuePrompts
from engine.interaction import Surroundings
from ivr.loader import Context, load
from ivr.prompts import Prompt

FLOWS = {
    "flows/desk.yaml": """
flow: desk
languages: [es]
start: main
nodes:
  main:
    type: menu
    prompt: "Marque 1."
    keys: {"1": sales, "2": support, "3": hold_line, "4": supervise}
    no_input: {then: bye}
    no_match: {then: bye}
  sales: {type: queue, queue: sales, keys: {"9": mail}, answered: survey, no_agents: sorry, overflowed: sorry,
          next: sorry, error: bye}
  support: {type: queue, queue: support, error: bye}
  hold_line: {type: agent, do: hold_line, refused: sorry, error: bye}
  supervise: {type: agent, do: supervise, value: "22", refused: sorry, error: bye}
  survey: {type: play, prompt: "¿Qué tal?", next: bye}
  sorry: {type: play, prompt: "Lo sentimos.", next: bye}
  mail: {type: play, prompt: "Deje un mensaje.", next: bye}
  bye: {type: hangup}
""",
    "flows/pay.yaml": """
flow: pay
languages: [es]
start: card
nodes:
  card: {type: collect, prompt: "Su tarjeta.", digits: 16, into: card, sensitive: yes, next: bye,
         no_input: {then: bye}, no_match: {then: bye}}
  bye: {type: hangup}
""",
}
CALLER, ID = "c1", "i-c1"
DEVICES = {"ana": "main-1001", "eva": "main-1002", "luis": "main-1003"}
TEXTS = QueuePrompts(
    position=Prompt({"es": "Usted es el {{ position }}."}),
    comfort=(Prompt({"es": "Gracias."}), Prompt({"es": "Siga ahí."})),
    whisper=Prompt({"es": "Ventas"}),
    returned=Prompt({"es": "Se ha cortado."}),
)


def surroundings(**queue):
    context = Context(languages=("es",), queues=frozenset({("main", "sales"), ("main", "support")}))
    loaded = load(FLOWS, context)
    assert loaded.release is not None, str(loaded.problems)
    agents = {("main", who): AgentSetup("main", who, device=device) for who, device in DEVICES.items()}
    agents["main", "eva"] = replace(agents["main", "eva"], code="22")
    queues = {("main", name): QueueSetup("main", name, **queue) for name in ("sales", "support")}
    return Surroundings(
        releases={loaded.release.id: loaded.release},
        release_id=loaded.release.id,
        numbers=NumberPlan({}, (), {"main": Route("main", "desk", "", "default", is_default=True)}),
        outbound=OutboundRules(
            rules=(OutboundRule("landlines", ("+349",), "main-carrier", "+34900", hourly=5),),
            devices=frozenset(DEVICES.values()),
        ),
        routing=Setup(agents=agents, queues=queues),
        queue_prompts={("main", "sales"): TEXTS},
    )


PLAIN = surroundings(music="jazz")
ANNOUNCED = surroundings(announcements=Announcements(every_s=30, position=True, comfort_every_s=20))
RECORDED = surroundings(record_percent=100)


class Case:
    """Each fact one second after the other; every state survives being saved and loaded."""

    def __init__(self, around=PLAIN):
        self.around, self.now_s, self.last = around, 1000.0, None
        self.commands, self.facts, self.offers, self.offered = [], [], 0, {}
        self.take(arrivals.arrive(LegArrived(CALLER, "n1", "100", "+34600000000", "Eva Luz"), around, self.now_s))
        self.tell(LegUp(CALLER))

    def tell(self, *events):
        for event in events:
            self.now_s += 1
            self.take(interactions.handle(self.interaction, event, self.around, self.now_s))
        return self.last

    def take(self, turn):
        self.last, self.interaction = turn, turn.interaction
        self.commands += turn.commands
        self.facts += turn.facts
        assert self.without_secrets(snapshots.load(snapshots.dump(turn.interaction))) == self.without_secrets(
            turn.interaction
        )

    def without_secrets(self, interaction):
        return interaction.but(run=None)

    # -- shortcuts
    def queue(self, key="1"):
        self.tell(DigitPressed(CALLER, key))
        return self

    def offer(self, agent_id, **more):
        """What the router would say for the stay that seeks an agent now."""
        self.offers += 1
        talk = self.interaction.talk
        stay_id = self.interaction.waiting.stay_id if talk is None else talk.other.stay_id
        return OfferMade(ID, stay_id, f"{stay_id}.o{self.offers}", agent_id, DEVICES[agent_id], "sales", **more)

    def line_offer(self, agent_id):
        return self.offer(agent_id, line_leg_id=f"line-{agent_id}", line_interaction_id=f"i-line-{agent_id}")

    def talk(self, agent_id="ana"):
        """She talks with the agent."""
        offer = self.offer(agent_id)
        self.tell(offer, LegUp(offer.offer_id))
        self.agent_leg = offer.offer_id
        return self

    def act(self, action, target="", agent_id="ana", **values):
        return self.tell(ConversationActed(ID, agent_id, action, target, values)).refused

    @property
    def ringing(self):
        return self.interaction.offers[-1].offer_id

    def commanded(self, kind):
        return [command for command in self.last.commands if isinstance(command, kind)]

    def said(self, kind):
        return [fact for fact in self.last.facts if isinstance(fact, kind)]

    @property
    def state(self):
        return self.interaction.state.value

    # -- what must hold
    def hang_up(self, reason=EndReason.HUNG_UP):
        """The caller hangs up; every other leg then ends as it is told to."""
        self.tell(LegEnded(CALLER, reason))
        for leg in self.interaction.legs[1:]:
            if leg.state is not LegState.ENDED:
                assert any(isinstance(c, HangUpLeg) and c.leg_id == leg.leg_id for c in self.commands), leg
                self.tell(LegEnded(leg.leg_id, EndReason.HUNG_UP_BY_US))

    def nothing_is_left(self):
        assert self.state == "closed"
        bridged = {c.bridge_id for c in self.commands if isinstance(c, BridgeLegs)}
        assert bridged <= {c.bridge_id for c in self.commands if isinstance(c, DestroyBridge)}
        dialed = {c.leg_id for c in self.commands if isinstance(c, OriginateLeg)}
        ended = {leg.leg_id for leg in self.interaction.legs if leg.state is LegState.ENDED}
        assert dialed <= ended
        lent = {}
        for fact in self.facts:
            if isinstance(fact, LineUsed):
                lent[fact.leg_id] = fact.talking_in
        assert not any(lent.values()), f"lines not given back: {lent}"

    def inside(self):
        """Who is in which bridge, by the commands so far."""
        bridges = {}
        for command in self.commands:
            if isinstance(command, BridgeLegs):
                for leg_id in command.leg_ids:
                    for others in bridges.values():
                        others.discard(leg_id)
                bridges.setdefault(command.bridge_id, set()).update(command.leg_ids)
            elif isinstance(command, UnbridgeLeg):
                bridges.get(command.bridge_id, set()).discard(command.leg_id)
            elif isinstance(command, DestroyBridge):
                bridges.pop(command.bridge_id, None)
        gone = {c.leg_id for c in self.commands if isinstance(c, HangUpLeg)}
        gone |= {leg.leg_id for leg in self.interaction.legs if leg.state is LegState.ENDED}
        return {leg_id for legs in bridges.values() for leg_id in legs} - gone


def heard(case):
    """The words somebody was told to hear in the last turn."""
    return [part.text for c in case.last.commands for part in getattr(c, "parts", ()) if hasattr(part, "text")]


def play_out(case):
    """Everything that was asked to be played in the last turn is heard to its end."""
    for command in list(case.last.commands):
        if hasattr(command, "parts"):
            case.tell(PlaybackFinished(command.leg_id, command.playback_id))


@pytest.fixture
def case():
    return Case().queue()


__all__ = ["Case", "QueueJoined", "StayGivenUp", "TalkEnded", "case", "heard", "play_out", "surroundings"]
