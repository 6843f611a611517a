"""What an agent asks of a conversation she is in, by her desk or by keys on her phone. What cannot be is refused in
words for her, and changes nothing."""

from __future__ import annotations

import re
from collections.abc import Mapping

from msgspec.structs import replace

from core.decisions import VariablesSet
from core.errors import EventRefused
from core.leg_commands import MuteLeg, SendDigits
from core.talk_facts import ConversationActed
from engine import consult, conversation, handover, talk_recording
from engine.contact import Conversation, Party
from engine.dialing import Target, find
from engine.interaction import Surroundings, Turn

_DIGITS = re.compile(r"[0-9A-Da-d*#]{1,32}")
_MOST_VALUES = 50
_LONGEST_VALUE = 2000
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")


def acted(turn: Turn, event: ConversationActed, around: Surroundings, now_s: float) -> None:
    """Does it, or says in `turn.refused` why not."""
    attempt = Turn(turn.interaction)
    try:
        why = _act(attempt, event, around, now_s)
    except EventRefused as refused:
        why = str(refused)
    if not why:
        turn.interaction = attempt.interaction
        turn.commands += attempt.commands
        turn.facts += attempt.facts
        turn.dialed_by = attempt.dialed_by
    turn.decisions += attempt.decisions if not why else ()
    turn.refused = why
    if why:
        turn.note_request("", f"{event.action} by {event.agent_id}")


def _act(turn: Turn, event: ConversationActed, around: Surroundings, now_s: float) -> str:
    talk = turn.interaction.talk
    party = talk.agent(event.agent_id) if talk is not None else None
    if talk is None or party is None:
        return f"{event.agent_id} is not in this conversation"
    match event.action:
        case "hang_up":
            leave(turn, party, "agent_hung_up", around, now_s)
            return ""
        case "mute" | "unmute":
            return _mute(turn, party, event.action == "mute")
        case "send_digits":
            return _send_digits(turn, talk, party, event.target)
        case "pause_recording" | "resume_recording":
            return talk_recording.pause(turn, event.action == "pause_recording")
    if talk.lead is not party:
        return "only who has the caller can do that"
    if talk.before:
        return "the caller is just being put through: try again in a moment"
    if turn.interaction.parked is not None:
        return _fetch_back(turn, event, around)
    return _act_as_lead(turn, talk, event, around, now_s)


def _act_as_lead(turn: Turn, talk: Conversation, event: ConversationActed, around: Surroundings, now_s: float) -> str:
    other = talk.other
    match event.action:
        case "hold" | "resume":
            return _hold(turn, talk, event, around)
        case "transfer":
            return _transfer(turn, talk, event, around, now_s)
        case "consult":
            return _consult(turn, talk, event, around, now_s)
    if other is None:
        return "nobody is being consulted"
    if event.action == "cancel_consult":
        consult.other_gone(turn, "agent_hung_up", around, now_s)
        return ""
    if event.action == "complete":
        consult.complete(turn, "transferred", around)
        return ""
    if not other.up:
        return "nobody has answered yet"
    if event.action == "swap":
        if talk.is_conference:
            return "you are all together: there is nobody to swap with"
        consult.swap(turn, around)
    elif event.action == "conference" and not talk.is_conference:
        consult.conference(turn, around)
    return ""


def leave(turn: Turn, party: Party, how: str, around: Surroundings, now_s: float) -> None:
    """A party's part is over, by her own wish or not."""
    talk = turn.interaction.talk
    assert talk is not None
    if talk.lead is not None and talk.lead.leg_id == party.leg_id:
        consult.lead_gone(turn, how, around, now_s)
    else:
        consult.other_gone(turn, how, around, now_s)


def _hold(turn: Turn, talk: Conversation, event: ConversationActed, around: Surroundings) -> str:
    if talk.other is not None:
        return "somebody else is in this conversation: swap, or end the consultation first"
    if event.action == "hold" and talk.customer_in:
        conversation.hold(turn)
        conversation.changed(turn, event.agent_id, "hold")
    elif event.action == "resume" and not talk.customer_in:
        conversation.connect(turn, around)
        conversation.changed(turn, event.agent_id, "resume")
    return ""


def _transfer(turn: Turn, talk: Conversation, event: ConversationActed, around: Surroundings, now_s: float) -> str:
    if talk.other is not None:
        return "somebody else is in this conversation: complete the transfer, or end the consultation first"
    target = find(turn, event.target, around)
    if isinstance(target, str):
        return target
    if target.kind == "agent" and target.name == event.agent_id:
        return "the caller is with you already"
    if why := _take_along(turn, event.values) or _hindered(turn, target, around, now_s):
        return why
    handover.transfer(turn, target, around, now_s)
    return ""


def _consult(turn: Turn, talk: Conversation, event: ConversationActed, around: Surroundings, now_s: float) -> str:
    if talk.other is not None:
        return "somebody is being consulted already"
    target = find(turn, event.target, around)
    if isinstance(target, str):
        return target
    if target.kind == "flow" and turn.interaction.run is None:
        return "this caller came without a flow: transfer her to it instead"
    if target.kind == "agent" and target.name == event.agent_id:
        return "that is you"
    if why := _take_along(turn, event.values) or _hindered(turn, target, around, now_s):
        return why
    if target.kind == "flow":
        consult.to_flow(turn, target.name, around, now_s)
    else:
        consult.start(turn, target, around, now_s)
    return ""


def _hindered(turn: Turn, target: Target, around: Surroundings, now_s: float) -> str:
    """Before the customer is let go: a colleague who cannot be rung is said to be so, and everybody stays."""
    return around.hindered(turn.interaction, target.name, now_s) if target.kind == "agent" else ""


def _fetch_back(turn: Turn, event: ConversationActed, around: Surroundings) -> str:
    if event.action != "cancel_consult":
        return "a flow has the caller: wait for its end, or fetch her back first"
    consult.from_flow(turn, around, broken_off=True)
    return ""


def _take_along(turn: Turn, values: Mapping[str, str]) -> str:
    """What travels with the caller: kept with her, and known to her flow."""
    if not values:
        return ""
    if len(values) + len(turn.interaction.values) > _MOST_VALUES:
        return f"more than {_MOST_VALUES} values cannot travel with a caller"
    for name, value in values.items():
        if not _NAME.fullmatch(name) or len(value) > _LONGEST_VALUE:
            return (
                f"'{name[:64]}' cannot travel with a caller: a name of letters, digits and _, at most 2000 characters"
            )
    run = turn.interaction.run
    free = dict(values)
    if run is not None:
        frame = run.frame
        free = {name: value for name, value in values.items() if name not in frame.secrets}
        known = replace(frame, variables={**frame.variables, **free})
        run = replace(run, frames=(*run.frames[:-1], known))
    turn.interaction = turn.interaction.but(values={**turn.interaction.values, **free}, run=run)
    turn.decisions.append(VariablesSet(free))
    return ""


def _mute(turn: Turn, party: Party, muted: bool) -> str:
    if party.muted is not muted:
        turn.commands.append(MuteLeg(party.leg_id, muted))
        replace_party(turn, party.but(muted=muted))
    return ""


def _send_digits(turn: Turn, talk: Conversation, party: Party, digits: str) -> str:
    if not _DIGITS.fullmatch(digits):
        return "digits are 0 to 9, A to D, * and #, 32 of them at most"
    other = talk.other if talk.other is not None and talk.other is not party else None
    if other is not None and other.up and other.inside and not talk.customer_in:
        turn.commands.append(SendDigits(other.leg_id, digits))
    elif talk.customer_in:
        turn.commands.append(SendDigits(turn.interaction.customer.leg_id, digits))
    else:
        return "there is nobody on the line to send digits to"
    return ""


def replace_party(turn: Turn, party: Party) -> None:
    """The same party with something changed about it."""
    talk = turn.interaction.talk
    assert talk is not None
    if talk.lead is not None and talk.lead.leg_id == party.leg_id:
        conversation.keep(turn, talk.but(lead=party))
    elif talk.other is not None and talk.other.leg_id == party.leg_id:
        conversation.keep(turn, talk.but(other=party))
