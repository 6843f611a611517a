"""A supervisor's call to the house, lent to the conversation that she follows.

asked --LineUsed--> lent --keys--> LineParty, for the conversation
  | refused           |--LineUsed(talking_in="")--> beep, hung up: the conversation is over
  +--> its flow       +--she hangs up--> LineParty(ended)
"""

from __future__ import annotations

from core.decisions import Supervised
from core.events import AgentAnswered, CommandRejected, DigitPressed, Event, LegAdopted, PlaybackFinished
from core.leg_commands import AnswerLeg
from core.line_facts import LineParty, LineUsed
from engine import line_keys
from engine.contact import Line
from engine.interaction import Turn


def asked(turn: Turn, request_id: str) -> None:
    """The flow wants to follow a conversation with this leg."""
    leg = turn.interaction.customer
    turn.interaction = turn.interaction.but(line=Line(request_id, follows=True))
    if not leg.is_up:
        turn.commands.append(AnswerLeg(leg.leg_id))


def take(turn: Turn, line: Line, event: Event) -> bool:
    """Whether the event was the conversation's alone: her flow does not hear of it."""
    leg_id, there = turn.interaction.customer.leg_id, line.talking_in
    match event:
        case AgentAnswered() if event.request_id == line.request_id:
            _answered(turn, event)
            return False
        case LineUsed() if event.talking_in:
            turn.interaction = turn.interaction.but(line=line.but(talking_in=event.talking_in))
        case LineUsed():
            turn.interaction = turn.interaction.but(line=line.but(talking_in="", released=True))
            line_keys.say_goodbye(turn)
        case _ if not there and not line.released:
            return False
        case LegAdopted(bridge_id=bridge_id) if there:
            turn.facts.append(LineParty(there, leg_id, "adopted", bridge_id=bridge_id or ""))
        case DigitPressed(digit=digit) if there:
            turn.facts.append(LineParty(there, leg_id, "digit", digit=digit))
        case PlaybackFinished(playback_id=playback_id) if there:
            turn.facts.append(LineParty(there, leg_id, "played", playback_id=playback_id))
        case PlaybackFinished(playback_id=playback_id) if line_keys.is_own(turn, playback_id):
            line_keys.heard(turn)
        case LegAdopted() | CommandRejected(what="Play") if line.released:
            line_keys.heard(turn)  # nobody will tell of the beep's end
        case _:
            pass
    return True


def _answered(turn: Turn, event: AgentAnswered) -> None:
    """What she may is known now: who asked and was known is in the audit log, whatever came of it."""
    values, interaction = event.values, turn.interaction
    if values.get("agent_id"):
        turn.decisions.append(
            Supervised(
                interaction_id=values.get("conversation", ""),
                tenant=interaction.tenant,
                supervisor_id=values["agent_id"],
                action="listen",
                agents=tuple(filter(None, (values.get("followed", ""),))),
                device=values.get("device", ""),
                refused=event.why,
            )
        )
    if not event.ok:
        turn.interaction = interaction.but(line=None)
