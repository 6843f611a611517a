"""How a campaign dials, as it is written: the numbers people see, how many lines and when, who is looked at first."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, WithJsonSchema, model_validator

from definitions.faults import fault
from definitions.fields import country, typed
from definitions.models import Count, Definition, Flag, Name, Seconds
from dialer.compliance.fields import Length, Percent
from dialer.compliance.numbers import never_dialed

_RATE = re.compile(r"[0-9]{1,4}(\.[0-9]{1,3})?")


def _rate(value: Any) -> float:
    text = typed(value, "a number")
    if not _RATE.fullmatch(text):
        raise fault(f"'{text[:40]}' is not a number", "write it like 2 or 0.5")
    return float(text)


def _our_number(value: Any) -> str:
    text = re.sub(r"[\s().\-]", "", typed(value, "a number of ours"))
    rule, why = never_dialed(text)
    if rule:
        raise fault(why, 'write the number people see in E.164, in quotes: "+34911234567"')
    return text


def _place(value: Any) -> str:
    """A country, or the beginning of numbers."""
    text = typed(value, "a country or a beginning of numbers")
    if text.startswith("+"):
        if not re.fullmatch(r"\+[0-9]{1,14}", text):
            raise fault(f"'{text[:40]}' begins no number", 'write it with its country code, in quotes: "+3491"')
        return text
    return country(text)


Rate = Annotated[float, BeforeValidator(_rate), WithJsonSchema({"type": "number", "minimum": 0})]
OurNumber = Annotated[
    str, BeforeValidator(_our_number), WithJsonSchema({"type": "string", "examples": ["+34911234567"]})
]
Place = Annotated[str, BeforeValidator(_place), WithJsonSchema({"type": "string", "examples": ["ES", "+3491"]})]


class CallerIdPool(Definition):
    """Numbers of ours for one kind of destination. The longest beginning wins, then the country, then the pool without
    `for`."""

    name: Name
    numbers: tuple[OurNumber, ...] = Field(min_length=1)
    destinations: tuple[Place, ...] = Field(default=(), alias="for")
    """Countries (ES) or beginnings of numbers ("+3491"); everybody, when left out."""
    daily: Count = 0
    """At most so many calls a day show each of them; 0: no limit."""
    rest_after: Count = 0
    """After so many calls a number rests; 0: never."""
    rest: Length = 0.0
    """For so long: 30m."""

    @model_validator(mode="after")
    def _rests(self) -> CallerIdPool:
        if bool(self.rest_after) != bool(self.rest):
            raise fault("a rest needs both: after how many calls, and how long", "write rest_after: 40 and rest: 30m")
        return self


class Pacing(Definition):
    """How many lines, and when."""

    method: Name | None = None
    """The method's name; what suits the mode, when left out."""
    ratio: Rate = 1.5
    """Lines for each ready agent (power)."""
    target_percent: Percent | None = None
    """Share of abandoned answers to aim at, short of what the law allows."""
    most_lines_per_agent: Rate = 10.0
    occupancy_ceiling: Percent | None = None
    """Agents are at work at most so much of their time, in percent."""
    max_lines: Count = 0
    """At most so many lines at once; 0: no limit of its own."""
    calls_per_second: Rate = 0.0
    """0: no limit of its own."""
    held_lines: Flag = True
    """Only agents whose line is held open count: ringing a phone takes longer than the law allows."""


class Preview(Definition):
    """How an agent looks at a lead first."""

    for_s: Annotated[Seconds, Field(ge=5, le=3600)] = 60.0
    then: Literal["dial", "skip"] = "skip"
    """When the time is over."""
    skip_after: Length = 3600.0
    """A lead that was skipped comes again no sooner."""
