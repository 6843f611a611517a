"""An agent's phone is rung before somebody is dialed for her: picked up, it is her held line for that one attempt.

LineWanted --> her phone rings --up--> her held line, in silence --LineUsed--> lent to the conversation
                   | ended                | LineUnwanted, or given back
                   v                      v
               LineCame(up=False)       hung up
"""

from __future__ import annotations

from core.agent_facts import AgentKept
from core.decisions import InteractionClosed, LegJoined
from core.dialing import LineCame, LineUnwanted, LineWanted
from core.events import CommandOutcomeUnknown, CommandRejected, Event, LegAdopted, LegUp
from core.interaction import InteractionEvent
from core.leg import EndReason, Leg, LegEvent, LegRole, LegState
from core.leg_commands import HangUpLeg, ParkLeg
from core.line_facts import LineChanged, LineUsed
from engine.contact import Line
from engine.interaction import Interaction, Surroundings, Turn
from engine.ringing import ring

_DONE, _NOT_UP = "line_done", "line_not_up"


def open_(event: LineWanted, around: Surroundings, now_s: float) -> Turn:
    """A new interaction, whose first leg is her phone."""
    turn = _opened(event, around, now_s)
    turn.facts.append(AgentKept(turn.interaction_id, event.tenant, event.agent_id, kept=True))
    person = around.routing.agents.get((event.tenant, event.agent_id))
    ring(
        turn,
        event.leg_id,
        LegRole.AGENT,
        f"device:{event.device}",
        event.called,
        event.ring_s,
        around.outbound,
        now_s,
        auto_answer=person is not None and person.auto_answer,
        caller_name=event.title,
    )
    return turn


def refuse(event: LineWanted, around: Surroundings, why: str, now_s: float) -> Turn:
    """It cannot be rung at all: no room, or a fault of ours."""
    turn = _opened(event, around, now_s)
    turn.note("event_refused", why)
    leg = turn.interaction.customer
    turn.decisions.append(LegJoined(turn.interaction_id, leg.leg_id, leg.role.value, leg.node))
    turn.advance(leg, LegEvent.ENDED, now_s, EndReason.FAILED)
    turn.facts.append(LineCame(turn.interaction_id, event.attempt_id, False, why))
    turn.interaction = turn.interaction.but(line=None, outcome=_NOT_UP)
    turn.move(InteractionEvent.CLOSE)
    turn.decisions.append(InteractionClosed(turn.interaction_id, turn.interaction.outcome))
    return turn


def take(turn: Turn, line: Line, event: Event, now_s: float) -> bool:
    """Whether the event was this line's, and no other held line would do so with it."""
    match event:
        case LineUnwanted():
            if not line.talking_in:
                _hang_up(turn)
        case LineUsed(talking_in=""):
            turn.interaction = turn.interaction.but(line=line.but(talking_in=""))
            _hang_up(turn)
        case LegUp() if not line.agent_id:
            _up(turn, line)
        case LegAdopted() if not line.agent_id:
            if turn.interaction.customer.is_up:
                _up(turn, line)
        case CommandRejected(what="OriginateLeg") | CommandOutcomeUnknown(what="OriginateLeg"):
            _written_off(turn, getattr(event, "why", "nobody knows whether it was dialed"), now_s)
        case _:
            return False
    return True


def gone(turn: Turn, line: Line, why: str = "") -> None:
    """Its leg has ended: the dialer is told, whatever she had of it."""
    reason = turn.interaction.customer.reason
    turn.facts.append(LineCame(turn.interaction_id, line.attempt_id, False, why or (reason.value if reason else "")))
    outcome = turn.interaction.outcome or (_DONE if line.agent_id else _NOT_UP)
    turn.interaction = turn.interaction.but(outcome=outcome)


def let_go(turn: Turn, line: Line) -> None:
    """She may be put through to others again: after the router has heard that this line is gone."""
    turn.facts.append(AgentKept(turn.interaction_id, turn.interaction.tenant, line.called, kept=False))


def _up(turn: Turn, line: Line) -> None:
    interaction = turn.interaction
    leg = interaction.customer
    if interaction.outcome:  # it crossed our hanging up
        turn.commands.append(HangUpLeg(leg.leg_id))
        return
    turn.interaction = interaction.but(line=line.but(agent_id=line.called))
    turn.commands.append(ParkLeg(leg.leg_id))
    turn.facts += [
        LineChanged(interaction.interaction_id, interaction.tenant, line.called, leg.leg_id, True, leg.node),
        LineCame(interaction.interaction_id, line.attempt_id, True),
    ]


def _written_off(turn: Turn, why: str, now_s: float) -> None:
    """Hung up in case it exists."""
    leg, line = turn.interaction.customer, turn.interaction.line
    if leg.state is LegState.ENDED or line is None:
        return
    turn.commands.append(HangUpLeg(leg.leg_id, EndReason.FAILED))
    turn.advance(leg, LegEvent.ENDED, now_s, EndReason.FAILED)
    gone(turn, line, why)
    let_go(turn, line)
    turn.interaction = turn.interaction.but(line=None)


def _hang_up(turn: Turn) -> None:
    leg = turn.interaction.customer
    if leg.state is not LegState.ENDED and not turn.interaction.outcome:
        turn.interaction = turn.interaction.but(outcome=_DONE)
        turn.commands.append(HangUpLeg(leg.leg_id))


def _opened(event: LineWanted, around: Surroundings, now_s: float) -> Turn:
    """The customer's number is this interaction's caller: what is kept of it is kept under her key."""
    turn = Turn(
        Interaction(
            interaction_id=event.interaction_id,
            tenant=event.tenant,
            channel="voice",
            called=event.device,
            caller=event.called,
            entry="",
            opened_s=now_s,
            release_id=around.release_id,
            legs=(Leg(event.leg_id, LegRole.AGENT, around.node, since_s=now_s),),
            line=Line("", called=event.agent_id, attempt_id=event.attempt_id),
        )
    )
    turn.open("internal", f"{event.agent_id} is dialed before attempt {event.attempt_id}")
    turn.move(InteractionEvent.FLOW)
    return turn
