"""`transfer`: connect the caller with a phone or a number.

    operator:
      type: transfer
      to: "device:1001"             # or "+34911234567", or "{{ number }}"
      ring_s: 25
      music: default                # instead of ringing
      busy: voicemail
      no_answer: voicemail
      answered: survey              # after the conversation, if the caller is still there; without it the call ends

Numbers must pass the outbound rules; what they refuse takes `refused`. A way without a node takes `next`, or the error
exit.
"""

from __future__ import annotations

import re
from typing import ClassVar, Literal

import msgspec
from pydantic import Field, field_validator

from core.commands import Command
from core.commands import Transfer as TransferCommand
from core.decisions import Noted
from core.events import CommandOutcomeUnknown, CommandRejected, Event, TransferEnded
from core.leg_commands import StartMusic
from core.media import Tone
from definitions.faults import fault
from definitions.models import Flag, Name, Seconds
from ivr.node import End, Exit, Leave, NodeModel, Reference, Turn, Visit, fail
from ivr.templates import Template

VERSION = 1
_TARGET = re.compile(r"device:[a-z0-9][a-z0-9_-]{0,39}|\+?[0-9*#]{1,20}")
WAYS = ("answered", "busy", "no_answer", "refused", "failed")


class Model(NodeModel):
    waits: ClassVar[bool] = True

    type: Literal["transfer"] = "transfer"
    to: Template
    ring_s: Seconds = 25.0
    caller: Template = Field(default_factory=lambda: Template(""))
    """Our number to show; empty: the site's outgoing identity."""
    music: Name | None = None
    answer: Flag = True
    """`no`: our leg is answered only when theirs is."""
    answered: Name | None = None
    busy: Name | None = None
    no_answer: Name | None = None
    refused: Name | None = None
    failed: Name | None = None
    next: Name | None = None

    @field_validator("to", mode="after")
    @classmethod
    def _dialable(cls, to: Template) -> Template:
        if to.is_static and not _TARGET.fullmatch(_bare(to.source)):
            raise fault(f"'{to.source[:40]}' cannot be dialed", "write device:1001 or a number like +34911234567")
        return to

    def exits(self) -> tuple[Exit, ...]:
        ways = ((way, getattr(self, way)) for way in (*WAYS, "next"))
        return (*(Exit(way, target, (way,)) for way, target in ways if target), *super().exits())

    def references(self) -> tuple[Reference, ...]:
        kind, _, name = self.to.source.partition(":")
        return (Reference("device", name, ("to",)),) if self.to.is_static and kind == "device" else ()

    @property
    def is_early(self) -> bool:
        return not self.answer


class Memory(msgspec.Struct, frozen=True):
    transfer_id: str


def enter(node: Model, visit: Visit) -> Turn:
    target = _bare(node.to.render(visit.variables, visit.language))
    if not _TARGET.fullmatch(target):
        return fail(node, "what should be dialed is neither a device nor a number")
    transfer = TransferCommand(
        interaction_id=visit.interaction_id,
        leg_id=visit.leg_id,
        transfer_id=visit.new_id(),
        target=target,
        ring_s=node.ring_s,
        caller=node.caller.render(visit.variables, visit.language).strip(),
    )
    # Silence would sound like a lost call; before the answer the network itself rings.
    meanwhile: tuple[Command, ...] = ()
    if node.music:
        meanwhile = (StartMusic(visit.leg_id, node.music),)
    elif node.answer:
        meanwhile = (visit.play((Tone("ringback"),)),)
    return Turn(Memory(transfer.transfer_id), (*meanwhile, transfer), flush=True)


def resume(node: Model, memory: Memory, visit: Visit) -> Turn:
    """The other leg goes on without us; what became of it comes as `TransferEnded`."""
    return Turn(memory)


def on_event(node: Model, memory: Memory, event: Event, visit: Visit) -> Turn:
    match event:
        case TransferEnded() if event.transfer_id == memory.transfer_id:
            return _ended(node, event)
        case CommandRejected() | CommandOutcomeUnknown() if event.subject_id == memory.transfer_id:
            why = getattr(event, "why", "nobody knows whether it was dialed")
            return _ended(node, TransferEnded(visit.interaction_id, memory.transfer_id, "failed", why))
        case _:
            return Turn(memory)


def _ended(node: Model, event: TransferEnded) -> Turn:
    noted = (Noted("transfer", f"{event.outcome}: {event.why}" if event.why else event.outcome),)
    target = getattr(node, event.outcome)
    if target is not None:
        return Turn(leave=Leave(event.outcome, target), decisions=noted)
    if event.outcome == "answered":
        return Turn(leave=End(why="the conversation is over"), decisions=noted)
    if node.next is not None:
        return Turn(leave=Leave("next", node.next), decisions=noted)
    turn = fail(node, f"the transfer ended as {event.outcome}, and no node is given for that")
    return Turn(leave=turn.leave, decisions=(*noted, *turn.decisions))


def _bare(number: str) -> str:
    text = number.strip()
    return text if text.startswith("device:") else re.sub(r"[\s().\-]", "", text)
