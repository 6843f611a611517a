"""A scenario from what was seen of the floor: the days that are to come, if they are like those.

Each part says from how much it comes; what is too little is left out, in words. Means are means of what was seen, so
that the simulated floor gets the same work to do.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import numpy as np
from scipy import stats

from acd.setup import Key, Setup
from acd.simulation.crews import spells, whole
from acd.simulation.days_seen import DaysSeen
from acd.simulation.observed import Observed, SeenStay, SeenTalk
from acd.simulation.patience import Patience, is_odd, patience_of
from core.stay import StayEnd

ENOUGH_STAYS, ENOUGH_TALKS, ENOUGH_GIVEN_UP = 50, 30, 10
"""Fewer say too little of a queue, of its conversations, of its callers' patience."""
FEW_DAYS = 5
_RARE = 0.005
"""Requirements that fewer calls ask for are left out."""
_GAVE_UP = frozenset(
    {StayEnd.ABANDONED.value, StayEnd.SHORT_ABANDONED.value, StayEnd.LEFT_BY_KEY.value, StayEnd.VOICEMAIL.value}
)
_ABANDONED = frozenset({StayEnd.ABANDONED.value, StayEnd.SHORT_ABANDONED.value})


@dataclass(frozen=True, slots=True)
class FittedQueue:
    """`calls`: as a scenario has it. The rest: how the queue did on those days."""

    queue: str
    calls: dict[str, Any]
    stays: int
    talks: int
    patience: Patience | None
    service_level: float
    abandoned: float
    wait_s: float
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Fitted:
    """`scenario`: what `ScenarioFile` reads, without the names of anybody. `refused`: queue -> why it is left out."""

    scenario: dict[str, Any]
    queues: tuple[FittedQueue, ...]
    days: tuple[date, ...]
    refused: dict[str, str]
    notes: tuple[str, ...]


@dataclass
class _Seen:
    """What is known of one queue."""

    stays: list[SeenStay] = field(default_factory=list)
    talks: list[SeenTalk] = field(default_factory=list)
    steps: Counter[int] = field(default_factory=Counter)


def fit(name: str, seen: Observed, days: DaysSeen, setup: Setup, only: Collection[str] = ()) -> Fitted:
    """`setup`: what agents can do and which queues they serve today. `only`: these queues; all when empty.

    `queues` of what comes back is empty when there was too little of everything."""
    by_queue: dict[str, _Seen] = {queue: _Seen() for queue in only}
    open_days: set[date] = set()
    for stay in seen.stays:
        cell = days.cell(stay.joined_s)
        if cell is not None:
            open_days.add(cell.day)
            known = by_queue.setdefault(stay.queue, _Seen())
            known.stays.append(stay)
            known.steps[cell.step] += 1
    for talk in seen.talks:
        by_queue.setdefault(talk.queue, _Seen()).talks.append(talk)
    refused = {
        queue: why
        for queue, known in sorted(by_queue.items())
        if (why := _too_little(seen.tenant, queue, known, setup))
    }
    chosen = {
        queue: known
        for queue, known in sorted(by_queue.items())
        if queue not in refused and (not only or queue in only)
    }
    refused = {queue: why for queue, why in refused.items() if not only or queue in only}
    watched_s = days.watched_s(open_days)
    first, last = _span(chosen.values())
    fitted = tuple(_queue(queue, known, watched_s, (first, last), days) for queue, known in chosen.items())
    agents, unknown = _agents(seen, days, setup, open_days, watched_s, (first, last))
    rings = [talk.ring_s for known in chosen.values() for talk in known.talks]
    scenario: dict[str, Any] = {
        "scenario": name,
        "from": _clock(first, days.step_s),
        "until": _clock(last, days.step_s),
        "answer_s": round(float(np.mean(rings)), 1) if rings else 0.0,
        "agents": agents,
        "queues": {each.queue: each.calls for each in fitted},
    }
    notes = _notes(seen, by_queue, chosen, unknown, len(open_days))
    return Fitted(scenario, fitted, tuple(sorted(open_days)), refused, tuple(notes))


def _too_little(tenant: str, queue: str, known: _Seen, setup: Setup) -> str:
    """Why nothing is said about a queue; empty when it can be."""
    if (tenant, queue) not in setup.queues:
        return "it is not configured any more: its callers and their agents are left out"
    if len(known.stays) < ENOUGH_STAYS:
        return f"{len(known.stays)} calls are too few to learn from, it takes {ENOUGH_STAYS}: give it more days"
    if len(known.talks) < ENOUGH_TALKS:
        return f"{len(known.talks)} conversations are too few to learn from, it takes {ENOUGH_TALKS}: give it more days"
    return ""


def _span(queues: Iterable[_Seen]) -> tuple[int, int]:
    """The first step in which anybody called, and the one after the last."""
    steps = {step for known in queues for step in known.steps}
    return (min(steps), max(steps) + 1) if steps else (0, 1)


# -- one queue -----------------------------------------------------------------------------------------
def _queue(queue: str, known: _Seen, watched_s: Sequence[float], span: tuple[int, int], days: DaysSeen) -> FittedQueue:
    notes: list[str] = []
    calls: dict[str, Any] = {
        "arrivals": _arrivals(known.steps, watched_s, span, days.step_s),
        "talk_s": length([talk.talk_s for talk in known.talks]),
        "wrap_up_s": length([talk.wrap_up_s for talk in known.talks]),
    }
    gave_up = [stay.patient_s for stay in known.stays if stay.how in _GAVE_UP]
    patience = patience_of(gave_up, [stay.patient_s for stay in known.stays if stay.how not in _GAVE_UP])
    if patience is None or patience.gave_up < ENOUGH_GIVEN_UP:
        notes.append(
            f"patience: {len(gave_up)} callers gave up, too few to learn from (it takes {ENOUGH_GIVEN_UP}): "
            "nobody will; write `patience_s` if you know better"
        )
    else:
        calls["patience_s"] = {"mean": round(patience.mean_s, 1)}
        if is_odd(patience):
            notes.append(
                f"patience: by {patience.at_s:.0f} s {patience.left:.0%} have given up, where an exponential has "
                f"{patience.fitted:.0%}: abandonment will be less like what it was"
            )
    if asked := _asks(known.stays):
        calls["asks"] = asked
    judged = [stay for stay in known.stays if stay.how != StayEnd.SHORT_ABANDONED.value]
    return FittedQueue(
        queue,
        calls,
        stays=len(known.stays),
        talks=len(known.talks),
        patience=patience,
        service_level=100.0 * sum(stay.in_target for stay in judged) / max(len(judged), 1),
        abandoned=100.0 * sum(stay.how in _ABANDONED for stay in known.stays) / len(known.stays),
        wait_s=float(np.mean([stay.waited_s for stay in known.stays])),
        notes=tuple(notes),
    )


def _arrivals(
    steps: Mapping[int, int], watched_s: Sequence[float], span: tuple[int, int], step_s: float
) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for step in range(*span):
        seconds = watched_s[step]
        rate = round(3600.0 * steps.get(step, 0) / seconds, 2) if seconds else 0.0
        if found and found[-1]["per_hour"] == rate:
            found.pop()
        found.append({"until": _clock(step + 1, step_s), "per_hour": rate})
    return found


def length(values: Sequence[float]) -> dict[str, float]:
    """Mean and deviation as they are; without the deviation (an exponential) when that is nearer to what was seen than
    a lognormal, by the largest distance between the distributions (Kolmogorov and Smirnov)."""
    seen = np.asarray(values, dtype=float)
    mean, deviation = float(seen.mean()), float(seen.std(ddof=1)) if len(seen) > 1 else 0.0
    if mean <= 0.0 or deviation < 0.01 * mean:
        return {"mean": round(mean, 1), "deviation": 0.0}
    variance = float(np.log1p((deviation / mean) ** 2))
    lognormal = stats.lognorm(s=variance**0.5, scale=mean * float(np.exp(-variance / 2)))
    distances = [stats.ks_1samp(seen, law.cdf).statistic for law in (stats.expon(scale=mean), lognormal)]
    if distances[0] <= distances[1]:
        return {"mean": round(mean, 1)}
    return {"mean": round(mean, 1), "deviation": round(deviation, 1)}


def _asks(stays: Sequence[SeenStay]) -> dict[str, float]:
    asked = Counter(stay.skills for stay in stays if stay.skills)
    # Rounded down: together they are not more than all calls.
    return {
        skills: int(1e4 * count / len(stays)) / 1e4
        for skills, count in sorted(asked.items())
        if count >= _RARE * len(stays)
    }


# -- who is there --------------------------------------------------------------------------------------
Group = tuple[tuple[str, ...] | None, tuple[tuple[str, int], ...]]
"""Queues, None for all of them, and skills: agents who differ in nothing else are one crew."""


def _agents(
    seen: Observed,
    days: DaysSeen,
    setup: Setup,
    open_days: Collection[date],
    watched_s: Sequence[float],
    span: tuple[int, int],
) -> tuple[list[dict[str, Any]], int]:
    """Crews, and how many agents are left out who are not configured any more."""
    ready_s: dict[Group, list[float]] = {}
    unknown = 0
    for agent_id, stretches in sorted(seen.ready.items()):
        group = _group(setup, (seen.tenant, agent_id))
        if group is None:
            unknown += 1
            continue
        steps = ready_s.setdefault(group, [0.0] * days.steps)
        for stretch in stretches:
            for cell, seconds in days.within(*stretch):
                if cell.day in open_days:
                    steps[cell.step] += seconds
    by_step = [
        whole({group: steps[step] / watched_s[step] if watched_s[step] else 0.0 for group, steps in ready_s.items()})
        for step in range(*span)
    ]
    crews: list[dict[str, Any]] = []
    for group in sorted(ready_s, key=lambda group: (group[0] or (), group[1])):
        for (begins, ends), count in sorted(spells([counts[group] for counts in by_step]).items()):
            crews.append({"count": count, **_crew(group, span, (begins + span[0], ends + span[0]), days.step_s)})
    return crews, unknown


def _group(setup: Setup, key: Key) -> Group | None:
    agent = setup.agents.get(key)
    if agent is None:
        return None
    return (None if agent.queues is None else tuple(sorted(agent.queues))), tuple(sorted(agent.skills.items()))


def _crew(group: Group, span: tuple[int, int], spell: tuple[int, int], step_s: float) -> dict[str, Any]:
    queues, skills = group
    crew: dict[str, Any] = {} if queues is None else {"queues": list(queues)}
    if skills:
        crew["skills"] = dict(skills)
    if spell != span:
        crew |= {"from": _clock(spell[0], step_s), "until": _clock(spell[1], step_s)}
    return crew


def _clock(step: int, step_s: float) -> str:
    minutes = round(step * step_s / 60.0)
    return f"{minutes // 60}:{minutes % 60:02}"


def _notes(
    seen: Observed, by_queue: Mapping[str, _Seen], chosen: Mapping[str, _Seen], unknown: int, days: int
) -> Iterable[str]:
    if days < FEW_DAYS:
        said = "day says" if days == 1 else "days say"
        yield f"{days} {said} little about others: {FEW_DAYS} of the same weekday are a beginning"
    worked_s = {
        queue: sum(talk.ring_s + talk.talk_s + talk.wrap_up_s for talk in known.talks)
        for queue, known in by_queue.items()
    }
    whole_s = sum(worked_s.values())
    elsewhere = 1.0 - sum(worked_s[queue] for queue in chosen) / whole_s if whole_s else 0.0
    if chosen and elsewhere > 0.01:
        yield f"agents spent {elsewhere:.0%} of their work on queues that are left out: they will have more time"
    for count, what in (
        (unknown, "agents are left out: they are not configured any more"),
        (seen.dialed, "calls that campaigns dialed are left out, with the time agents spent on them"),
        (seen.others, "chats and e-mails are left out, with the time agents spent on them"),
        (seen.apart, "conversations after a transfer, or in consultation, are left out"),
        (seen.failed, "offers were not taken: in the simulation every phone is picked up"),
        (seen.unreadable, "entries of the journal cannot be read any more (erased callers): they are not counted"),
    ):
        if count:
            yield f"{count} {what}"
