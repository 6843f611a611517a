"""A scenario as people write it.

scenario: monday
from: "9:00"
until: "14:00"
agents:
  - {count: 14, queues: [sales], skills: {sales: 5}}
queues:
  sales:
    arrivals: [{until: "10:00", per_hour: 150}, {until: "14:00", per_hour: 220}]
    talk_s: {mean: 180}
    wrap_up_s: {mean: 20, deviation: 10}
    patience_s: {mean: 120}
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, model_validator

from acd.fields import SkillName
from acd.setup import AgentSetup, Key, QueueSetup, Setup
from acd.simulation.traffic import DAY_S, Rate, Scenario, Shift, Spread, Traffic
from definitions.faults import fault
from definitions.fields import typed
from definitions.models import Count, Definition, Name, Seconds, Text

_CLOCK = re.compile(r"([0-9]{1,2}):([0-5][0-9])")


def _moment(value: Any) -> float:
    text = typed(value, "a time of day")
    found = _CLOCK.fullmatch(text)
    if found is None or (seconds := int(found[1]) * 3600.0 + int(found[2]) * 60.0) > DAY_S:
        raise fault(f"'{text[:20]}' is not a time of day", 'write "9:00" or "18:30"; "24:00" at most')
    return seconds


Moment = Annotated[float, BeforeValidator(_moment), Field(json_schema_extra={"type": "string"})]


class Length(Definition):
    """How long something takes, in seconds. Exponential unless `deviation` is given; 0: always the mean."""

    mean: Seconds
    deviation: Seconds | None = None

    def spread(self) -> Spread:
        return Spread(self.mean, self.deviation)


class Arrivals(Definition):
    """Calls an hour until a time of day, from the end of the entry before."""

    until: Moment
    per_hour: Seconds


class Calls(Definition):
    """What comes to one queue. `asks`: a requirement of the call's own -> share of the calls that have it."""

    per_hour: Seconds | None = Field(default=None, description="the same all day; else `arrivals`")
    arrivals: tuple[Arrivals, ...] = ()
    talk_s: Length
    wrap_up_s: Length | None = Field(default=None, description="all the queue grants, unless given")
    patience_s: Length | None = Field(default=None, description="nobody leaves, unless given")
    asks: Mapping[Text, Seconds] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _one_way(self) -> Calls:
        if (self.per_hour is None) == (not self.arrivals):
            raise fault("nobody knows how many call", "give either `per_hour` or `arrivals`")
        if sum(self.asks.values()) > 1.0:
            raise fault("the shares of `asks` are more than all calls", "they add up to 1 at most")
        return self


class Crew(Definition):
    """So many agents alike. `queues`: all of them, unless given."""

    count: Count
    skills: Mapping[SkillName, Count] = Field(default_factory=dict)
    queues: tuple[Name, ...] | None = None
    from_: Moment | None = Field(default=None, alias="from")
    until: Moment | None = None


class ScenarioFile(Definition):
    """What `centralita simulate acd` plays."""

    scenario: Name
    from_: Moment = Field(default=9 * 3600.0, alias="from")
    until: Moment = 18 * 3600.0
    warm_up_s: Seconds = Field(default=0.0, description="not counted at the start, while the floor fills")
    answer_s: Seconds = Field(default=2.0, description="how long a phone rings before it is picked up")
    agents: tuple[Crew, ...] = Field(default=(), description="instead of those of config/agents.yaml")
    queues: Mapping[Name, Calls] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _goes_forward(self) -> ScenarioFile:
        if self.until <= self.from_:
            raise fault("the day ends before it begins", "`until` comes after `from`")
        return self


def scenario_of(
    file: ScenarioFile, setup: Setup, replications: int, seed: int, tenant: str = "main"
) -> tuple[Scenario, Setup]:
    """The scenario, and the floor it is played on: queues that are not configured are made as they stand.

    `setup`: what is configured; its agents serve unless the scenario brings its own. `tenant`: whose floor it is.
    """
    queues: dict[Key, QueueSetup] = dict(setup.queues)
    for name in file.queues:
        queues.setdefault((tenant, name), QueueSetup(tenant, name, wrap_up_s=0.0))
    agents: dict[Key, AgentSetup] = {key: agent for key, agent in setup.agents.items() if key[0] == tenant}
    shifts = [Shift(agent_id, file.from_, file.until) for _, agent_id in agents]
    if file.agents:
        agents, shifts = {}, []
        for n, crew in enumerate(file.agents, 1):
            served = frozenset(crew.queues) if crew.queues is not None else None
            for m in range(1, crew.count + 1):
                agent_id = f"crew{n}-{m}"
                agents[tenant, agent_id] = AgentSetup(tenant, agent_id, skills=dict(crew.skills), queues=served)
                from_s = file.from_ if crew.from_ is None else crew.from_
                shifts.append(Shift(agent_id, from_s, file.until if crew.until is None else crew.until))
    scenario = Scenario(
        name=file.scenario,
        from_s=file.from_,
        until_s=file.until,
        traffic={(tenant, name): _traffic(calls, file) for name, calls in file.queues.items()},
        shifts=tuple(shifts),
        tenant=tenant,
        answer_s=file.answer_s,
        warm_up_s=file.warm_up_s,
        replications=replications,
        seed=seed,
    )
    return scenario, replace(setup, agents=agents, queues=queues)


def _traffic(calls: Calls, file: ScenarioFile) -> Traffic:
    return Traffic(
        rates=_rates(calls, file),
        talk=calls.talk_s.spread(),
        wrap_up=calls.wrap_up_s.spread() if calls.wrap_up_s else None,
        patience=calls.patience_s.spread() if calls.patience_s else None,
        skills=dict(calls.asks),
    )


def _rates(calls: Calls, file: ScenarioFile) -> tuple[Rate, ...]:
    steps: Sequence[tuple[float, float]] = [(each.until, each.per_hour) for each in calls.arrivals]
    if calls.per_hour is not None:
        steps = [(file.until, calls.per_hour)]
    rates, from_s = [], file.from_
    for until_s, per_hour in steps:
        rates.append(Rate(from_s, min(until_s, file.until), per_hour))
        from_s = until_s
    return tuple(rates)
