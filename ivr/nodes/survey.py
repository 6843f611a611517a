"""`survey`: ask for an opinion, one question after another.

    opinion:
      type: survey
      survey: after_call
      questions:
        - {name: csat, kind: csat, prompt: {es: "Del 1 al 5, ¿cómo le hemos atendido?", en: "…"}}
        - {name: nps, kind: nps, optional: yes, prompt: {es: "Del 0 al 10, ¿nos recomendaría?", en: "…"}}
        - {name: solved, kind: yes_no, prompt: {es: "¿Está resuelto? Sí, marque 1. No, marque 2.", en: "…"}}
      next: thanks

`csat` takes 1 to 5, `nps` 0 to 10, `yes_no` 1 or 2. Every answer is kept as soon as it is given, also of a caller who
hangs up before the next question, and becomes a variable of the question's name. An optional question that is not
answered is passed over; `#` passes it over at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import ClassVar, Literal

from msgspec.structs import replace
from pydantic import Field, field_validator

from core.decisions import Noted
from core.events import DigitPressed, Event, PlaybackFinished, TimerFired
from core.survey import SurveyAnswered, SurveyAsked
from definitions.faults import Faults
from definitions.models import Definition, Flag, Name, Seconds, Variable
from ivr.asking import INPUT, Asking, heard, hush, is_deaf, say, try_again
from ivr.node import Exit, Leave, NodeModel, RetryHandler, Turn, Visit
from ivr.prompts import Prompt

VERSION = 1
_ANSWERS = {
    "csat": {str(number): str(number) for number in range(1, 6)},
    "nps": {str(number): str(number) for number in range(11)},
    "yes_no": {"1": "yes", "2": "no"},
}


class Question(Definition):
    name: Variable
    kind: Literal["csat", "nps", "yes_no"]
    prompt: Prompt
    optional: Flag = False


class Model(NodeModel):
    waits: ClassVar[bool] = True

    type: Literal["survey"] = "survey"
    survey: Name
    """What reports call it."""
    questions: Sequence[Question] = Field(min_length=1)
    first_digit_s: Seconds = 6.0
    between_digits_s: Seconds = 2.0
    next: Name
    no_input: RetryHandler | None = None
    no_match: RetryHandler | None = None

    @field_validator("questions", mode="after")
    @classmethod
    def _told_apart(cls, questions: Sequence[Question]) -> Sequence[Question]:
        faults = Faults()
        for index, question in enumerate(questions):
            if any(other.name == question.name for other in questions[:index]):
                faults.add((index, "name"), f"two questions are called '{question.name}'", "give each its own name")
        faults.raise_any("questions")
        return questions

    def exits(self) -> tuple[Exit, ...]:
        return (Exit("next", self.next, ("next",)), *super().exits())

    def sets(self) -> frozenset[str]:
        return frozenset(question.name for question in self.questions)


class Memory(Asking, frozen=True, omit_defaults=True):
    """`number`: the question being asked, from 0."""

    number: int = 0
    answers: dict[str, str] = {}


def enter(node: Model, visit: Visit) -> Turn:
    return _ask_first_time(node, visit, Memory())


def resume(node: Model, memory: Memory, visit: Visit) -> Turn:
    """The present question again; what was answered stays so."""
    return _ask(node, visit, memory)


def on_event(node: Model, memory: Memory, event: Event, visit: Visit) -> Turn:
    match event:
        case DigitPressed():
            return _pressed(node, memory, event.digit, visit)
        case PlaybackFinished():
            return heard(memory, visit, node.first_digit_s)
        case TimerFired() if memory.typed:
            return _answered(node, memory, memory.typed, visit)
        case TimerFired() if not memory.playback_id:
            return _missed(node, node.no_input, "no_input", memory, visit, "no answer")
        case _:
            return Turn(memory)


def _question(node: Model, memory: Memory) -> Question:
    return node.questions[min(memory.number, len(node.questions) - 1)]


def _ask(node: Model, visit: Visit, memory: Memory, first: Prompt | None = None) -> Turn:
    return say(visit, memory, (first, _question(node, memory).prompt), node.first_digit_s)


def _ask_first_time(node: Model, visit: Visit, memory: Memory) -> Turn:
    """Who was asked is counted once, not each time the question is said again."""
    question = _question(node, memory)
    turn = _ask(node, visit, memory)
    asked = SurveyAsked(node.survey, question.name, question.kind, visit.language)
    return replace(turn, decisions=(asked, *turn.decisions))


def _pressed(node: Model, memory: Memory, digit: str, visit: Visit) -> Turn:
    question = _question(node, memory)
    if is_deaf(memory, question.prompt, visit):
        return Turn(memory)
    if digit == "#" and memory.typed:
        return _answered(node, memory, memory.typed, visit)
    if digit == "#" and question.optional:
        return _go_on(node, memory, visit, Noted("survey", f"{question.name}: passed over"))
    typed = memory.typed + digit
    if any(answer != typed and answer.startswith(typed) for answer in _ANSWERS[question.kind]):
        wait = visit.timer(INPUT, node.between_digits_s)
        return Turn(replace(memory, typed=typed, playback_id=""), (*hush(memory, visit), wait))
    return _answered(node, memory, typed, visit)


def _answered(node: Model, memory: Memory, typed: str, visit: Visit) -> Turn:
    """A `1` that is followed by what is no `10` was an answer; the rest is for the next question."""
    question = _question(node, memory)
    answers = _ANSWERS[question.kind]
    key = typed if typed in answers else typed[:-1]
    if key not in answers:
        return _missed(node, node.no_match, "no_match", memory, visit, f"{typed} is no answer to {question.name}")
    answer = answers[key]
    kept = replace(memory, answers={**memory.answers, question.name: answer})
    told = SurveyAnswered(node.survey, question.name, question.kind, answer, visit.language)
    turn = _go_on(node, kept, visit, told)
    rest = typed[len(key) :]
    if not rest or turn.leave is not None:
        return replace(turn, untaken=rest)
    assert isinstance(turn.memory, Memory)
    more = _pressed(node, turn.memory, rest, visit)
    return replace(
        more, commands=(*turn.commands, *more.commands), decisions=(*turn.decisions, *more.decisions), flush=turn.flush
    )


def _go_on(node: Model, memory: Memory, visit: Visit, decision: Noted | SurveyAnswered) -> Turn:
    if memory.number + 1 >= len(node.questions):
        return Turn(leave=Leave("next", node.next, memory.answers), decisions=(decision,))
    following = replace(memory, number=memory.number + 1, no_inputs=0, no_matches=0, deaf_until_s=0.0)
    turn = _ask_first_time(node, visit, following)
    commands = (*hush(memory, visit), *turn.commands)
    return replace(turn, commands=commands, decisions=(decision, *turn.decisions))


def _missed(
    node: Model,
    handler: RetryHandler | None,
    which: Literal["no_input", "no_match"],
    memory: Memory,
    visit: Visit,
    why: str,
) -> Turn:
    question = _question(node, memory)
    used = memory.no_inputs if which == "no_input" else memory.no_matches
    if question.optional and used >= (2 if handler is None else handler.tries):
        return _go_on(node, memory, visit, Noted("survey", f"{question.name}: {why}"))
    return try_again(node, handler, which, memory, visit, partial(_ask, node, visit), why)
