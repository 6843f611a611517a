"""`centralita journal show ID` and `centralita explain ID`: what happened to a caller, and why."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import typer
from rich.table import Table
from rich.text import Text

from core import decisions as said
from core.commands import Command, Play
from core.media import Sound, Speech
from engine.cli.common import JsonOption, ProjectOption, fail, home_of, out, print_json

if TYPE_CHECKING:
    from store.entry import Recorded
    from store.journal_reader import JournalReader

IdArgument = Annotated[str, typer.Argument(help="The interaction's id, or its beginning; `last` for the newest.")]

journal_app = typer.Typer(help="The journal: what happened, event by event.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    app.add_typer(journal_app, name="journal")
    app.command("explain")(explain)


@journal_app.command("show")
def show(interaction_id: IdArgument, project: ProjectOption = None, json: JsonOption = False) -> None:
    """Every event of an interaction with what was decided and commanded."""
    records = records_of(interaction_id, project)
    if json:
        print_json([_record_json(record) for record in records])
        return
    table = Table(title=records[0].interaction_id, title_justify="left", expand=True)
    table.add_column("at", no_wrap=True)
    table.add_column("seq", justify="right")
    table.add_column("event")
    table.add_column("decided")
    table.add_column("commanded")
    began_s = records[0].at_s
    for record in records:
        table.add_row(
            f"+{record.at_s - began_s:.3f} s",
            str(record.seq),
            _event_text(record),
            "\n".join(decision_text(decision) for decision in record.decisions),
            "\n".join(command_text(command) for command in record.commands),
        )
    out.print(f"began {datetime.fromtimestamp(began_s, UTC):%Y-%m-%d %H:%M:%S} UTC")
    out.print(table)


@journal_app.command("erase")
def erase(
    number: Annotated[str, typer.Argument(help="The caller's number, however it is written.")],
    tenant: Annotated[str, typer.Option(help="Whose caller.")] = "main",
    project: ProjectOption = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Forget a caller: what the journal and the database hold about her becomes unreadable for ever.

    The events stay, without their content. Voicemail and other recordings are files: delete them by hand.
    """
    from engine.erasure import erase_contact

    if not yes:
        typer.confirm(f"Forget everything about this caller of tenant {tenant}? This cannot be undone", abort=True)
    contacts, interactions = erase_contact(home_of(project), tenant, number)
    if not contacts:
        fail("nobody with this number is known")
    out.print(f"forgotten: {interactions} interactions in the database, and all their events in the journal")


def explain(interaction_id: IdArgument, project: ProjectOption = None, json: JsonOption = False) -> None:
    """Why the caller was led where she was: her way through the flows, with the reasons."""
    records = records_of(interaction_id, project)
    steps = explain_steps(records)
    if json:
        print_json({"interaction_id": records[0].interaction_id, "steps": steps})
        return
    table = Table(title=f"Why, for {records[0].interaction_id}", title_justify="left")
    for column in ("at", "where", "what", "why"):
        table.add_column(column)
    for step in steps:
        table.add_row(f"+{step['at_s']:.1f} s", step["where"], step["what"], step["why"])
    out.print(table)


def explain_steps(records: Any) -> list[dict[str, Any]]:
    """The decisions that led the caller, one row each."""
    began_s = records[0].at_s
    steps: list[dict[str, Any]] = []
    where = ""

    def add(at_s: float, what: str, why: str = "") -> None:
        steps.append({"at_s": round(at_s - began_s, 3), "where": where, "what": what, "why": why})

    for record in records:
        for decision in record.decisions:
            match decision:
                case said.InteractionOpened():
                    add(record.at_s, f"flow {decision.flow} answers in {decision.language}", decision.rule)
                case said.NodeEntered():
                    where = f"{decision.flow}.{decision.node}"
                case said.NodeLeft():
                    add(record.at_s, f"→ {decision.target or 'end'}", f"{decision.branch} ({record.type})")
                case said.Noted():
                    add(record.at_s, decision.what, decision.why)
                case said.InteractionClosed():
                    add(record.at_s, "closed", decision.outcome)
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
        case said.LegJoined():
            return f"leg joins as {decision.role}"
        case _:
            return type(decision).__name__


def command_text(command: Command) -> str:
    if isinstance(command, Play):
        heard = [
            f"“{part.text}”" if isinstance(part, Speech) else part.name if isinstance(part, Sound) else str(part)
            for part in command.parts
        ]
        return "Play " + " ".join(heard)
    fields = [
        str(value)
        for name in ("timer_id", "url", "queue", "target", "endpoint", "recording_id", "mailbox")
        if (value := getattr(command, name, None))
    ]
    return " ".join([type(command).__name__, *fields])


def _event_text(record: Any) -> Text:
    if record.event is None:
        return Text(f"{record.type} ({record.unreadable})", style="dim")
    shown = [
        f"{name}={value}"
        for name in ("digit", "how", "reason", "outcome", "status", "error", "timer_id", "why", "up")
        if (value := getattr(record.event, name, None)) not in (None, "", 0)
    ]
    return Text(" ".join([record.type, *(text.replace("EndReason.", "") for text in shown)]))


def _record_json(record: Any) -> dict[str, Any]:
    return {
        "seq": record.seq,
        "at_s": record.at_s,
        "type": record.type,
        "unreadable": record.unreadable,
        "event": None if record.event is None else _plain(record.event),
        "decisions": [_plain(decision) for decision in record.decisions],
        "commands": [_plain(command) for command in record.commands],
    }


def _plain(value: Any) -> dict[str, Any]:
    plain: dict[str, Any] = msgspec.to_builtins(value)
    return {"type": type(value).__name__, **plain}


def records_of(prefix: str, project: Path | None) -> list[Recorded]:
    """Every event of the interaction whose id begins so (`last`: the newest); ends the command when there is none."""
    with reading(project) as reader:
        return reader.show(_the_one(prefix, reader))


@contextmanager
def reading(project: Path | None) -> Iterator[JournalReader]:
    """The journal; ends the command when it cannot be read."""
    from store.cipher import ContactCipher
    from store.errors import StoreError
    from store.journal_reader import JournalReader

    home = home_of(project)
    try:
        with ContactCipher.open(home.state, read_only=True) as cipher:
            reader = JournalReader.open(home.journal, cipher)
            try:
                yield reader
            finally:
                reader.close()
    except StoreError as failure:
        fail(str(failure))


def _the_one(prefix: str, reader: JournalReader) -> str:
    found = reader.newest(1) if prefix == "last" else reader.find(prefix, limit=20)
    if not found:
        fail("the journal is empty" if prefix == "last" else f"no interaction begins with '{prefix}'")
    if len(found) > 1 and prefix not in found:
        fail("several interactions begin so:\n" + "\n".join(found))
    return prefix if prefix in found else found[0]
