"""`hangup`: end the call.

    goodbye: {type: hangup, prompt: {es: "Gracias por llamar.", en: "Thank you for calling."}}
    refuse:  {type: hangup, reason: busy}

`busy` and `congestion` turn a call away; before it is answered the caller hears the network's own signal.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from core.events import Event, PlaybackFinished
from core.leg import EndReason
from definitions.models import Flag
from ivr.node import End, NodeModel, Turn, Visit
from ivr.prompts import Prompt

VERSION = 1
_REASONS = {
    "normal": EndReason.HUNG_UP_BY_US,
    "busy": EndReason.BUSY,
    "congestion": EndReason.CONGESTION,
}


class Model(NodeModel):
    type: Literal["hangup"] = "hangup"
    prompt: Prompt | None = None
    reason: Literal["normal", "busy", "congestion"] = "normal"
    answer: Flag = True

    @property
    def is_early(self) -> bool:
        return not self.answer


class Memory(msgspec.Struct, frozen=True):
    playback_id: str


def enter(node: Model, visit: Visit) -> Turn:
    parts = visit.parts(node.prompt) if node.prompt is not None else ()
    if not parts:
        return Turn(leave=_end(node))
    play = visit.play(parts)
    return Turn(Memory(play.playback_id), (play,), flush=True)


def on_event(node: Model, memory: Memory, event: Event, visit: Visit) -> Turn:
    if isinstance(event, PlaybackFinished):
        return Turn(leave=_end(node))
    return Turn(memory)


def _end(node: Model) -> End:
    return End(_REASONS[node.reason])
