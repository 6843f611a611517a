"""A caller's story in words: what each event, decision and command of the journal means to somebody who reads."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from rich.table import Table
from rich.text import Text

from core import decisions as said
from core.commands import CancelTimer, Command, StartTimer
from core.events import CommandRejected
from core.leg_commands import Play
from core.media import Sound, Speech
from core.survey import SurveyAnswered, SurveyAsked
from engine.cli import story_words as words
from engine.cli.calls_out import CallsOut
from engine.cli.common import grid

if TYPE_CHECKING:
    from store.entry import Recorded

_OF_EVENTS = (
    "digit",
    "how",
    "reason",
    "outcome",
    "status",
    "error",
    "timer_id",
    "what",
    "why",
    "up",
    "queue",
    "agent_id",
    "action",
    "cause_seq",
)
_OF_COMMANDS = ("url", "queue", "target", "endpoint", "recording_id", "mailbox")


def timeline(records: Sequence[Recorded]) -> Table:
    """Every event, and below it what was decided (·) and commanded (→)."""
    table, began_s = grid(), records[0].at_s
    for record in records:
        when = Text(f"+{record.at_s - began_s:.3f} s", style="dim")
        table.add_row(when, Text(f"{record.seq:>6}", style="dim"), _event(record))
        for decision in record.decisions:
            quiet = isinstance(decision, said.Moved | said.LegJoined)
            table.add_row("", "     ·", Text(decision_text(decision), style="dim" if quiet else ""))
        for command in record.commands:
            quiet = isinstance(command, StartTimer | CancelTimer)
            words = _short(command_text(command, record.at_s), record.interaction_id)
            table.add_row("", "     →", Text(words, style="dim" if quiet else "green"))
    return table


def reasons(steps: Sequence[dict[str, Any]]) -> Table:
    """What `explain_steps` found; a node is named once, above what happened in it."""
    table, where = grid(), ""
    for step in steps:
        if step["where"] != where:
            where = step["where"]
            table.add_row("", "", Text(where, style="bold cyan"))
        why = f"  ({step['why']})" if step["why"] else ""
        table.add_row("", Text(f"+{step['at_s']:.1f} s", style="dim"), Text.assemble(step["what"], (why, "dim")))
    return table


def explain_steps(records: Sequence[Recorded]) -> list[dict[str, Any]]:
    """The decisions that led the caller, one row each: at_s, where, what, why."""
    began_s = records[0].at_s
    steps: list[dict[str, Any]] = []
    where = ""
    calls_out = CallsOut()

    def add(at_s: float, what: str, why: str = "") -> None:
        steps.append({"at_s": round(at_s - began_s, 3), "where": where, "what": what, "why": why})

    for record in records:
        if isinstance(record.event, CommandRejected):
            add(record.at_s, words.not_done(record.event.what), words.cause(record.event.why))
        if failed := calls_out.follow(record):
            add(record.at_s, *failed)
        for decision in record.decisions:
            match decision:
                case said.InteractionOpened():
                    in_flow = f"flow {decision.flow} answers in {decision.language}"
                    add(record.at_s, in_flow if decision.flow else f"{decision.direction} call", decision.rule)
                case said.NodeEntered():
                    where = f"{decision.flow}.{decision.node}"
                case said.NodeLeft():
                    why = f"{words.plain(decision.branch)}: {words.happened(record.type)}"
                    add(record.at_s, f"→ {decision.target or 'end'}", why)
                case said.Noted():
                    add(record.at_s, *words.noted(decision, record.event))
                case said.OfferDecided():
                    add(record.at_s, f"offered to {decision.agent_id}", words.plain(decision.strategy))
                case said.StayChanged():
                    add(record.at_s, change_text(decision), f"by {decision.by}")
                case said.StayEnded():
                    add(record.at_s, f"the wait ends: {words.plain(decision.how)}", f"after {decision.waited_s:.1f} s")
                case said.WorkEnded():
                    add(record.at_s, f"{decision.agent_id} is done with it", words.plain(decision.how))
                case said.InteractionClosed():
                    add(record.at_s, "closed", words.plain(decision.outcome))
                case _:
                    pass
    return steps


def decision_text(decision: object) -> str:
    match decision:
        case said.Moved():
            return f"{decision.transition.thing} {decision.transition.old} → {decision.transition.new}"
        case said.NodeEntered():
            return f"enter {decision.flow}.{decision.node}"
        case said.NodeLeft():
            return f"leave {decision.node} by {decision.branch} → {decision.target or 'end'}"
        case said.Noted():
            return f"{decision.what}: {decision.why}"
        case said.VariablesSet():
            return "set " + ", ".join(f"{name}={value}" for name, value in decision.values.items())
        case said.InteractionOpened():
            return f"open: flow {decision.flow} ({decision.rule})"
        case said.InteractionClosed():
            return f"close: {decision.outcome}"
        case said.OfferDecided():
            return f"offer to {decision.agent_id} by {decision.strategy}, after {decision.waited_s:.1f} s"
        case said.StayChanged():
            return f"{change_text(decision)}, by {decision.by}"
        case said.StayEnded():
            return (
                f"stay in {decision.queue or decision.agent_id} ended: {decision.how}, after {decision.waited_s:.1f} s"
            )
        case said.WorkEnded():
            given = f", {decision.disposition}" if decision.disposition else ""
            return f"{decision.agent_id} is done: {decision.how}, talked {decision.talk_s:.0f} s{given}"
        case said.LegJoined():
            return f"leg joins as {decision.role}"
        case SurveyAsked():
            return f"asks {decision.survey}: {decision.question}"
        case SurveyAnswered():
            return f"answer to {decision.survey}: {decision.question} = {decision.value}"
        case _:
            return type(decision).__name__


def change_text(change: said.StayChanged) -> str:
    return f"moved to queue {change.queue}" if change.queue else f"priority {change.before} → {change.priority}"


def command_text(command: Command, now_s: float | None = None) -> str:
    """`now_s`: when it was given, so that timers say how long they run."""
    name = type(command).__name__
    if isinstance(command, Play):
        return f"{name} " + " ".join(_heard(command))
    if isinstance(command, StartTimer | CancelTimer):
        what = command.timer_id.rpartition(".")[2]
        if isinstance(command, StartTimer) and now_s is not None:
            return f"{name} {what}, in {command.due_s - now_s:.0f} s"
        return f"{name} {what}"
    fields = (getattr(command, field, None) for field in _OF_COMMANDS)
    return " ".join([name, *(str(value) for value in fields if value)])


def _heard(play: Play) -> Iterator[str]:
    for part in play.parts:
        yield f"“{part.text}”" if isinstance(part, Speech) else part.name if isinstance(part, Sound) else str(part)


def _event(record: Recorded) -> Text:
    if record.event is None:
        return Text(f"{record.type} ({record.unreadable})", style="dim")
    line = Text(record.type, style="bold")
    for name in _OF_EVENTS:
        if (value := getattr(record.event, name, None)) not in (None, "", 0):
            line.append(f" {name}={_short(str(getattr(value, 'value', value)), record.interaction_id)}", style="yellow")
    return line


def _short(words: str, interaction_id: str) -> str:
    """Ids begin with the interaction's own, which stands at the top."""
    return words.replace(f"{interaction_id}.", "")
