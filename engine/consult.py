"""Somebody else is asked while the customer waits: the lead talks with one or the other, with both, or leaves.

start --answered--> talking with the other <--swap--> with the customer
  | failed, cancel        |                              |
  v                       +--- conference: all together -+
with the customer again   +--- complete: the lead leaves, they stay together
"""

from __future__ import annotations

from core.interaction import InteractionEvent
from core.leg import LegRole
from core.leg_commands import Play, StopMusic, UnbridgeLeg
from core.media import Tone
from engine import called_back, conversation, handover, interlude, supervision, waiting
from engine.contact import Conversation, Party
from engine.conversation import changed, keep
from engine.dialing import Target, dial
from engine.interaction import Surroundings, Turn


def start(turn: Turn, target: Target, around: Surroundings, now_s: float) -> None:
    """The customer is put aside and the other is rung; the lead hears that."""
    talk, lead = _with_lead(turn)
    conversation.hold(turn)
    changed(turn, lead.agent_id, "consult")
    if target.permitted is not None:
        leg_id = dial(turn, target.permitted, LegRole.CONSULT, around, now_s)
        other = Party(leg_id, sent_by=lead.agent_id, up=False)
    else:
        queue = target.name if target.kind == "queue" else ""
        served, excluded = talk.served.joined, (lead.agent_id,)
        joined = waiting.for_colleague(turn, served, queue, target.name, purpose="consult", excluded_agents=excluded)
        turn.facts.append(joined)
        other = Party(stay_id=joined.stay_id, sent_by=lead.agent_id, up=False)
    ring = (lead.leg_id, f"{turn.interaction_id}.w{turn.number()}")
    turn.commands.append(Play(*ring, (Tone("ringback"),)))
    talk, _ = _with_lead(turn)
    keep(turn, talk.but(other=other, ring=ring))


def to_flow(turn: Turn, flow_id: str, around: Surroundings, now_s: float) -> None:
    """A flow leads the customer through something, and the lead waits for her."""
    talk, lead = _with_lead(turn)
    if talk.customer_in:
        turn.commands.append(UnbridgeLeg(turn.interaction.customer.leg_id, talk.bridge_id))
        keep(turn, talk.but(customer_in=False))
    else:
        turn.commands.append(StopMusic(turn.interaction.customer.leg_id))
    changed(turn, lead.agent_id, "consult")
    interlude.begin(turn, flow_id, around, now_s)


def from_flow(turn: Turn, around: Surroundings, broken_off: bool = False) -> None:
    """They are together again."""
    if broken_off:
        interlude.break_off(turn)
    else:
        interlude.close(turn)
    _, lead = _with_lead(turn)
    conversation.connect(turn, around)
    changed(turn, lead.agent_id, "consult_ended")


def reached(turn: Turn, other: Party, around: Surroundings) -> None:
    """The other has answered."""
    conversation.silence_ring(turn)
    talk = turn.interaction.talk
    assert talk is not None
    other = other.but(up=True, inside=True, stay_id="")
    if talk.lead is None:
        keep(turn, talk.but(lead=other, other=None))
        turn.move(InteractionEvent.CONNECT)
        conversation.connect(turn, around)
        return
    keep(turn, talk.but(other=other))
    conversation.meet(turn, other.leg_id)


def come(turn: Turn, party: Party, auto_answered: bool, around: Surroundings, now_s: float) -> None:
    """An agent has taken it: for who waits, or for a consultation."""
    if turn.interaction.is_away and turn.interaction.waiting is not None:
        called_back.take_agent(turn, party, auto_answered, around, now_s)
    elif turn.interaction.waiting is not None:
        conversation.begin(turn, party, auto_answered, around, now_s)
    else:
        conversation.borrow(turn, party)
        reached(turn, party, around)


def other_gone(turn: Turn, how: str, around: Surroundings, now_s: float) -> None:
    """The other did not answer, or has left: the customer is fetched back, or goes back where she came from."""
    talk = turn.interaction.talk
    assert talk is not None
    assert talk.other is not None
    other = talk.other
    if talk.lead is None:
        conversation.dissolve(turn, how)
        handover.come_back(turn, talk.served.but(sent_by=other.sent_by), "no_answer", around, now_s)
        return
    together = talk.is_conference
    conversation.let_go(turn, other, how)
    conversation.silence_ring(turn)
    _fetch_back(turn, around)
    if not together:
        changed(turn, talk.lead.agent_id, "consult_ended")


def _fetch_back(turn: Turn, around: Surroundings) -> None:
    talk = turn.interaction.talk
    assert talk is not None
    keep(turn, talk.but(other=None))
    if not talk.customer_in:
        conversation.connect(turn, around)


def swap(turn: Turn, around: Surroundings) -> None:
    talk, _ = _with_lead(turn)
    other = talk.other
    assert other is not None
    if talk.customer_in:
        conversation.hold(turn)
        other = conversation.set_aside(turn, other, aside=False)
        keep(turn, _now(turn).but(other=other))
    else:
        other = conversation.set_aside(turn, other, aside=True)
        keep(turn, talk.but(other=other))
        conversation.connect(turn, around)


def conference(turn: Turn, around: Surroundings) -> None:
    talk, lead = _with_lead(turn)
    other = talk.other
    assert other is not None
    other = conversation.set_aside(turn, other, aside=False)
    keep(turn, talk.but(other=other))
    if not talk.customer_in:
        conversation.connect(turn, around)
    changed(turn, lead.agent_id, "consult_ended")


def complete(turn: Turn, how: str, around: Surroundings) -> None:
    """The lead leaves: who is there stays with the customer; who is still rung is waited for by her."""
    talk, lead = _with_lead(turn)
    other = talk.other
    assert other is not None
    conversation.let_go(turn, lead, how)
    if not other.up:
        conversation.silence_ring(turn)
        talk = _now(turn)
        customer = turn.interaction.customer.leg_id
        ring = (customer, f"{turn.interaction_id}.w{turn.number()}")
        turn.commands += [StopMusic(customer), Play(*ring, (Tone("ringback"),))]
        served = talk.served.but(origin=handover.origin_of(talk))
        keep(turn, talk.but(lead=None, ring=ring, served=served))
        turn.move(InteractionEvent.TRANSFER)
        supervision.dismiss(turn)
        return
    other = conversation.set_aside(turn, other, aside=False)
    keep(turn, talk.but(lead=other, other=None))
    if not talk.customer_in:
        conversation.connect(turn, around)
    supervision.follow(turn)


def lead_gone(turn: Turn, how: str, around: Surroundings, now_s: float) -> None:
    """The lead hung up, or her phone vanished."""
    talk, lead = _with_lead(turn)
    other = talk.other
    if talk.before:
        how = "vanished"  # she never spoke with the customer, who has waited for nothing
    if other is not None and (other.up or how != "vanished"):
        complete(turn, how if other.up else "transferred", around)
        return
    if how == "vanished" and lead.agent_id:
        handover.vanished(turn, lead.agent_id, around, now_s)
    else:
        conversation.over(turn, how, around, now_s)


def _with_lead(turn: Turn) -> tuple[Conversation, Party]:
    talk = _now(turn)
    assert talk.lead is not None
    return talk, talk.lead


def _now(turn: Turn) -> Conversation:
    assert turn.interaction.talk is not None
    return turn.interaction.talk
