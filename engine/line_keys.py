"""What an agent keys on her held line between two calls: what came of the last one, whether she takes the next.

    DIGITS #   the result of the last call     *2 ready     *3 DIGITS # a break, with its reason
    *4         done with the last call         *0 log out

As behind *45 to *454, and without hanging up. One beep: done; two: that cannot be. `**` begins anew. Who has logged
out, here or anywhere, hears one beep, and her line is hung up.
"""

from __future__ import annotations

from typing import Literal

from core.commands import AskAgent
from core.events import AgentAnswered
from core.leg_commands import HangUpLeg, ParkLeg, Play
from core.media import Tone
from engine.contact import Line
from engine.interaction import Turn

_LONGEST = 20
Action = Literal["ready", "finish_wrap_up", "log_out", "not_ready", "disposition"]
_AT_ONCE: dict[str, Action] = {"*2": "ready", "*4": "finish_wrap_up", "*0": "log_out"}


def pressed(turn: Turn, line: Line, digit: str) -> None:
    """One key; a request when it completes one."""
    typed = line.typed + digit
    typed = "*" if typed.endswith("**") else typed
    action, value = _request(typed)
    if action is not None:
        request_id = f"{turn.interaction_id}.k{turn.number()}"
        leg_id = turn.interaction.customer.leg_id
        turn.commands.append(AskAgent(turn.interaction_id, request_id, leg_id, action, value=value))
    elif _may_go_on(typed):
        turn.interaction = turn.interaction.but(line=line.but(typed=typed))
        return
    else:
        _beep(turn, 2)
    turn.interaction = turn.interaction.but(line=line.but(typed=""))


def answered(turn: Turn, event: AgentAnswered) -> None:
    """The router's word on a request."""
    line = turn.interaction.line
    if line is None or not line.released:
        _beep(turn, 1 if event.ok else 2)


def say_goodbye(turn: Turn) -> None:
    """She has logged out: what follows this beep is the end."""
    _beep(turn, 1)


def is_own(turn: Turn, playback_id: str) -> bool:
    """Whether a playback was one of these beeps."""
    return playback_id.startswith(f"{turn.interaction_id}.k")


def heard(turn: Turn) -> None:
    """After the beep the line rests again, or is over."""
    line, leg_id = turn.interaction.line, turn.interaction.customer.leg_id
    turn.commands.append(HangUpLeg(leg_id) if line is not None and line.released else ParkLeg(leg_id))


def _request(typed: str) -> tuple[Action | None, str]:
    if typed in _AT_ONCE:
        return _AT_ONCE[typed], ""
    if typed.startswith("*3") and typed.endswith("#"):
        return "not_ready", typed[2:-1]
    if typed.endswith("#") and typed[:-1].isdigit():
        return "disposition", typed[:-1]
    return None, ""


def _may_go_on(typed: str) -> bool:
    """Whether more keys could make a request of it."""
    return len(typed) < _LONGEST and (typed.isdigit() or typed == "*" or (typed[:2] == "*3" and "#" not in typed))


def _beep(turn: Turn, times: int) -> None:
    playback_id = f"{turn.interaction_id}.k{turn.number()}"
    turn.commands.append(Play(turn.interaction.customer.leg_id, playback_id, (Tone("beep"),) * times))
