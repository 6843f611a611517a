"""What was expected against what happened: failures at their place in the file, and the transcript to look at."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

from rapidfuzz import fuzz, process

from core.decisions import NodeEntered, NodeLeft, Noted, VariablesSet
from core.survey import SurveyAnswered
from ivr.scenario.caller import Caller
from ivr.scenario.model import Expect, HeardModel
from ivr.scenario.transcript import Decided, Did, Heard, Line, Ordered

Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Difference:
    """`path`: the expectation inside the test; `line`: where in the transcript it went wrong, None for its end."""

    path: Path
    what: str
    line: int | None = None


class Ears:
    """What a caller says she heard, in order: each piece is looked for after the one before it."""

    def __init__(self) -> None:
        self._after, self._offset = -1, 0

    def hear(self, wanted: HeardModel, transcript: Sequence[Line], path: Path) -> Difference | None:
        """A difference when it has not been said since; then the next piece is looked for from the same place."""
        texts = [
            (index, _bare(line.text()))
            for index, line in enumerate(transcript)
            if index >= self._after and isinstance(line, Heard)
        ]
        words = _bare(wanted.words())
        for index, text in texts:
            place = text.find(words, self._offset if index == self._after else 0)
            if place >= 0:
                self._after, self._offset = index, place + len(words)
                return None
        following = [(index, text) for index, text in texts if index > self._after]
        hint = _hint(words, transcript, following)
        return Difference(path, f"not heard: {wanted.words()!r}{hint}", following[0][0] if following else None)


def _hint(words: str, transcript: Sequence[Line], following: Sequence[tuple[int, str]]) -> str:
    if any(words in _bare(line.text()) for line in transcript if isinstance(line, Heard)):
        return " (it was heard, but earlier)"
    close = process.extractOne(words, [text for _, text in following], scorer=fuzz.partial_ratio, score_cutoff=75)
    return f"; there was {close[0]!r}" if close else ""


def compare(expect: Expect, caller: Caller) -> tuple[Difference, ...]:
    """Every expectation that was not met, in the order of the file's keys."""
    return (
        *_heard(expect, caller.transcript),
        *_not_heard(expect, caller.transcript),
        *_reached(expect, caller.transcript),
        *_variables(expect, caller),
        *_commands(expect, caller.transcript),
        *_end(expect, caller),
    )


def _heard(expect: Expect, transcript: Sequence[Line]) -> Iterator[Difference]:
    ears = Ears()
    for number, wanted in enumerate(expect.heard):
        if (missed := ears.hear(wanted, transcript, ("expect", "heard", number))) is not None:
            yield missed
            return


def _not_heard(expect: Expect, transcript: Sequence[Line]) -> Iterator[Difference]:
    for number, unwanted in enumerate(expect.not_heard):
        for index, line in enumerate(transcript):
            if isinstance(line, Heard) and _bare(unwanted.words()) in _bare(line.text()):
                yield Difference(("expect", "not_heard", number), f"heard all the same: {unwanted.words()!r}", index)
                break


def nodes_of(transcript: Sequence[Line]) -> list[tuple[int, NodeEntered]]:
    """Every node entered, with its place in the transcript."""
    return [
        (index, line.decision)
        for index, line in enumerate(transcript)
        if isinstance(line, Decided) and isinstance(line.decision, NodeEntered)
    ]


def _reached(expect: Expect, transcript: Sequence[Line]) -> Iterator[Difference]:
    entered = nodes_of(transcript)
    if expect.path == "exact" and expect.reached:
        for number, wanted in enumerate(expect.reached):
            if number >= len(entered) or not _is_node(wanted, entered[number][1]):
                there = entered[number][1].node if number < len(entered) else "nothing more"
                line = entered[number][0] if number < len(entered) else None
                yield Difference(
                    ("expect", "reached", number), f"expected to reach {wanted} next, came to {there}", line
                )
                return
        if len(entered) > len(expect.reached):
            line, extra = entered[len(expect.reached)]
            yield Difference(("expect", "reached"), f"went on to {extra.node}", line)
        return
    at = 0
    for number, wanted in enumerate(expect.reached):
        found = next((index for index in range(at, len(entered)) if _is_node(wanted, entered[index][1])), None)
        if found is None:
            line = entered[at][0] if at < len(entered) else None
            yield Difference(("expect", "reached", number), f"not reached: {wanted}", line)
            return
        at = found + 1
    for number, unwanted in enumerate(expect.not_reached):
        if (line := next((index for index, node in entered if _is_node(unwanted, node)), None)) is not None:
            yield Difference(("expect", "not_reached", number), f"reached all the same: {unwanted}", line)


def _is_node(wanted: str, entered: NodeEntered) -> bool:
    return wanted in (entered.node, f"{entered.flow}/{entered.node}")


def _variables(expect: Expect, caller: Caller) -> Iterator[Difference]:
    outermost = caller.run.frames[0].variables
    for name, wanted in expect.variables.items():
        value = caller.run.variables.get(name, outermost.get(name))
        if _plain(value) != wanted:
            is_ = "is not set" if value is None else f"is {_plain(value)!r}"
            yield Difference(("expect", "variables", name), f"{name} {is_}, expected {wanted!r}")


def _commands(expect: Expect, transcript: Sequence[Line]) -> Iterator[Difference]:
    ordered = [(index, line.command) for index, line in enumerate(transcript) if isinstance(line, Ordered)]
    at = 0
    for number, item in enumerate(expect.commands):
        name, wanted = next(iter(item.items()))
        found = next((i for i in range(at, len(ordered)) if _fits(ordered[i][1], name, wanted or {})), None)
        if found is None:
            same = next((command for _, command in ordered[at:] if type(command).__name__ == name), None)
            nearest = f"; there was {same}" if same is not None else ""
            yield Difference(("expect", "commands", number), f"not ordered: {name} {wanted or ''}{nearest}")
            return
        at = found + 1


def _fits(command: object, name: str, wanted: Mapping[str, Any]) -> bool:
    if type(command).__name__ != name:
        return False
    return all(_matches(getattr(command, key), value) for key, value in wanted.items())


def _matches(value: object, wanted: object) -> bool:
    """Maps need hold only what is wanted; everything else is compared as text."""
    if isinstance(wanted, Mapping) and isinstance(value, Mapping):
        return all(key in value and _matches(value[key], inner) for key, inner in wanted.items())
    return _plain(value) == str(wanted)


def _plain(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Enum):
        return str(value.value)
    if isinstance(value, float) and value == int(value):
        return str(int(value))
    return "" if value is None else str(value)


def _end(expect: Expect, caller: Caller) -> Iterator[Difference]:
    outcome = caller.ended.outcome if caller.ended else "no"
    if expect.ended is not None and outcome != expect.ended:
        why = f" ({caller.ended.why})" if caller.ended and caller.ended.why else ""
        is_ = "the call is still there" if outcome == "no" else f"the call ended as {outcome}{why}"
        yield Difference(("expect", "ended"), f"{is_}, expected {expect.ended}")
    if expect.language is not None and caller.run.language != expect.language:
        yield Difference(("expect", "language"), f"the language is {caller.run.language}, expected {expect.language}")


def _bare(text: str) -> str:
    return " ".join(text.split())


# -- the transcript ------------------------------------------------------------------------------------
def show(transcript: Sequence[Line], begin_s: float, points_at: int | None = None) -> str:
    """The call as a page of text; `→` at the line where it first went otherwise than expected."""
    lines = []
    for index, line in enumerate(transcript):
        text = _line(line)
        if text:
            mark = "→" if index == points_at else " "
            lines.append(f"{mark} {line.at_s - begin_s:7.1f} s  {text}")
    return "\n".join(lines)


def _line(line: Line) -> str:
    match line:
        case Heard():
            return f"      “{line.text()}”" + (" (cut short)" if line.cut else "")
        case Did(_, what):
            return f"   >> {what}"
        case Ordered(_, command):
            return f"       {_command(command)}"
        case Decided(_, NodeEntered() as entered):
            return f"[{entered.flow}/{entered.node}]"
        case Decided(_, NodeLeft() as left):
            return f"       leaves by {left.branch}" + (f" to {left.target}" if left.target else "")
        case Decided(_, Noted() as noted):
            return f"       {noted.what}: {noted.why}"
        case Decided(_, SurveyAnswered() as answer):
            return f"       {answer.survey}: {answer.question} = {answer.value}"
        case Decided(_, VariablesSet() as given):
            return "       " + ", ".join(f"{name} = {value!r}" for name, value in given.values.items())
        case _:
            return ""


def _command(command: object) -> str:
    shown = ("queue", "target", "url", "mailbox", "music", "toggle", "reason", "max_s")
    details = [f"{name} {_plain(getattr(command, name))}" for name in shown if hasattr(command, name)]
    return " ".join([type(command).__name__, *details])
