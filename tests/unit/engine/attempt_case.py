"""Somebody a campaign calls, in virtual time: facts in, commands and facts out.

case = Case(); case.tell(LegRinging(HER)); case.answer(); case.tell(case.line_offer("ana"))
"""

from dataclasses import replace

from acd.setup import AgentSetup, QueueSetup, Setup
from core.attempt import ATTEMPT_TABLE, OPEN_ATTEMPTS, AttemptEvent, AttemptState
from core.commands import CancelTimer, StartTimer
from core.decisions import InteractionClosed
from core.dialing import AttemptProgressed, AttemptWanted
from core.events import LegArrived, LegEnded, LegUp, PlaybackFinished, TimerFired
from core.leg import EndReason, LegState
from core.leg_commands import BridgeLegs, DestroyBridge, HangUpLeg, OriginateLeg, Play, StartMusic
from core.line_facts import LineUsed
from core.offer_facts import OfferMade
from core.queue_facts import QueueJoined, StayGivenUp
from engine import departures, interactions, snapshots
from engine.config.numbers import NumberPlan
from engine.config.outbound import OutboundRule, OutboundRules
from engine.interaction import Surroundings
from ivr.loader import Context, load

FLOWS = {
    "flows/safe_harbour.yaml": """
flow: safe_harbour
languages: [es]
start: message
nodes:
  message: {type: play, prompt: "Le llamaba Acme.", next: bye}
  bye: {type: hangup}
""",
    "flows/reminder.yaml": """
flow: reminder
languages: [es]
start: message
variables: {day: hoy}
nodes:
  message: {type: menu, prompt: "Su cita es el {{ day }}.", keys: {"1": bye}, no_input: {then: bye},
            no_match: {then: bye}}
  bye: {type: hangup}
""",
}
FLOWS["flows/choice.yaml"] = """
flow: choice
languages: [es]
start: message
nodes:
  message: {type: menu, prompt: "¿Sí?", keys: {"1": yes_, "2": person}, no_input: {then: bye}, no_match: {then: bye}}
  yes_: {type: disposition, value: confirmed, answers: {day: lunes}, next: thanks}
  thanks: {type: play, prompt: "Gracias.", next: bye}
  person: {type: queue, queue: sales, answered: after, next: bye}
  after: {type: disposition, value: talked, next: bye}
  bye: {type: hangup}
"""
FLOWS["flows/voicemail.yaml"] = """
flow: voicemail
languages: [es]
start: message
variables: {day: hoy}
nodes:
  message: {type: play, prompt: "Le llamamos mañana.", next: bye}
  bye: {type: hangup}
"""
ID, HER, ATTEMPT = "o-1", "o-1.x0", "at-1"
DEVICES = {"ana": "main-1001", "eva": "main-1002"}
WANTED = AttemptWanted(
    interaction_id=ID,
    leg_id=HER,
    attempt_id=ATTEMPT,
    tenant="main",
    campaign="spring",
    lead_id="l1",
    called="+34911234567",
    mode="predictive",
    purpose="sales",
    queue="sales",
    language="es",
    identity="+34900100200",
    ring_s=20.0,
    least_ring_s=15.0,
    within_s=2.0,
    variables={"day": "lunes"},
)
AGENTLESS = replace(WANTED, mode="agentless", queue="", flow="reminder", within_s=0.0)


def surroundings(**rules):
    loaded = load(FLOWS, Context(languages=("es",), queues=frozenset({("main", "sales")})))
    assert loaded.release is not None, str(loaded.problems)
    return Surroundings(
        releases={loaded.release.id: loaded.release},
        release_id=loaded.release.id,
        numbers=NumberPlan({}, (), {}),
        outbound=OutboundRules(
            rules=(OutboundRule("landlines", ("+349",), "main-carrier", "+34900", hourly=5),),
            devices=frozenset(DEVICES.values()),
            emergency_numbers=frozenset({"112"}),
            emergency_trunk="main-carrier",
        ),
        routing=Setup(
            agents={("main", who): AgentSetup("main", who, device=device) for who, device in DEVICES.items()},
            queues={("main", "sales"): QueueSetup("main", "sales", **rules)},
        ),
        node="n1",
    )


AROUND = surroundings(music="jazz")


class Case:
    """Each fact `step_s` after the one before; every state survives being saved and loaded."""

    step_s = 0.1

    def __init__(self, wanted=WANTED, around=AROUND):
        self.around, self.now_s = around, 1000.0
        self.commands, self.facts, self.decisions, self.offers = [], [], [], 0
        self.timers = {}
        self.take(departures.open_(wanted, around, self.now_s))

    def tell(self, *events):
        for event in events:
            self.now_s += self.step_s
            self.take(interactions.handle(self.interaction, event, self.around, self.now_s))
        return self.last

    def take(self, turn):
        self.last, self.interaction = turn, turn.interaction
        self.commands += turn.commands
        self.facts += turn.facts
        self.decisions += turn.decisions
        for command in turn.commands:
            if isinstance(command, StartTimer):
                self.timers[command.timer_id] = command.due_s
            elif isinstance(command, CancelTimer):
                self.timers.pop(command.timer_id, None)
        saved = snapshots.load(snapshots.dump(turn.interaction))
        assert saved.but(run=None) == turn.interaction.but(run=None)

    def wait(self, seconds):
        """Timers fire as they fall due."""
        until_s = self.now_s + seconds
        while due := [(at_s, timer_id) for timer_id, at_s in self.timers.items() if at_s <= until_s]:
            at_s, timer_id = min(due)
            del self.timers[timer_id]
            self.now_s = max(self.now_s, at_s)
            self.take(interactions.handle(self.interaction, TimerFired(ID, timer_id), self.around, self.now_s))
        self.now_s = until_s

    def restart(self, away_s=0.5):
        """A new engine has only what was saved; no timer is armed."""
        self.now_s += away_s
        self.timers.clear()
        self.interaction = snapshots.load(snapshots.dump(self.interaction))

    # -- shortcuts
    def answer(self):
        self.tell(LegUp(HER))
        return self

    def offer(self, agent_id, **more):
        self.offers += 1
        stay_id = self.interaction.waiting.stay_id
        return OfferMade(ID, stay_id, f"{stay_id}.o{self.offers}", agent_id, DEVICES[agent_id], "sales", **more)

    def line_offer(self, agent_id):
        return self.offer(agent_id, line_leg_id=f"line-{agent_id}", line_interaction_id=f"i-line-{agent_id}")

    def connect(self, agent_id="ana"):
        self.tell(self.line_offer(agent_id))
        return self

    @property
    def attempt(self):
        return self.interaction.attempt

    @property
    def state(self):
        return self.attempt.state

    def progressed(self):
        return [fact.event for fact in self.facts if isinstance(fact, AttemptProgressed)]

    def progress(self):
        return [fact for fact in self.facts if isinstance(fact, AttemptProgressed)][-1]

    def said(self, kind):
        return [fact for fact in self.facts if isinstance(fact, kind)]

    def commanded(self, kind):
        return [command for command in self.commands if isinstance(command, kind)]

    @property
    def is_hung_up(self):
        return any(command.leg_id == HER for command in self.commanded(HangUpLeg))

    @property
    def is_heard(self):
        """Somebody, or something, speaks to her."""
        spoken = any(command.leg_id == HER for command in (*self.commanded(Play), *self.commanded(StartMusic)))
        return spoken or any(HER in command.leg_ids for command in self.commanded(BridgeLegs))

    # -- the end
    def over(self, reason=EndReason.HUNG_UP, cause=16):
        """She is gone; every other leg ends as it is told to."""
        self.tell(LegEnded(HER, reason, cause))
        for leg in self.interaction.legs[1:]:
            if leg.state is not LegState.ENDED:
                assert any(command.leg_id == leg.leg_id for command in self.commanded(HangUpLeg)), leg
                self.tell(LegEnded(leg.leg_id, EndReason.HUNG_UP_BY_US))
        self.nothing_is_left()

    def nothing_is_left(self):
        assert self.interaction.is_closed
        assert sum(isinstance(decision, InteractionClosed) for decision in self.decisions) == 1
        assert self.state not in OPEN_ATTEMPTS
        bridged = {command.bridge_id for command in self.commanded(BridgeLegs)}
        assert bridged <= {command.bridge_id for command in self.commanded(DestroyBridge)}
        lent = {fact.leg_id: fact.talking_in for fact in self.said(LineUsed)}
        assert not any(lent.values()), f"lines not given back: {lent}"
        given_up = {fact.stay_id for fact in self.said(StayGivenUp)}
        assert self.interaction.waiting is None
        assert self.interaction.offers == ()
        assert len(given_up) == len(self.said(StayGivenUp))
        self.told_once()

    def told_once(self):
        """The dialer, following the same table, ends where we are; nothing was told twice."""
        state = AttemptState.DIALING
        for event in self.progressed():
            after, transition = ATTEMPT_TABLE.advance(ATTEMPT, state, AttemptEvent(event))
            assert transition is not None, f"{event} in {state} moves nothing"
            state = after
        assert state is self.state


__all__ = [
    "AGENTLESS",
    "AROUND",
    "ATTEMPT",
    "DEVICES",
    "HER",
    "ID",
    "WANTED",
    "Case",
    "LegArrived",
    "OriginateLeg",
    "PlaybackFinished",
    "QueueJoined",
    "surroundings",
]
