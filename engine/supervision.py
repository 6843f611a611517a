"""A supervisor follows a conversation: she listens, whispers to the agent, barges in, or takes over.

    acted --her phone is rung--> up --> listen <-> whisper <-> barge --take_over--> she is the lead
       | refused, in words        | no answer, hangs up, `stop`, the conversation ends
       +                          +--> gone; nobody else notices

She may have called in instead (`engine/supervisor_phone.py`), and is up at once; at another node than the conversation
she is told to hang up, and rung. On her phone she keys

    1 listen     2 whisper     3 barge in     4 take over

One beep: done; two: that cannot be. Who listened to what is in the journal: her requests, and what became of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import assert_never

from core.decisions import Supervised
from core.events import CommandOutcomeUnknown, CommandRejected, DigitPressed, Event, LegEnded, LegUp
from core.leg import EndReason, Leg, LegEvent, LegRole, LegState
from core.leg_commands import HangUpLeg, ListenIn, Play, StopListening, UnbridgeLeg
from core.line_facts import LineParty, LineUsed
from core.media import Tone
from core.talk_facts import SupervisionActed, SupervisionAction, SupervisorCalled
from engine import conversation
from engine.contact import Conversation, Mode, Party, Supervisor
from engine.dialing import RING_S
from engine.interaction import Interaction, Surroundings, Turn
from engine.ringing import ring

NOBODY = "nobody talks with this caller right now"
YOURSELF = "you are in this conversation yourself"
TAKEN = "follows this conversation already"
ELSEWHERE = "this conversation is at another telephony node than your call: follow it from the desk"
RUNG = "this conversation is at another telephony node than your call: hang up, your phone will ring"
_KEYS: Mapping[str, SupervisionAction] = {"1": "listen", "2": "whisper", "3": "barge", "4": "take_over"}


def acted(turn: Turn, event: SupervisionActed, around: Surroundings, now_s: float) -> None:
    """Does it, or says in `turn.refused` why not."""
    turn.refused = _act(turn, event, around, now_s)
    turn.note_request("supervision", f"{event.action} by {event.supervisor_id}")


def to_leave(
    event: SupervisionActed, interactions: Mapping[str, Interaction], around: Surroundings
) -> list[SupervisionActed]:
    """What else must be asked first: she follows one conversation at a time, and has one phone. Nothing where what she
    wants will be refused."""
    wanted = interactions.get(event.interaction_id)
    if wanted is None or event.action == "stop" or _refusal(wanted, event, around):
        return []
    return [
        SupervisionActed(other.interaction_id, event.supervisor_id, "stop")
        for other in interactions.values()
        if other is not wanted
        and other.tenant == wanted.tenant
        and other.talk is not None
        and other.talk.supervisor is not None
        and other.talk.supervisor.supervisor_id == event.supervisor_id
    ]


def _refusal(interaction: Interaction, event: SupervisionActed, around: Surroundings) -> str:
    """Why it cannot be; empty when it can."""
    talk = interaction.talk
    if talk is None or talk.lead is None:
        return NOBODY
    there = talk.supervisor
    if there is not None and there.supervisor_id != event.supervisor_id:
        return f"{there.supervisor_id} {TAKEN}"
    if event.supervisor_id in talk.agents:
        return YOURSELF
    match event.action:
        case "stop":
            return ""
        case "take_over":
            if there is None or not there.up:
                return "listen to it first: then you are on the line and can take it over"
            if talk.before or talk.other is not None or interaction.parked is not None:
                return "somebody else is being talked with: try again when that is over"
            return ""
        case "listen" | "whisper" | "barge":
            return "" if there is not None else _no_phone(interaction, event, around)
    assert_never(event.action)


def _no_phone(interaction: Interaction, event: SupervisionActed, around: Surroundings) -> str:
    if event.device in around.outbound.devices and event.device.startswith(f"{interaction.tenant}-"):
        return ""
    return f"there is no phone '{event.device}' to ring you at"


def _act(turn: Turn, event: SupervisionActed, around: Surroundings, now_s: float) -> str:
    talk = turn.interaction.talk
    if refused := _refusal(turn.interaction, event, around):
        return refused
    assert talk is not None
    match event.action:
        case "stop":
            dismiss(turn)
        case "take_over":
            _take_over(turn, talk, around)
        case "listen" | "whisper" | "barge" as mode:
            if talk.supervisor is None:
                _ring(turn, talk, event, mode, around, now_s)
            else:
                _switch(turn, talk, talk.supervisor, talk.supervisor.but(mode=mode))
    return ""


def _ring(
    turn: Turn, talk: Conversation, event: SupervisionActed, mode: Mode, around: Surroundings, now_s: float
) -> None:
    interaction = turn.interaction
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
    there = Supervisor(leg_id, event.supervisor_id, mode, device=event.device)
    conversation.keep(turn, talk.but(supervisor=there))


def called(turn: Turn, event: SupervisorCalled, around: Surroundings, now_s: float) -> None:
    """She has called in: she listens, or `turn.refused` says why not, or that she is rung."""
    turn.refused = _join(turn, event, around, now_s)
    request = f"listen by {event.supervisor_id}, who called in"
    if turn.refused == RUNG:  # her call is over, and yet she follows
        turn.note("supervision", f"{request}: {RUNG}")
    else:
        turn.note_request("supervision", request)


def _join(turn: Turn, event: SupervisorCalled, around: Surroundings, now_s: float) -> str:
    talk = turn.interaction.talk
    if talk is None or talk.lead is None:
        return NOBODY
    if event.supervisor_id in talk.agents:
        return YOURSELF
    if talk.supervisor is not None:
        return f"{talk.supervisor.supervisor_id} {TAKEN}"
    if event.node != turn.interaction.customer.node:
        wish = SupervisionActed(turn.interaction_id, event.supervisor_id, "listen", event.device)
        if _no_phone(turn.interaction, wish, around):
            return ELSEWHERE
        _ring(turn, talk, wish, "listen", around, now_s)
        return RUNG
    line = event.line_interaction_id
    turn.facts.append(LineUsed(line, event.leg_id, turn.interaction_id))
    there = Supervisor(event.leg_id, event.supervisor_id, "listen", line_interaction_id=line, device=event.device)
    came(turn, talk, there)
    return ""


def line_news(turn: Turn, event: LineParty, around: Surroundings, now_s: float) -> None:
    """News of the leg she called in with."""
    talk = turn.interaction.talk
    there = talk.supervisor if talk is not None else None
    if talk is None or there is None or there.leg_id != event.leg_id:
        return
    match event.what:
        case "ended":
            _left(turn, talk, there)
        case "digit":
            pressed(turn, event.digit, around, now_s)
        case "adopted":
            came(turn, talk, there)


def pressed(turn: Turn, digit: str, around: Surroundings, now_s: float) -> None:
    """A key of her phone. Others than hers mean nothing."""
    talk = turn.interaction.talk
    there = talk.supervisor if talk is not None else None
    action = _KEYS.get(digit)
    if talk is None or there is None or not there.up or action is None:
        return
    refused = _act(turn, SupervisionActed(turn.interaction_id, there.supervisor_id, action), around, now_s)
    _audit(turn, talk, there, action, refused)
    beep = f"{turn.interaction_id}.w{turn.number()}"
    turn.commands.append(Play(there.leg_id, beep, (Tone("beep"),) * (2 if refused else 1)))


def _left(turn: Turn, talk: Conversation, there: Supervisor) -> None:
    conversation.keep(turn, talk.but(supervisor=None))
    turn.note("supervision", f"{there.supervisor_id} left")
    if there.line_interaction_id:
        _audit(turn, talk, there, "stop", "")


def _audit(turn: Turn, talk: Conversation, there: Supervisor, action: SupervisionAction, refused: str) -> None:
    """What she keyed: the desk, which writes down what it asks for, has not heard of it."""
    tenant = turn.interaction.tenant
    turn.decisions.append(
        Supervised(turn.interaction_id, tenant, there.supervisor_id, action, talk.agents, there.device, refused)
    )


def not_joined(turn: Turn, event: CommandRejected) -> bool:
    """Whether it was she, called in, who cannot hear or be heard: she is let go, and nobody else notices."""
    talk = turn.interaction.talk
    there = talk.supervisor if talk is not None else None
    if talk is None or there is None or there.leg_id != event.leg_id or not there.line_interaction_id:
        return False
    turn.note("supervision", f"{there.supervisor_id} was not reached: {event.why}")
    dismiss(turn)
    return True


def leg_news(turn: Turn, leg: Leg, event: Event, around: Surroundings, now_s: float) -> bool:
    """Whether the leg is the supervisor's."""
    talk = turn.interaction.talk
    there = talk.supervisor if talk is not None else None
    if talk is None or there is None or there.leg_id != leg.leg_id:
        return False
    match event:
        case LegUp() if not there.up:
            came(turn, talk, there)
        case DigitPressed():
            pressed(turn, event.digit, around, now_s)
        case LegEnded():
            _left(turn, talk, there)
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
        conversation.keep(turn, talk.but(supervisor=there))
        turn.commands.append(StopListening(there.leg_id))
        conversation.meet(turn, there.leg_id)
    else:
        turn.commands.append(ListenIn(there.leg_id, talk.lead.leg_id, there.mode == "whisper"))


def follow(turn: Turn) -> None:
    """Somebody else is the lead now: that is whom she hears."""
    talk = turn.interaction.talk
    if talk is not None and talk.supervisor is not None and talk.supervisor.up and talk.supervisor.mode != "barge":
        _apply(turn, talk, talk.supervisor)


def _take_over(turn: Turn, talk: Conversation, around: Surroundings) -> None:
    there, lead = talk.supervisor, talk.lead
    assert lead is not None
    assert there is not None
    if there.mode != "barge":
        _apply(turn, talk, there.but(mode="barge"))
    conversation.let_go(turn, lead, "taken_over")
    party = Party(there.leg_id, there.supervisor_id, line_interaction_id=there.line_interaction_id)
    conversation.keep(turn, talk.but(lead=party, supervisor=None))
    if not talk.customer_in:
        conversation.connect(turn, around)


def dismiss(turn: Turn) -> None:
    """She is hung up. Nothing happens when nobody follows."""
    talk = turn.interaction.talk
    if talk is not None and talk.supervisor is not None:
        conversation.let_supervisor_go(turn, talk)
        conversation.keep(turn, talk.but(supervisor=None))
