"""What an agent keys on her phone while she talks: `*` and a digit, for some of them a number and `#`.

    *1 hold, resume     *2 NUMBER # transfer      *3 NUMBER # consult     *4 complete the transfer
    *5 swap             *6 all together           *7 end the consultation *8 pause, resume the recording
    *9 mute, unmute     *0 hang up

NUMBER: an agent's code, else whatever can be dialed. `**` begins anew. Whom she talks with hears none of it. Other keys
are passed on, to the customer or to somebody outside: a machine may have asked for them; a star by `*#`.
"""

from __future__ import annotations

from collections.abc import Mapping

from core.leg_commands import Play, SendDigits
from core.media import Tone
from core.talk_facts import ConversationActed, TalkAction
from engine import requests
from engine.contact import Party
from engine.interaction import Surroundings, Turn

_AT_ONCE: Mapping[str, TalkAction] = {
    "*4": "complete",
    "*5": "swap",
    "*6": "conference",
    "*7": "cancel_consult",
    "*0": "hang_up",
}
_WITH_NUMBER: Mapping[str, TalkAction] = {"*2": "transfer", "*3": "consult"}
_LONGEST = 34


def pressed(turn: Turn, party: Party, digit: str, around: Surroundings, now_s: float) -> None:
    """One key of a party's phone."""
    typed = party.typed + digit
    if not party.agent_id:
        return
    if not typed.startswith("*"):
        _pass_on(turn, party, digit)
        return
    if typed == "**":
        typed = "*"
    code, number = typed[:2], typed[2:]
    if code in _WITH_NUMBER and not number.endswith("#"):
        requests.replace_party(turn, party.but(typed=typed if len(typed) < _LONGEST else ""))
        return
    if typed == "*":
        requests.replace_party(turn, party.but(typed=typed))
        return
    requests.replace_party(turn, party.but(typed=""))
    if code == "*#":
        _pass_on(turn, party, "*")
        return
    action = _AT_ONCE.get(code) or _WITH_NUMBER.get(code) or _toggled(turn, party, code)
    if action is None:
        return
    target = _target(turn, number.removesuffix("#"), around) if code in _WITH_NUMBER else ""
    requests.acted(turn, ConversationActed(turn.interaction_id, party.agent_id, action, target), around, now_s)
    if turn.refused:
        turn.refused = ""
        beep = f"{turn.interaction_id}.w{turn.number()}"
        turn.commands.append(Play(party.leg_id, beep, (Tone("beep"), Tone("beep"))))


def _pass_on(turn: Turn, party: Party, digit: str) -> None:
    """To those in the bridge with her who are no agents: Asterisk keeps her keys from everybody."""
    talk = turn.interaction.talk
    assert talk is not None
    if not party.inside or not talk.bridged:
        return
    legs = [turn.interaction.customer.leg_id] if talk.customer_in else []
    legs += [each.leg_id for each in talk.parties if not each.agent_id and each.up and each.inside]
    turn.commands.extend(SendDigits(leg_id, digit) for leg_id in legs)


def _toggled(turn: Turn, party: Party, code: str) -> TalkAction | None:
    talk, recording = turn.interaction.talk, turn.interaction.recording
    assert talk is not None
    match code:
        case "*1":
            return "hold" if talk.customer_in else "resume"
        case "*8":
            paused = recording is not None and recording.paused_by_agent
            return "resume_recording" if paused else "pause_recording"
        case "*9":
            return "unmute" if party.muted else "mute"
    return None


def _target(turn: Turn, number: str, around: Surroundings) -> str:
    tenant = turn.interaction.tenant
    for (whose, agent_id), agent in sorted(around.routing.agents.items()):
        if whose == tenant and number and agent.code == number:
            return f"agent:{agent_id}"
    return number
