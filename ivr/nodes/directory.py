"""`directory`: find a colleague by her extension, or by spelling her name with the keys.

    whom:
      type: directory
      table: extensions                     # config/tables/extensions.csv
      name: name                            # its column with the names
      extension: extension
      prompt: {es: "Marque la extensión, o el principio del nombre y almohadilla.", en: "…"}
      choose: {es: "Para {{ option }}, marque {{ key }}.", en: "…"}
      into: {device: device}                # variable: column
      found: ring

An extension leads there at once. Letters are those printed on the keys (2 is A, B or C) and may begin any word of the
name; who fits is read out to choose from.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Annotated, ClassVar, Literal

from msgspec.structs import replace
from pydantic import AfterValidator, Field

from core.decisions import Noted
from core.events import DigitPressed, Event, PlaybackFinished, TimerFired
from definitions.faults import fault
from definitions.fields import plain
from definitions.models import Count, Name, Seconds, Text, Variable
from ivr.asking import INPUT, Asking, heard, hush, is_deaf, say, try_again
from ivr.node import Exit, Leave, NodeModel, Path, Reference, RetryHandler, Turn, Visit, fail
from ivr.prompts import Prompt
from ivr.tables import Table

VERSION = 1
LEAST_LETTERS = 2
MOST_DIGITS = 20
_KEYS = {
    letter: key
    for key, letters in {
        "2": "abc",
        "3": "def",
        "4": "ghi",
        "5": "jkl",
        "6": "mno",
        "7": "pqrs",
        "8": "tuv",
        "9": "wxyz",
    }.items()
    for letter in letters
}


def _few(most: int) -> int:
    if not 1 <= most <= 9:
        raise fault(f"{most} people cannot each have a key", "write 1 to 9")
    return most


class Model(NodeModel):
    waits: ClassVar[bool] = True

    type: Literal["directory"] = "directory"
    table: Name
    name: Text
    extension: Text | None = None
    prompt: Prompt
    choose: Prompt
    """Said for each who fits: `option` is the name, `key` its key."""
    most: Annotated[Count, AfterValidator(_few)] = 3
    """If more fit, the caller is asked for more letters (`no_match`)."""
    first_digit_s: Seconds = 6.0
    between_digits_s: Seconds = 3.0
    into: Mapping[Variable, Text] = Field(default_factory=dict)
    found: Name
    no_input: RetryHandler | None = None
    no_match: RetryHandler | None = None

    def exits(self) -> tuple[Exit, ...]:
        return (Exit("found", self.found, ("found",)), *super().exits())

    def references(self) -> tuple[Reference, ...]:
        return (Reference("table", self.table, ("table",)),)

    def local(self, path: Path) -> frozenset[str]:
        return frozenset({"option", "key"}) if path[:1] == ("choose",) else super().local(path)

    def sets(self) -> frozenset[str]:
        return frozenset(self.into)


class Memory(Asking, frozen=True, omit_defaults=True):
    """`rows`: the numbers of the rows to choose from, empty while she spells."""

    rows: tuple[int, ...] = ()


def enter(node: Model, visit: Visit) -> Turn:
    if visit.release.table(visit.tenant, node.table) is None:
        return fail(node, f"there is no table {node.table}")
    return _ask(node, visit, Memory())


def resume(node: Model, memory: Memory, visit: Visit) -> Turn:
    return _ask(node, visit, memory)


def on_event(node: Model, memory: Memory, event: Event, visit: Visit) -> Turn:
    match event:
        case DigitPressed() if is_deaf(memory, node.choose if memory.rows else node.prompt, visit):
            return Turn(memory)
        case DigitPressed() if memory.rows:
            return _choosing(node, memory, event.digit, visit)
        case DigitPressed():
            return _spelling(node, memory, event.digit, visit)
        case PlaybackFinished():
            return heard(memory, visit, node.first_digit_s)
        case TimerFired() if memory.typed:
            return _search(node, memory, memory.typed, visit)
        case TimerFired() if not memory.playback_id:
            return try_again(node, node.no_input, "no_input", memory, visit, partial(_ask, node, visit))
        case _:
            return Turn(memory)


def _ask(node: Model, visit: Visit, memory: Memory, first: Prompt | None = None) -> Turn:
    if not memory.rows:
        return say(visit, memory, (first, node.prompt), node.first_digit_s)
    rows = _rows(node, visit)
    chosen = ((str(key), rows[number][node.name]) for key, number in enumerate(memory.rows, 1))
    said = (visit.parts_with(node.choose, {"option": name, "key": key}) for key, name in chosen)
    return say(visit, memory, (first,), node.first_digit_s, more=tuple(part for parts in said for part in parts))


def _rows(node: Model, visit: Visit) -> list[Mapping[str, str]]:
    table = visit.release.table(visit.tenant, node.table)
    return list(table.rows()) if isinstance(table, Table) else []


def _spelling(node: Model, memory: Memory, digit: str, visit: Visit) -> Turn:
    if digit == "#":
        return _search(node, memory, memory.typed, visit)
    typed = memory.typed + digit
    if len(typed) >= MOST_DIGITS or _is_surely_an_extension(node, typed, visit):
        return replace(_search(node, memory, typed, visit), swallow="#")
    wait = visit.timer(INPUT, node.between_digits_s)
    return Turn(replace(memory, typed=typed, playback_id=""), (*hush(memory, visit), wait))


def _is_surely_an_extension(node: Model, typed: str, visit: Visit) -> bool:
    if node.extension is None:
        return False
    longer = [row[node.extension] for row in _rows(node, visit) if row[node.extension].startswith(typed)]
    return longer == [typed] and not any(_spelt(row[node.name], typed) for row in _rows(node, visit))


def _search(node: Model, memory: Memory, typed: str, visit: Visit) -> Turn:
    again = partial(_ask, node, visit)
    if not typed:
        return try_again(node, node.no_input, "no_input", memory, visit, again)
    rows = _rows(node, visit)
    if node.extension is not None:
        for row in rows:
            if row[node.extension].strip() == typed:
                return _found(node, row, f"extension {typed}")
    fitting = tuple(number for number, row in enumerate(rows) if _spelt(row[node.name], typed))
    if not fitting or len(fitting) > node.most:
        why = f"{len(fitting)} people fit {typed}" if fitting else f"nobody fits {typed}"
        return try_again(node, node.no_match, "no_match", memory, visit, again, why)
    return _ask(node, visit, replace(memory, rows=fitting, no_inputs=0, no_matches=0))


def _spelt(name: str, typed: str) -> bool:
    return len(typed) >= LEAST_LETTERS and any(keys.startswith(typed) for keys in _spellings(name))


def _spellings(name: str) -> Iterator[str]:
    """The name from each of its words on, as keys."""
    words = ["".join(_KEYS.get(letter, "") for letter in word) for word in plain(name).split()]
    return ("".join(words[first:]) for first in range(len(words)))


def _choosing(node: Model, memory: Memory, digit: str, visit: Visit) -> Turn:
    if digit.isdigit() and 1 <= int(digit) <= len(memory.rows):
        row = _rows(node, visit)[memory.rows[int(digit) - 1]]
        return _found(node, row, "chosen by name")
    ask = partial(_ask, node, visit)
    return try_again(node, node.no_match, "no_match", memory, visit, ask, f"nobody is at key {digit}")


def _found(node: Model, row: Mapping[str, str], why: str) -> Turn:
    variables = {name: row.get(column, "") for name, column in node.into.items()}
    return Turn(leave=Leave("found", node.found, variables), decisions=(Noted("directory", why),))
