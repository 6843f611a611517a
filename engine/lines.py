"""An agent's held line: the interaction of a leg she dialed in with (or was rung on, `engine.called_lines`), parked
until a conversation borrows it.

asked --granted--> parked <--LineUsed--> lent to an interaction, which hears of it by LineParty
   | refused          |--LineReleased--> beep, hung up
   +--> its flow      +------ leg ended ----+--> LineChanged(up=False)
"""

from __future__ import annotations

from core.commands import AskAgent
from core.events import AgentAnswered, CommandRejected, DigitPressed, Event, LegAdopted, LegEnded, PlaybackFinished
from core.leg import EndReason, LegState
from core.leg_commands import AnswerLeg, ParkLeg, Play, StopPlayback
from core.line_facts import (
    LineChanged,
    LineParty,
    LineReleased,
    LineRingback,
    LineUsed,
)
from core.media import Tone
from engine import called_lines, line_keys, supervisor_lines
from engine.contact import Line
from engine.interaction import Interaction, Turn

_DEAD = frozenset({27, 38, 41, 44, 102})
"""Q.850 causes of an answered leg that nobody hung up: its phone stopped sending, or answering."""


def is_vanished(event: LegEnded) -> bool:
    """Whether an answered leg ended without anybody's wish."""
    return event.reason in (EndReason.LOST, EndReason.FAILED, EndReason.UNREACHABLE) or event.cause in _DEAD


def asked(turn: Turn, command: AskAgent) -> None:
    """The flow wants this leg to become the agent's held line, or to follow a conversation with."""
    if command.action == "hold_line":
        turn.interaction = turn.interaction.but(line=Line(command.request_id))
    elif command.action == "supervise":
        supervisor_lines.asked(turn, command.request_id)


def is_held(interaction: Interaction) -> bool:
    """Whether its leg is held, or lent: it outlives the flow that made it so."""
    line = interaction.line
    return line is not None and bool(line.agent_id or line.talking_in or line.released)


def take(turn: Turn, event: Event, now_s: float) -> bool:
    """Whether the event was the line's business alone: its flow does not hear of it."""
    line = turn.interaction.line
    assert line is not None
    if line.follows:
        if isinstance(event, LegEnded):
            over(turn)
            return False
        return supervisor_lines.take(turn, line, event)
    if line.attempt_id and called_lines.take(turn, line, event, now_s):
        return True
    if not line.agent_id:
        if isinstance(event, AgentAnswered) and event.request_id == line.request_id:
            _answered(turn, line, event)
        return False
    match event:
        case LineUsed():
            _used(turn, line, event)
        case LineRingback() if not line.talking_in:
            _ringback(turn, line, event)
        case LineReleased():
            _released(turn, line)
        case CommandRejected(what="Play") | LegAdopted() if line.released and not line.talking_in:
            line_keys.heard(turn)  # nobody will tell of the beep's end
        case LegAdopted() if line.talking_in:
            _tell(turn, line, LineParty(line.talking_in, event.leg_id, "adopted", bridge_id=event.bridge_id or ""))
        case LegAdopted():
            if not event.bridge_id:  # else a conversation has it, and says so in a moment
                turn.commands.append(ParkLeg(event.leg_id))
        case DigitPressed() if line.talking_in:
            _tell(turn, line, LineParty(line.talking_in, event.leg_id, "digit", digit=event.digit))
        case PlaybackFinished() if event.playback_id.startswith(f"{line.talking_in}.") and line.talking_in:
            _tell(turn, line, LineParty(line.talking_in, event.leg_id, "played", playback_id=event.playback_id))
        case DigitPressed():
            line_keys.pressed(turn, line, event.digit)
        case AgentAnswered():
            line_keys.answered(turn, event)
        case PlaybackFinished() if line_keys.is_own(turn, event.playback_id):
            if not line.talking_in:  # else her key has brought her somebody
                line_keys.heard(turn)
        case LegEnded():
            over(turn, is_vanished(event))
            return False
        case _:
            return bool(line.talking_in)
    return True


def over(turn: Turn, vanished: bool = False) -> None:
    """Its leg has ended: whoever talks over it, and the router, are told. Once."""
    line, leg = turn.interaction.line, turn.interaction.customer
    if line is None:
        return
    turn.interaction = turn.interaction.but(line=None)
    if line.attempt_id:
        called_lines.gone(turn, line)
    if line.agent_id:
        turn.facts.append(
            LineChanged(turn.interaction_id, turn.interaction.tenant, line.agent_id, leg.leg_id, up=False)
        )
    if line.attempt_id:
        called_lines.let_go(turn, line)
    if line.talking_in:
        turn.facts.append(LineParty(line.talking_in, leg.leg_id, "ended", vanished=vanished))


def _answered(turn: Turn, line: Line, event: AgentAnswered) -> None:
    granted = event.ok and turn.interaction.customer.state is not LegState.ENDED
    agent_id = event.values.get("agent_id", "") if granted else ""
    turn.interaction = turn.interaction.but(line=Line(line.request_id, agent_id) if agent_id else None)
    if agent_id:
        leg = turn.interaction.customer
        turn.commands += [ParkLeg(leg.leg_id)] if leg.is_up else [AnswerLeg(leg.leg_id), ParkLeg(leg.leg_id)]


def _used(turn: Turn, line: Line, event: LineUsed) -> None:
    turn.interaction = turn.interaction.but(line=line.but(talking_in=event.talking_in, typed="", ringback=""))
    if not event.talking_in and line.released:
        line_keys.say_goodbye(turn)
    elif not event.talking_in:
        turn.commands.append(ParkLeg(event.leg_id))


def _released(turn: Turn, line: Line) -> None:
    """She has logged out. A conversation that has not given the line back yet is over first."""
    if not line.released:
        turn.interaction = turn.interaction.but(line=line.but(released=True))
        if not line.talking_in:
            line_keys.say_goodbye(turn)


def _ringback(turn: Turn, line: Line, event: LineRingback) -> None:
    """What plays is stopped by whoever puts her together with somebody."""
    playback_id = f"{turn.interaction_id}.{event.dialed_in}"
    turn.interaction = turn.interaction.but(line=line.but(ringback=playback_id if event.on else ""))
    if event.on:
        turn.commands.append(Play(event.leg_id, playback_id, (Tone("ringback"),)))
    else:
        turn.commands += [StopPlayback(event.leg_id, playback_id), ParkLeg(event.leg_id)]


def _tell(turn: Turn, line: Line, fact: LineParty) -> None:
    if line.talking_in:
        turn.facts.append(fact)
