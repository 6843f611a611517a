"""`centralita journal show ID` and `centralita explain ID`: what happened to a caller, and why."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import typer

from engine.cli.common import JsonOption, ProjectOption, counted, fail, home_of, out, print_json
from engine.cli.journal_list import list_
from engine.cli.journal_open import reading
from engine.cli.story import explain_steps, reasons, timeline

if TYPE_CHECKING:
    from store.entry import Recorded
    from store.journal_reader import JournalReader

IdArgument = Annotated[
    str, typer.Argument(help="The interaction's id, or its beginning; `last`: the last customer contact.")
]

journal_app = typer.Typer(help="The journal: what happened, event by event.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    app.add_typer(journal_app, name="journal")
    journal_app.command("list")(list_)
    app.command("explain")(explain)


@journal_app.command("show")
def show(interaction_id: IdArgument, project: ProjectOption = None, json: JsonOption = False) -> None:
    """Every event of an interaction with what was decided and commanded."""
    records = records_of(interaction_id, project)
    if json:
        print_json([_record_json(record) for record in records])
        return
    out.print(
        f"{records[0].interaction_id}, began {datetime.fromtimestamp(records[0].at_s, UTC):%Y-%m-%d %H:%M:%S} UTC"
    )
    out.print(timeline(records))


@journal_app.command("erase")
def erase(
    number: Annotated[str, typer.Argument(help="The caller's number, however it is written.")],
    tenant: Annotated[str, typer.Option(help="Whose caller.")] = "main",
    project: ProjectOption = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Forget a caller: what the journal and the database hold about her becomes unreadable for ever.

    The events stay, without their content; recordings of her are deleted, leads with her number become nobody's. Her
    entry on a do-not-call list stays: it keeps her from being called.
    """
    from sqlalchemy.exc import SQLAlchemyError

    from core.errors import CentralitaError
    from definitions.faults import did_you_mean
    from engine.cli.tenants import tenants_of
    from engine.erasure import Erasure, erase_contact

    if not yes:
        typer.confirm(f"Forget everything about this caller of tenant {tenant}? This cannot be undone", abort=True)
    try:
        forgotten = erase_contact(home_of(project), tenant, number)
    except CentralitaError as failure:
        fail(str(failure))
    except (SQLAlchemyError, ConnectionError) as failure:
        why = type(failure.__cause__ or failure).__name__
        fail(f"the SQL database does not answer ({why}): start it, and do this again")
    except OSError as failure:
        fail(f"{failure.filename} cannot be deleted ({failure.strerror}): do it by hand; all the rest is forgotten")
    if forgotten == Erasure():
        known = tenants_of(home_of(project))
        # One whose files are gone may still have left data, so it is no mistake to ask.
        hint = "" if tenant in known else f"; tenant '{tenant[:40]}' has no files: {did_you_mean(tenant, known)}"
        fail(f"nobody with this number is known{hint}")
    out.print(
        f"forgotten: {forgotten.interactions} interactions in the database, all their events in the journal, "
        f"{counted(forgotten.recordings, 'recording')}, {counted(forgotten.leads, 'lead')} with "
        f"{counted(forgotten.attempts, 'attempt')}, {counted(forgotten.rejected_rows, 'row')} that imports had refused"
    )
    if forgotten.in_hand:
        out.print(
            f"[yellow]not yet: {', '.join(forgotten.in_hand)}, which a campaign has in hand: do this again when it is "
            "over, or stop the campaign"
        )
    if forgotten.open_imports:
        out.print(
            f"[yellow]not looked into: refused rows of {', '.join(forgotten.open_imports)}, which may go on: do this "
            "again when it is over"
        )


def explain(interaction_id: IdArgument, project: ProjectOption = None, json: JsonOption = False) -> None:
    """Why the caller was led where she was: her way through the flows and queues, and why to these agents.

    While she waits, the running engine adds who could have her, why not, and what ten more seconds would change.
    """
    from engine.cli.client import if_running
    from engine.cli.routing_words import routing
    from engine.routing_story import tell

    with reading(project) as reader:
        records = reader.show(_the_one(interaction_id, reader))
        told = tell(reader, records[0].interaction_id)
        _what_if(reader, told["offers"])
    live = if_running(home_of(project), f"/acd/explain/{records[0].interaction_id}")
    now = (live or {}).get("now")
    steps = explain_steps(records)
    if json:
        print_json({**told, "steps": steps, "now": now})
        return
    out.print(f"Why, for {records[0].interaction_id}")
    out.print(reasons(steps))
    if told["stays"] or now:
        out.print()
        out.print(routing(told, now))


def _what_if(reader: JournalReader, offers: list[dict[str, Any]]) -> None:
    """Adds to each offer what ten seconds more would have changed, as far as the journal reaches back."""
    from functools import cache

    from acd.enrolled import beside
    from engine.config.loader import load
    from engine.config.sources import unpack
    from engine.enrolled import ROWS, agents_from
    from engine.own_phones import with_phones
    from engine.routing_replay import later

    enrolled = agents_from(reader.load_states(ROWS))

    @cache
    def setup_for(release_id: str) -> Any:
        body = reader.load_release(release_id)
        configuration = load(unpack(body)).configuration if body is not None else None
        return beside(with_phones(configuration, enrolled).routing, enrolled)[0] if configuration is not None else None

    for offer in offers:
        if "cause_seq" in offer:
            offer["later"] = later(reader, offer["cause_seq"], offer["stay_id"], setup_for)


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
    """Every event of the interaction whose id begins so (`last`: a customer's); ends the command when there is none."""
    with reading(project) as reader:
        return reader.show(_the_one(prefix, reader))


def _the_one(prefix: str, reader: JournalReader) -> str:
    from engine.past_contacts import last_contact

    if prefix == "last":
        return last_contact(reader) or fail(
            "no customer has called yet; `centralita journal list --own` has all the rest"
        )
    found = reader.find(prefix, limit=20)
    if not found:
        fail(f"no interaction begins with '{prefix}': see `centralita journal list`")
    if len(found) > 1 and prefix not in found:
        fail("several interactions begin so:\n" + "\n".join(found))
    return prefix if prefix in found else found[0]
