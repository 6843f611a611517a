"""Rows of `survey_answers`, from what was asked and answered and who had served the caller by then. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field

from core.stay import StayEnd
from core.survey import SurveyAnswered, SurveyAsked
from store.sql.rows import Row, text

Key = tuple[str | int, ...]

_WORDS = {"yes": 1, "no": 0}
_DIGITS = 9
"""A longer number is no answer to anything, and may be more than a column holds."""


@dataclass(slots=True)
class Surveyed:
    """What a question of this interaction is told with.

    `flow`: which answered; `node`, `visit`: where the caller is, as `flow/node`; `queue`, `agent_id`: who served her
    last, empty for nobody; `asked`: (survey, question) without an answer yet -> the visit in which it was asked."""

    interaction_id: str
    tenant: str
    flow: str
    language: str
    node: str = ""
    visit: int = 0
    queue: str = ""
    agent_id: str = ""
    asked: dict[tuple[str, str], int] = field(default_factory=dict)

    def entered(self, flow: str, node: str, visit: int) -> None:
        self.node, self.visit = f"{flow}/{node}", visit

    def served(self, how: str, queue: str, agent_id: str) -> None:
        """A stay of hers ended. Who is handed on to one agent in person is still of the queue that she came from."""
        if how == StayEnd.ANSWERED.value:
            self.queue, self.agent_id = queue or self.queue, agent_id

    def row(self, decision: SurveyAsked | SurveyAnswered, at_us: int) -> tuple[Key, Row, bool]:
        """(key, columns, whether they are a whole row or belong to one that is there)."""
        name = text(decision.question)
        if isinstance(decision, SurveyAsked):
            self.asked[text(decision.survey), name] = self.visit
            return (self.interaction_id, self.visit, name), self._new(decision, 1, at_us), True
        visit = self.asked.pop((text(decision.survey), name), None)
        if visit is not None:
            return (self.interaction_id, visit, name), _given(decision, at_us), False
        # Earlier releases wrote down what was answered and not what was asked.
        row = self._new(decision, 0, at_us) | _given(decision, at_us)
        return (self.interaction_id, self.visit, name), row, True

    def _new(self, of: SurveyAsked | SurveyAnswered, asked: int, at_us: int) -> Row:
        return {
            "interaction_id": self.interaction_id,
            "visit": self.visit,
            "question": text(of.question),
            "tenant": self.tenant,
            "survey": text(of.survey),
            "kind": of.kind,
            "flow": self.flow,
            "node": self.node,
            "language": of.language or self.language,
            "queue": self.queue,
            "agent_id": self.agent_id,
            "asked": asked,
            "at_us": at_us,
            "answered_us": None,
            "answer": "",
            "score": None,
        }


def _given(answered: SurveyAnswered, at_us: int) -> Row:
    value = answered.value
    number = int(value) if value.isascii() and value.isdigit() and len(value) <= _DIGITS else _WORDS.get(value)
    return {"answered_us": at_us, "answer": text(value), "score": number}
