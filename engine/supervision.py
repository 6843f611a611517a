"""A supervisor follows a conversation: she listens, whispers to the agent, barges in, or takes over.

    acted --her phone is rung--> up --> listen <-> whisper <-> barge --take_over--> she is the lead
       | refused, in words        | no answer, hangs up, `stop`, the conversation ends
       +                          +--> gone; nobody else notices

Who listened to what is in the journal: her requests, and what became of them.
"""

from __future__ import annotations

from typing import assert_never

from core.events import CommandOutcomeUnknown, CommandRejected, Event, LegEnded, LegUp
from core.leg import EndReason, Leg, LegEvent, LegRole, LegState
from core.leg_commands import BridgeLegs, HangUpLeg, ListenIn, StopListening, UnbridgeLeg
from core.routing import SupervisionActed
from engine import conversation
from engine.contact import Conversation, Mode, Party, Supervisor
from engine.dialing import RING_S
from engine.interaction import Surroundings, Turn
from engine.ringing import ring


def acted(turn: Turn, event: SupervisionActed, around: Surroundings, now_s: float) -> None:
    """Does it, or says in `turn.refused` why not."""
    turn.refused = _act(turn, event, around, now_s)
    what = f"{event.action} by {event.supervisor_id}"
    turn.note("supervision", f"{what}: {turn.refused}" if turn.refused else what)


def _act(turn: Turn, event: SupervisionActed, around: Surroundings, now_s: float) -> str:
    talk = turn.interaction.talk
    if talk is None or talk.lead is None:
        return "nobody talks with this caller right now"
    there = talk.supervisor
    if there is not None and there.supervisor_id != event.supervisor_id:
        return f"{there.supervisor_id} follows this conversation already"
    if event.supervisor_id in talk.agents:
        return "you are in this conversation yourself"
    match event.action:
        case "stop":
            dismiss(turn)
            return ""
        case "take_over":
            return _take_over(turn, talk, around)
        case "listen" | "whisper" | "barge" as mode:
            if there is None:
                return _ring(turn, talk, event, mode, around, now_s)
            _switch(turn, talk, there, there.but(mode=mode))
            return ""
    assert_never(event.action)


def _ring(
    turn: Turn, talk: Conversation, event: SupervisionActed, mode: Mode, around: Surroundings, now_s: float
) -> str:
    interaction = turn.interaction
    if event.device not in around.outbound.devices or not event.device.startswith(f"{interaction.tenant}-"):
        return f"there is no phone '{event.device}' to ring you at"
    leg_id = f"{turn.interaction_id}.v{turn.number()}"
    ring(
        turn,
        leg_id,
        LegRole.SUPERVISOR,
        f"device:{event.device}",
        interaction.caller,
        RING_S,
        around.outbound,
        now_s,
        auto_answer=True,
        caller_name=f"{mode}: {', '.join(talk.agents)}",
    )
    conversation.keep(turn, talk.but(supervisor=Supervisor(leg_id, event.supervisor_id, mode)))
    return ""


def leg_news(turn: Turn, leg: Leg, event: Event, now_s: float) -> bool:
    """Whether the leg is the supervisor's."""
    talk = turn.interaction.talk
    there = talk.supervisor if talk is not None else None
    if talk is None or there is None or there.leg_id != leg.leg_id:
        return False
    match event:
        case LegUp() if not there.up:
            came(turn, talk, there)
        case LegEnded():
            conversation.keep(turn, talk.but(supervisor=None))
            turn.note("supervision", f"{there.supervisor_id} left")
        case CommandRejected(what="OriginateLeg" | "ListenIn" | "BridgeLegs") | CommandOutcomeUnknown():
            if leg.state is not LegState.ENDED:
                turn.commands.append(HangUpLeg(leg.leg_id, EndReason.FAILED))
                turn.advance(leg, LegEvent.ENDED, now_s, EndReason.FAILED)
            conversation.keep(turn, talk.but(supervisor=None))
            turn.note("supervision", f"{there.supervisor_id} was not reached: {getattr(event, 'why', 'unknown')}")
        case _:
            pass
    return True


def came(turn: Turn, talk: Conversation, there: Supervisor) -> None:
    """She has answered, or was found after a gap."""
    now_there = there.but(up=True)
    _apply(turn, talk, now_there)
    conversation.keep(turn, talk.but(supervisor=now_there))


def _switch(turn: Turn, talk: Conversation, before: Supervisor, after: Supervisor) -> None:
    conversation.keep(turn, talk.but(supervisor=after))
    if not after.up or before.mode == after.mode:
        return
    if before.mode == "barge":
        turn.commands.append(UnbridgeLeg(after.leg_id, talk.bridge_id))
    _apply(turn, talk, after)


def _apply(turn: Turn, talk: Conversation, there: Supervisor) -> None:
    if talk.lead is None:
        return
    if there.mode == "barge":
        turn.commands += [StopListening(there.leg_id), BridgeLegs(talk.bridge_id, (there.leg_id,))]
    else:
        turn.commands.append(ListenIn(there.leg_id, talk.lead.leg_id, there.mode == "whisper"))


def follow(turn: Turn) -> None:
    """Somebody else is the lead now: that is whom she hears."""
    talk = turn.interaction.talk
    if talk is not None and talk.supervisor is not None and talk.supervisor.up and talk.supervisor.mode != "barge":
        _apply(turn, talk, talk.supervisor)


def _take_over(turn: Turn, talk: Conversation, around: Surroundings) -> str:
    there, lead = talk.supervisor, talk.lead
    assert lead is not None
    if there is None or not there.up:
        return "listen to it first: then you are on the line and can take it over"
    if talk.before or talk.other is not None or turn.interaction.parked is not None:
        return "somebody else is being talked with: try again when that is over"
    if there.mode != "barge":
        _apply(turn, talk, there.but(mode="barge"))
    conversation.let_go(turn, lead, "taken_over")
    party = Party(there.leg_id, there.supervisor_id)
    conversation.keep(turn, talk.but(lead=party, supervisor=None))
    if not talk.customer_in:
        conversation.connect(turn, around)
    return ""


def dismiss(turn: Turn) -> None:
    """She is hung up. Nothing happens when nobody follows."""
    talk = turn.interaction.talk
    if talk is None or talk.supervisor is None:
        return
    conversation.hang_up(turn, talk.supervisor.leg_id)
    conversation.keep(turn, talk.but(supervisor=None))
