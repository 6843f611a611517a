"""What a survey decided, for the journal: which question was put to the caller, and what she answered."""

from __future__ import annotations

from core.frozen import dataclass


@dataclass(frozen=True, slots=True)
class SurveyAsked:
    """A question begins to be said, once however often it is repeated. `language`: the caller's."""

    survey: str
    question: str
    kind: str
    language: str = ""


@dataclass(frozen=True, slots=True)
class SurveyAnswered:
    """`kind`: csat (1-5), nps (0-10), yes_no; `value`: the number, or `yes` and `no`. `language`: the caller's, empty
    where an older release wrote it."""

    survey: str
    question: str
    kind: str
    value: str
    language: str = ""
