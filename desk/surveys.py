"""What callers answered to surveys, question by question: for the API and for `centralita report survey`."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, Literal
from zoneinfo import ZoneInfo

from acd.opinions import Opinions
from store.sql.database import Database
from store.sql.surveys import Counted, Group, SurveyAnswers

By = Literal["queue", "agent", "flow", "day"]

_QUARTER_S = 900
_KINDS = ("csat", "nps", "yes_no")
_FIRST, _LAST = date(1971, 1, 1), date(2999, 12, 31)


@dataclass(slots=True)
class Question:
    """What was answered to one question. `groups`: queue, agent, flow or day -> answers; empty name: none of them."""

    tenant: str
    survey: str
    question: str
    kind: str
    groups: dict[str, Opinions] = field(default_factory=dict)

    @property
    def total(self) -> Opinions:
        together = Opinions(self.kind)
        for opinions in self.groups.values():
            together.add(opinions)
        return together


@dataclass(frozen=True, slots=True)
class Wanted:
    """Questions asked from the beginning of `since` to the end of `until`, days of `zone`. `tenant` None: of all."""

    since: date
    until: date
    zone: ZoneInfo
    by: By = "queue"
    tenant: str | None = None
    queue: str = ""
    agent_id: str = ""

    @property
    def fault(self) -> str:
        """Why there can be no such report, and what to do; empty when there can."""
        if self.since > self.until:
            return f"{self.since} is after {self.until}: the first day comes first"
        if self.since < _FIRST or self.until > _LAST:
            return f"days are from {_FIRST} to {_LAST}"
        return ""

    def moment_us(self, day: date) -> int:
        return round(datetime(day.year, day.month, day.day, tzinfo=self.zone).timestamp() * 1e6)


async def questions(database: Database, wanted: Wanted) -> list[Question]:
    """By tenant and survey. Raises SQLAlchemyError, OSError: the database is away."""
    group: Group = "quarter" if wanted.by == "day" else wanted.by
    found = await SurveyAnswers(database).counts(
        group,
        wanted.moment_us(wanted.since),
        wanted.moment_us(wanted.until + timedelta(days=1)),
        tenant=wanted.tenant,
        queue=wanted.queue,
        agent_id=wanted.agent_id,
    )
    made: dict[tuple[str, str, int, str, str], Question] = {}
    for each in found:
        rank = _KINDS.index(each.kind) if each.kind in _KINDS else len(_KINDS)
        key = (each.tenant, each.survey, rank, each.question, each.kind)
        question = made.setdefault(key, Question(each.tenant, each.survey, each.question, each.kind))
        opinions = question.groups.setdefault(_name(each, wanted), Opinions(each.kind))
        opinions.count(bool(each.asked), bool(each.answer), each.score, each.count)
    return [made[key] for key in sorted(made)]


def _name(counted: Counted, wanted: Wanted) -> str:
    if wanted.by != "day":
        return str(counted.group)
    return datetime.fromtimestamp(int(counted.group) * _QUARTER_S, wanted.zone).date().isoformat()


def plain(opinions: Opinions) -> dict[str, Any]:
    """Its figures. Only those of its kind are there: `mean` and `satisfied_percent`, or `nps`, or `yes_percent`."""
    figure = {"nps": "nps", "yes_no": "yes_percent"}.get(opinions.kind, "satisfied_percent")
    told: dict[str, Any] = {
        "asked": opinions.asked,
        "replied": opinions.replied,
        "response_percent": _rounded(opinions.response_percent),
        "answers": opinions.answers,
        "of_unknown_asked": opinions.unasked,
        figure: _rounded(opinions.value),
        "interval_95": None if opinions.interval is None else [_rounded(end) for end in opinions.interval],
        "distribution": {str(score): times for score, times in sorted(opinions.scores.items())},
    }
    if opinions.kind == "csat":
        told["mean"] = _rounded(opinions.mean, 2)
    if opinions.kind == "nps":
        passives = opinions.answers - opinions.promoters - opinions.detractors
        told |= {"promoters": opinions.promoters, "passives": passives, "detractors": opinions.detractors}
    return told


def plain_question(question: Question) -> dict[str, Any]:
    return {
        "tenant": question.tenant,
        "survey": question.survey,
        "question": question.question,
        "kind": question.kind,
        "total": plain(question.total),
        "groups": [{"name": name, **plain(opinions)} for name, opinions in question.groups.items()],
    }


def _rounded(value: float | None, digits: int = 1) -> float | None:
    return None if value is None else round(value, digits)
