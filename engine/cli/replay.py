"""`centralita replay`: what was decided then, decided again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from engine.cli.common import JsonOption, ProjectOption, fail, home_of, out, print_json
from engine.cli.story import command_text

if TYPE_CHECKING:
    from engine.interaction import Surroundings
    from engine.replay import Replayed
    from store.entry import Recorded
    from store.journal_reader import JournalReader

_BATCH = 1000


def register(app: typer.Typer) -> None:
    app.command("replay")(replay)


def replay(
    project: ProjectOption = None,
    now: Annotated[
        bool, typer.Option("--now", help="Use the flows and configuration on disk, not those of the time.")
    ] = False,
    after: Annotated[int, typer.Option(help="Only calls that began after this event number.", metavar="SEQ")] = 0,
    json: JsonOption = False,
) -> None:
    """Send the journal's events through the rules again: the same commands must come out.

    With `--now` it shows, call by call, where today's flows would have led a caller elsewhere. Exit code 1 when a call
    differs without `--now`. Calls with sensitive digits cannot be replayed beyond them: those are not kept. What is
    skipped is counted by its reason and changes no exit code.
    """
    from engine.cli.journal_open import reading
    from engine.enrolled import ROWS, agents_from
    from engine.replay import replay as replayed

    home = home_of(project)
    with reading(project) as reader:
        enrolled = agents_from(reader.load_states(ROWS))
        results = list(replayed(_records(reader, after), _surroundings(home, reader, now, enrolled)))
    counts = Counter(result.result for result in results)
    differing = [result for result in results if result.result == "differs"]
    if json:
        rows = [
            {
                "interaction_id": result.interaction_id,
                "result": result.result,
                "events": result.events,
                "at_seq": result.at_seq,
                "event": result.event,
                "node": result.node,
                "was": [command_text(command) for command in result.was],
                "now": [command_text(command) for command in result.now],
                "why": result.why,
            }
            for result in results
        ]
        print_json({"counts": counts, "calls": rows})
    else:
        _print(differing, counts)
        for line in why_skipped(results):
            out.print(line)
    if differing and not now:
        raise typer.Exit(1)


def _print(differing: list[Any], counts: Counter[Any]) -> None:
    if differing:
        table = Table(show_lines=True)
        table.add_column("call", no_wrap=True)  # what `explain` and `journal show` take
        for column in ("at", "then", "now"):
            table.add_column(column, overflow="fold")
        for result in differing:
            table.add_row(
                result.interaction_id,
                f"{result.node or 'arrival'}\n{result.event}, event {result.at_seq}",
                _only(result.was, result.now),
                _only(result.now, result.was),
            )
        out.print(table)
    out.print(f"{counts['same']} the same, {counts['differs']} differ, {counts['skipped']} skipped")


def why_skipped(results: Iterable[Replayed]) -> list[str]:
    """The reasons, a line each, those of most calls first."""
    reasons = Counter(result.why for result in results if result.result == "skipped")
    return [
        f"  {number} skipped: {why}" for why, number in sorted(reasons.items(), key=lambda each: (-each[1], each[0]))
    ]


def _only(commands: Any, others: Any) -> str:
    """The commands that the other side does not have."""
    return "\n".join(command_text(command) for command in commands if command not in others) or "nothing"


def _records(reader: JournalReader, after: int) -> Iterator[Recorded]:
    while records := reader.tail(after, _BATCH):
        yield from records
        after = records[-1].seq


def _surroundings(home: Any, reader: JournalReader, now: bool, enrolled: Any) -> Any:
    """`enrolled`: who is an agent now without being declared, and what was said of her."""
    from acd.enrolled import beside
    from engine.config.loader import load
    from engine.config.sources import read_sources, unpack
    from engine.home import SecretBox
    from engine.interaction import Surroundings as Around
    from engine.own_phones import with_phones

    box = SecretBox(home.state / "secrets.json")

    def around(sources: Any) -> Surroundings | None:
        configuration = load(sources).configuration
        if configuration is None:
            return None
        release, whole = configuration.release, with_phones(configuration, enrolled)
        return Around(
            releases={release.id: release},
            release_id=release.id,
            numbers=whole.numbers,
            outbound=whole.outbound,
            time_zone=configuration.site.time_zone,
            pins=configuration.pins(box),
            routing=beside(whole.routing, enrolled)[0],
            queue_prompts=configuration.queue_prompts,
            detection=configuration.site.detection,
        )

    if now:
        present = around(read_sources(home.project))
        if present is None:
            fail("the configuration on disk has errors: centralita check")
        return lambda _release_id: present

    @cache
    def pinned(release_id: str) -> Surroundings | None:
        body = reader.load_release(release_id)
        return around(unpack(body)) if body is not None else None

    return pinned
