"""`record`: take a message.

    voicemail:
      type: record
      mailbox: sales
      prompt: {es: "Deje su mensaje después de la señal.", en: "…"}
      max_s: 120
      silence_s: 4
      min_s: 2
      review: {prompt: {es: "Para guardarlo marque 1, para oírlo 2, para repetirlo 3.", en: "…"}}
      labels: {about: "{{ reason }}"}
      into: message_id
      next: thanks

The caller goes on once the message is safe in its mailbox: what she is told of it is true. One that cannot be kept is
the error exit. Who hangs up after speaking has left a message. What is shorter than `min_s` is none: `no_input`, and
the prompt again. Silence at the review keeps the message. If the engine dies while somebody speaks, what was said so
far is kept, labelled `partial`, and she is asked to speak again.

`labels_alone: yes` is for what was promised already (a number to call): silence, a hang-up at any moment and a
recording that fails leave a message without sound.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Annotated, ClassVar, Literal

from msgspec.structs import replace
from pydantic import AfterValidator, Field

from core.commands import Command
from core.decisions import Noted
from core.events import (
    CommandRejected,
    DigitPressed,
    Event,
    PlaybackFinished,
    RecordingFailed,
    RecordingFinished,
    RecordingKept,
    TimerFired,
)
from core.leg_commands import DiscardRecording, KeepRecording, StartRecording, StopRecording
from core.media import Recorded
from definitions.faults import fault
from definitions.models import Count, Definition, Digits, Flag, Name, Seconds, Text, Variable
from ivr.asking import INPUT, Asking, heard, hush, is_deaf, say, try_again
from ivr.node import Exit, Leave, NodeModel, Reference, RetryHandler, Turn, Visit, fail
from ivr.prompts import Prompt
from ivr.templates import Template, TemplateFailed

VERSION = 1
OVERDUE, KEEP = "overdue", "keep"
"""The purposes of its timers, beside `INPUT`."""
LONGEST_S = 3600
BURST_S = 0.5
"""The key that ended the recording may arrive after its end: it is no answer to the review."""
OVERDUE_S = 15.0
KEEPING_S = 15.0
"""Nobody waits longer in silence to learn whether her message was kept."""


def _length(seconds: int) -> int:
    if not 1 <= seconds <= LONGEST_S:
        raise fault(f"{seconds} seconds is no length for a message", f"write 1 to {LONGEST_S}")
    return seconds


class Review(Definition):
    prompt: Prompt
    keep: Digits = "1"
    listen: Digits = "2"
    again: Digits = "3"
    seconds: Seconds = 6.0
    """Silence for so long after the prompt keeps the message."""


class Model(NodeModel):
    waits: ClassVar[bool] = True

    type: Literal["record"] = "record"
    mailbox: Name
    prompt: Prompt | None = None
    beep: Flag = True
    max_s: Annotated[Count, AfterValidator(_length)] = 120
    silence_s: Count = 4
    """So much silence ends it; 0: none does."""
    min_s: Seconds = 2.0
    terminator: Literal["#", "*", "any", "none"] = "#"
    review: Review | None = None
    labels: Mapping[Text, Template] = Field(default_factory=dict)
    labels_alone: Flag = False
    """They are kept also when nothing was said."""
    into: Variable | None = None
    next: Name
    no_input: RetryHandler | None = None

    def exits(self) -> tuple[Exit, ...]:
        return (Exit("next", self.next, ("next",)), *super().exits())

    def references(self) -> tuple[Reference, ...]:
        return (Reference("mailbox", self.mailbox, ("mailbox",)),)

    def sets(self) -> frozenset[str]:
        return frozenset({self.into}) if self.into else frozenset()


class Memory(Asking, frozen=True, omit_defaults=True):
    """`stage`: the prompt, the recording, the review, the message on its way to the mailbox; done: she hung up.
    `since_s`: when the recording began. `alone`: what is on its way are labels without a sound."""

    stage: Literal["prompt", "recording", "review", "keeping", "done"] = "prompt"
    recording_id: str = ""
    since_s: float = 0.0
    duration_s: float = 0.0
    alone: bool = False


def enter(node: Model, visit: Visit) -> Turn:
    return _prompt(node, visit, Memory())


def resume(node: Model, memory: Memory, visit: Visit) -> Turn:
    match memory.stage:
        case "recording":
            stop = StopRecording(visit.leg_id, memory.recording_id)
            keep = _keep(node, visit, memory, {"partial": "yes"})
            turn = _prompt(node, visit, memory)
            noted = Noted("recording", "interrupted: what was said is kept, and the caller is asked again")
            return Turn(turn.memory, (stop, keep, *turn.commands), decisions=(noted,), flush=True)
        case "review":
            return _review(node, visit, memory)
        case "keeping":
            return _file(node, memory, visit, "asked for again")
        case "done":
            return Turn(memory)
        case _:
            return _prompt(node, visit, memory)


def on_event(node: Model, memory: Memory, event: Event, visit: Visit) -> Turn:
    match event:
        case RecordingFailed(why=why) | CommandRejected(what="StartRecording", why=why) if _failed(event, memory):
            # The key that ends a message may come after the news that there is none: it must not cut short the apology.
            swallow = "" if node.terminator in ("any", "none") else node.terminator
            discard = DiscardRecording(visit.leg_id, memory.recording_id)
            turn = _file_alone(node, memory, visit, why) if node.labels_alone else fail(node, why)
            return replace(turn, commands=(discard, *turn.commands), swallow=swallow)
        case RecordingFinished() if memory.stage == "recording" and event.recording_id == memory.recording_id:
            return _recorded(node, memory, event, visit)
        case PlaybackFinished() if memory.stage == "prompt":
            return _record(node, memory, visit)
        case DigitPressed() if memory.stage == "prompt" and (node.prompt is None or node.prompt.barge_in):
            return _record(node, memory, visit)
        case TimerFired() if memory.stage == "recording":
            return _overdue(node, memory, visit)
        case PlaybackFinished() if memory.stage == "review" and node.review is not None:
            return heard(memory, visit, node.review.seconds)
        case DigitPressed() if memory.stage == "review":
            return _reviewing(node, memory, event.digit, visit)
        case TimerFired() if memory.stage == "review":
            return _file(node, memory, visit, "no key was pressed")
        case RecordingKept() if memory.stage == "keeping" and event.recording_id == memory.recording_id:
            return _kept(node, memory)
        case CommandRejected(what="KeepRecording") if memory.stage == "keeping" and _is_about(event, memory):
            alone = node.labels_alone and not memory.alone
            return _file_alone(node, memory, visit, event.why) if alone else fail(node, event.why)
        case TimerFired() if memory.stage == "keeping":
            return fail(node, f"nobody said within {KEEPING_S:.0f} s that the recording was kept")
        case DigitPressed() if memory.stage == "keeping":
            return Turn(memory, untaken=event.digit)
        case _:
            return Turn(memory)


def on_hangup(node: Model, memory: Memory, visit: Visit) -> tuple[Command, ...]:
    """Who hangs up after speaking has left a message; who need not speak, also before."""
    if memory.stage == "review" or (memory.stage == "recording" and visit.now_s - memory.since_s >= node.min_s):
        return (_keep(node, visit, memory, {}),)
    discard: tuple[Command, ...] = ()
    if memory.stage == "recording":
        discard = (DiscardRecording(visit.leg_id, memory.recording_id),)
    if node.labels_alone and memory.stage in ("prompt", "recording"):
        return (*discard, _keep(node, visit, _alone(memory, visit), {}))
    return discard


def _prompt(node: Model, visit: Visit, memory: Memory, first: Prompt | None = None) -> Turn:
    memory = replace(memory, stage="prompt", recording_id="", since_s=0.0, duration_s=0.0)
    if node.prompt is None and first is None:
        return _record(node, memory, visit)
    turn = say(visit, memory, (first, node.prompt), 0.0)
    return Turn(turn.memory, turn.commands, flush=True) if _plays(turn) else _record(node, memory, visit)


def _plays(turn: Turn) -> bool:
    return isinstance(turn.memory, Memory) and turn.memory.playback_id != ""


def _record(node: Model, memory: Memory, visit: Visit) -> Turn:
    recording_id = visit.new_id()
    start = StartRecording(
        visit.leg_id,
        recording_id,
        max_s=node.max_s,
        silence_s=node.silence_s,
        beep=node.beep,
        terminators="" if node.terminator == "none" else node.terminator,
    )
    commands = (*hush(memory, visit), start, visit.timer(OVERDUE, node.max_s + OVERDUE_S))
    recording = replace(memory, stage="recording", playback_id="", recording_id=recording_id, since_s=visit.now_s)
    return Turn(recording, commands, flush=True)


def _recorded(node: Model, memory: Memory, event: RecordingFinished, visit: Visit) -> Turn:
    spoken_s = event.duration_s - (node.silence_s if event.ended_by == "silence" else 0.0)
    overdue = visit.cancel(OVERDUE)
    if spoken_s < node.min_s:
        discard = DiscardRecording(visit.leg_id, memory.recording_id)
        if event.ended_by == "hangup":
            ended: tuple[Command, ...] = (discard, overdue)
            if node.labels_alone:
                ended = (*ended, _keep(node, visit, _alone(memory, visit), {}))
            return Turn(replace(memory, stage="done"), ended)
        why = f"{max(0.0, spoken_s):.1f} s is no message"
        turn = try_again(node, node.no_input, "no_input", memory, visit, partial(_prompt, node, visit), why)
        if node.labels_alone and turn.leave is not None:
            turn = _file_alone(node, memory, visit, why)
        return Turn(turn.memory, (discard, overdue, *turn.commands), turn.leave, turn.decisions, flush=True)
    memory = replace(memory, duration_s=event.duration_s)
    if event.ended_by == "hangup":
        keep = _keep(node, visit, memory, {})
        noted = Noted("recording", "to be kept: the caller hung up")
        return Turn(replace(memory, stage="done"), (keep, overdue), decisions=(noted,))
    if node.review is None:
        turn = _file(node, memory, visit, f"{event.duration_s:.1f} s, ended by {event.ended_by}")
        return replace(turn, swallow=node.terminator if event.ended_by == "digit" else "")
    deaf_until_s = visit.now_s + BURST_S if event.ended_by == "digit" else 0.0
    turn = _review(node, visit, replace(memory, stage="review", no_matches=0, deaf_until_s=deaf_until_s))
    return Turn(turn.memory, (overdue, *turn.commands), flush=True)


def _overdue(node: Model, memory: Memory, visit: Visit) -> Turn:
    """The end of the recording never came: what there is of it is kept."""
    stop = StopRecording(visit.leg_id, memory.recording_id)
    turn = _file(node, memory, visit, "its end never came")
    return replace(turn, commands=(stop, *turn.commands))


def _review(node: Model, visit: Visit, memory: Memory, first: Prompt | None = None, listen: bool = False) -> Turn:
    assert node.review is not None
    turn = say(visit, memory, (first, node.review.prompt), node.review.seconds)
    if not listen:
        return turn
    parts = (Recorded(memory.recording_id), *visit.parts(node.review.prompt))
    play = visit.play(parts)
    return Turn(replace(memory, playback_id=play.playback_id), (visit.cancel(INPUT), play))


def _reviewing(node: Model, memory: Memory, digit: str, visit: Visit) -> Turn:
    review = node.review
    assert review is not None
    if is_deaf(memory, review.prompt, visit):
        return Turn(memory)
    if digit == review.keep:
        return _file(node, memory, visit, "the caller says so")
    if digit == review.listen:
        return _review(node, visit, memory, listen=True)
    if digit == review.again:
        discard = DiscardRecording(visit.leg_id, memory.recording_id)
        turn = _prompt(node, visit, memory)
        return Turn(turn.memory, (*hush(memory, visit), visit.cancel(INPUT), discard, *turn.commands), flush=True)
    if memory.no_matches >= 2:
        return _file(node, memory, visit, "no key of the review was pressed")
    return _review(node, visit, replace(memory, no_matches=memory.no_matches + 1))


def _file(node: Model, memory: Memory, visit: Visit, why: str) -> Turn:
    """The message is wanted; nothing is said until it is safe."""
    keep = _keep(node, visit, memory, {})
    commands = (*hush(memory, visit), visit.cancel(INPUT), visit.cancel(OVERDUE), keep, visit.timer(KEEP, KEEPING_S))
    noted = Noted("recording", f"to be kept: {why}")
    return Turn(replace(memory, stage="keeping", playback_id=""), commands, decisions=(noted,))


def _file_alone(node: Model, memory: Memory, visit: Visit, why: str) -> Turn:
    return _file(node, _alone(memory, visit), visit, f"labels alone: {why}")


def _alone(memory: Memory, visit: Visit) -> Memory:
    """A message of its own: what was recorded, if anything, is discarded or stays where it is."""
    return replace(memory, recording_id=visit.new_id(), alone=True)


def _kept(node: Model, memory: Memory) -> Turn:
    variables = {node.into: memory.recording_id} if node.into else {}
    return Turn(leave=Leave("next", node.next, variables), decisions=(Noted("recording", "kept"),))


def _failed(event: RecordingFailed | CommandRejected, memory: Memory) -> bool:
    """News of another recording, of a conversation before this node, takes nothing from the message."""
    about = event.recording_id if isinstance(event, RecordingFailed) else event.subject_id or memory.recording_id
    return memory.stage == "recording" and about == memory.recording_id


def _is_about(event: CommandRejected, memory: Memory) -> bool:
    """A part kept before may be refused while another message is on its way."""
    return event.subject_id == memory.recording_id


def _keep(node: Model, visit: Visit, memory: Memory, labels: Mapping[str, str]) -> Command:
    return KeepRecording(
        interaction_id=visit.interaction_id,
        leg_id=visit.leg_id,
        recording_id=memory.recording_id,
        mailbox=node.mailbox,
        labels={**{name: _label(value, visit) for name, value in node.labels.items()}, **labels},
        sound=not memory.alone,
    )


def _label(value: Template, visit: Visit) -> str:
    """No message is lost over a label that cannot be made; no secret gets into one."""
    if value.names & visit.secrets.keys():
        return "***"
    try:
        return value.render(visit.variables, visit.language)
    except TemplateFailed:
        return ""
