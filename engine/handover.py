"""A customer goes from one person to another: blind transfers, and what happens when they lead nowhere.

transfer --agent, queue--> she waits again (who sent her gets her back when nobody answers)
   |------device, number--> she is being reached somebody: ringback, then together
   +------flow------------> another flow has her
an agent's phone vanishes --> she is told, and is the first to be served again
"""

from __future__ import annotations

from dataclasses import replace

from core.interaction import InteractionEvent
from core.leg import LegRole
from core.leg_commands import Play, StartMusic
from core.media import Tone
from core.queue_facts import MOST_PRIORITY, QueueJoined
from engine import announcements, conversation, interlude, steps, waiting
from engine.contact import Conversation, Party, Waiting
from engine.dialing import Target, dial
from engine.interaction import Surroundings, Turn
from ivr import interpreter

HEAD = MOST_PRIORITY + 1
"""Added to the priority of who comes back through no fault of her own: nobody is served before her."""
CAME_BACK = "came back"
"""What the journal calls it when nobody took her where an agent had sent her."""


def transfer(turn: Turn, target: Target, around: Surroundings, now_s: float) -> None:
    """The lead sends her customer away, and is free."""
    talk = turn.interaction.talk
    assert talk is not None
    assert talk.lead is not None
    agent_id = talk.lead.agent_id
    turn.note("transferred", f"by {agent_id} to {target.kind} {target.name}".rstrip())
    conversation.dissolve(turn, "transferred")
    if target.kind == "flow":
        _to_flow(turn, target.name, around, now_s)
    elif target.permitted is not None:
        leg_id = dial(turn, target.permitted, LegRole.EXTERNAL, around, now_s)
        reach(turn, talk, Party(leg_id, sent_by=agent_id, up=False))
    else:
        _to_queue(turn, talk, target, agent_id, around, now_s)


def _to_queue(
    turn: Turn, talk: Conversation, target: Target, agent_id: str, around: Surroundings, now_s: float
) -> None:
    queue = target.name if target.kind == "queue" else ""
    joined = waiting.for_colleague(
        turn,
        talk.served.joined,
        queue,
        target.name,
        purpose="transfer",
        excluded_agents=(agent_id,) if agent_id else (),
        language=language_of(turn, talk.served),
    )
    music = waiting.music_for(turn.interaction, queue, talk.served.music if not queue else "default", around)
    stay = talk.served.but(joined=joined, since_s=now_s, origin=origin_of(talk), sent_by=agent_id, music=music)
    turn.commands.append(StartMusic(turn.interaction.customer.leg_id, music))
    waiting.begin(turn, stay, around, now_s)


def _to_flow(turn: Turn, flow_id: str, around: Surroundings, now_s: float) -> None:
    start = interlude.start_of(turn, flow_id, around)
    turn.move(InteractionEvent.FLOW)
    step = interpreter.start(around.world(turn.interaction.release_id), start, now_s)
    steps.follow(turn, step, around, now_s)


def reach(turn: Turn, talk: Conversation, other: Party) -> None:
    """Nobody is with the customer until `other` answers; she hears it ring."""
    number = turn.number()
    ring = (turn.interaction.customer.leg_id, f"{turn.interaction_id}.w{number}")
    turn.commands.append(Play(*ring, (Tone("ringback"),)))
    served = talk.served.but(origin=origin_of(talk))
    bridge_id = f"{turn.interaction_id}.b{number}"
    conversation.keep(turn, Conversation(bridge_id, served, talk.began_s, other=other, ring=ring))
    turn.move(InteractionEvent.TRANSFER)


def come_back(turn: Turn, stay: Waiting, outcome: str, around: Surroundings, now_s: float) -> None:
    """Nobody took her where she was sent: who sent her has her again, or whoever serves the queue she came from."""
    joined = None
    if stay.sent_by and stay.origin is not None:
        joined = replace(_at_the_head(stay.origin), preferred_agent=stay.sent_by)
    elif stay.sent_by:
        joined = replace(stay.joined, queue="", agent_id=stay.sent_by, excluded_agents=())
    if joined is None:
        conversation.after_stay(turn, stay, outcome, around, now_s)
        return
    turn.note(CAME_BACK, f"to {stay.sent_by}: {outcome}")
    _again(turn, stay, joined, around, now_s)
    turn.commands.append(StartMusic(turn.interaction.customer.leg_id, stay.music))


def vanished(turn: Turn, agent_id: str, around: Surroundings, now_s: float) -> None:
    """The agent's phone is gone and the customer is there: she is told so, and is served next."""
    talk = conversation.dissolve(turn, "vanished")
    origin = origin_of(talk)
    if origin is None:
        conversation.after_stay(turn, talk.served, "lost", around, now_s)
        return
    joined = replace(_at_the_head(origin), preferred_agent="")
    turn.note("vanished", f"the phone of {agent_id}: the caller is told and returns to the head of {joined.queue}")
    _again(turn, talk.served, joined, around, now_s, sorry_for=agent_id)


def _at_the_head(joined: QueueJoined) -> QueueJoined:
    """Before all that have not talked with anybody; who comes back once more is no further ahead than before."""
    return joined if joined.priority >= HEAD else replace(joined, priority=joined.priority + HEAD)


def _again(
    turn: Turn, stay: Waiting, joined: QueueJoined, around: Surroundings, now_s: float, sorry_for: str | None = None
) -> None:
    """`sorry_for`: whose phone vanished; she is told so, and whoever it was is spared for a while."""
    spared = (sorry_for,) if sorry_for else ()
    joined = waiting.another(turn, joined, language=language_of(turn, stay), purpose="serve", spared_agents=spared)
    stay = stay.but(joined=joined, since_s=now_s, origin=None, sent_by="", playing="", saying="", timers=())
    first = announcements.prompts_for(turn.interaction, stay, around).returned if sorry_for is not None else None
    waiting.begin(turn, stay, around, now_s, first)


def origin_of(talk: Conversation) -> QueueJoined | None:
    """The queue's stay she was served in, with all the time she waited; None for a call to one agent in person."""
    served = talk.served
    if not served.joined.queue:
        return served.origin
    return replace(served.joined, waited_s=waiting.waited_s(served, talk.began_s))


def language_of(turn: Turn, stay: Waiting) -> str:
    run = turn.interaction.run
    return run.language if run is not None else stay.joined.language
