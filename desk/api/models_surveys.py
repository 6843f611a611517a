"""What callers answered to surveys, as it goes over the API."""

from __future__ import annotations

from typing import Literal

from desk.api.models import Told


class Figures(Told):
    """`replied`: of those `asked`, who answered. `answers`: all that are in the figures; `of_unknown_asked`: those of
    them from journals that do not say who was asked. `mean` and `satisfied_percent` (4 and 5) of csat, `nps` from -100
    to 100, `yes_percent`: that of the question's kind, with its 95 % interval; the others are null."""

    asked: int
    replied: int
    response_percent: float | None
    answers: int
    of_unknown_asked: int
    mean: float | None = None
    satisfied_percent: float | None = None
    nps: float | None = None
    yes_percent: float | None = None
    interval_95: tuple[float, float] | None
    promoters: int | None = None
    passives: int | None = None
    detractors: int | None = None
    distribution: dict[str, int]


class GroupFigures(Figures):
    """`name`: of the queue, agent, flow, or the day; empty for none."""

    name: str


class QuestionFigures(Told):
    tenant: str
    survey: str
    question: str
    kind: str
    total: Figures
    groups: list[GroupFigures]


class Surveys(Told):
    """`first`, `last`: the days that were counted, of the site's time zone."""

    first: str
    last: str
    by: Literal["queue", "agent", "flow", "day"]
    questions: list[QuestionFigures]
