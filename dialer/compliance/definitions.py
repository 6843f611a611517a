"""What stands in a pack of dialing rules: one model for each kind of rule. `loader.py` makes the values of them.

kind: dialing
pack: es
countries: [ES]
rules:
  commercial_hours:
    type: hours
    purposes: [sales]
    open: {mon-fri: 9:00-21:00}
    holidays: {country: ES, unknown_region: any}
    law: TRLGDCU (Real Decreto Legislativo 1/2007), article 96.2
    read: 2026-11-22
    review_by: 2027-05-22
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field, WrapValidator, field_validator, model_validator

from definitions.faults import did_you_mean, fault
from definitions.models import Count, Definition, Flag, LanguageTag, Name, Seconds, Text
from dialer.compliance.fields import (
    BasisName,
    Countries,
    Country,
    Day,
    DropName,
    Hours,
    Length,
    ModeName,
    Percent,
    PurposeName,
    ReadDay,
)
from dialer.compliance.local_time import known_zone, supports_country


class _Rule(Definition):
    """One demand of the law, and where it is written."""

    law: Text
    """The law and the article."""
    read: ReadDay
    """When somebody last compared this rule with that text; `unverified`: nobody has."""
    read_from: Text = ""
    """What was read, where it was not the law itself."""
    review_by: Day
    """When it must be compared again; later, `centralita check` warns."""
    note: Text = ""
    purposes: tuple[PurposeName, ...] = ()
    """The purposes it is for; all, when left out."""
    modes: tuple[ModeName, ...] = ()
    """The ways of dialing it is for; all, when left out."""
    regions: tuple[Text, ...] = ()
    """Codes of the country's regions it is for, such as FL; with `prefixes`, either is enough."""
    prefixes: tuple[Text, ...] = ()
    """Beginnings of the numbers it is for, in E.164: +1305."""

    @field_validator("prefixes")
    @classmethod
    def _are_prefixes(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for prefix in value:
            if not re.fullmatch(r"\+[0-9]{1,14}", prefix):
                raise fault(f"'{prefix[:40]}' begins no number", 'write it with its country code, in quotes: "+1305"')
        return value


class HolidaysOf(Definition):
    """Public holidays on which nobody is called."""

    country: Country
    unknown_region: Literal["national", "any"] = "national"
    """Whose holidays count where the lead's region is not known."""
    extra: tuple[Text, ...] = ()
    """Further days: `2026-05-15`, or `05-15` for every year."""

    @model_validator(mode="after")
    def _known(self) -> HolidaysOf:
        if not supports_country(self.country):
            raise fault(
                f"the holidays of {self.country} are not known", "leave `holidays` out and list them in `extra`"
            )
        for day in self.extra:
            if not re.fullmatch(r"([0-9]{4}-)?[0-9]{2}-[0-9]{2}", day):
                raise fault(f"'{day[:40]}' is no day", "write 2026-05-15, or 05-15 for every year")
        return self


class HoursRule(_Rule):
    """When people may be called, by their own clock."""

    type: Literal["hours"]
    open: Hours
    """Days to hours: `{mon-fri: 9:00-21:00}`. Days that are not named are closed."""
    holidays: HolidaysOf | None = None


class CapRule(_Rule):
    """So many calls, or conversations, within any stretch of time."""

    type: Literal["cap"]
    most: Count
    within: Length
    counts: Literal["attempts", "conversations"] = "attempts"
    per: Literal["lead", "number"] = "lead"
    """The lead at all its numbers, or the number in all campaigns."""


class RestRule(_Rule):
    """No call for some time after a conversation, or after an abandoned call."""

    type: Literal["rest"]
    after: Literal["conversation", "abandoned"]
    length: Length
    unless_agent: Flag = False
    """A way of dialing that has an agent ready for this very call need not wait."""


class WindowOf(Definition):
    """Over what a ratio is taken."""

    days: Annotated[Count, Field(ge=1, le=366)] | None = None
    """Successive stretches of so many days, from the campaign's start."""
    calendar_day: Text | None = None
    """The calendar days of this time zone: Europe/London."""

    @model_validator(mode="after")
    def _one(self) -> WindowOf:
        if (self.days is None) == (self.calendar_day is None):
            raise fault(
                "a window has either days or a calendar day", "write {days: 30} or {calendar_day: Europe/London}"
            )
        if self.calendar_day is not None and not known_zone(self.calendar_day):
            raise fault(f"'{self.calendar_day[:40]}' is no time zone", "write its IANA name: Europe/London")
        return self


class AbandonmentRule(_Rule):
    """How many live answers may find nobody in time."""

    type: Literal["abandonment"]
    most: Percent
    """Percent of the live answers."""
    window: WindowOf


class RingRule(_Rule):
    """How long an unanswered phone rings at least."""

    type: Literal["ring"]
    least_s: Annotated[Seconds, Field(le=120)]


class AgentWithinRule(_Rule):
    """How soon who answered has an agent."""

    type: Literal["agent_within"]
    within_s: Annotated[Seconds, Field(le=60)]
    since: Literal["greeting_end", "answer"] = "greeting_end"


class DropRule(_Rule):
    """What may be done with who finds nobody."""

    type: Literal["drop"]
    allowed: tuple[DropName, ...] = Field(min_length=1)
    opt_out: Flag = False
    """The message offers a key not to be called again."""


class BasisRule(_Rule):
    """The grounds on which one may call."""

    type: Literal["basis"]
    any_of: tuple[BasisName, ...] = Field(min_length=1)
    consent_age: Length | None = None
    """An older consent has to be renewed."""
    proof: Flag = False
    """A consent counts only with a record of it."""


class ListsRule(_Rule):
    """Registers that must be at hand."""

    type: Literal["lists"]
    lists: tuple[Name, ...] = Field(min_length=1)
    max_age: Length
    """How old they may be."""
    unless: tuple[BasisName, ...] = ()
    """Bases that go before a listing."""


class IdentityRule(_Rule):
    """What number people see."""

    type: Literal["identity"]
    shown: Flag = True
    no_mobile: Flag = False
    begins: tuple[Text, ...] = ()
    """It begins with one of these, in E.164."""


class DutyRule(_Rule):
    """What no machine can check."""

    type: Literal["duty"]
    says: Mapping[LanguageTag, Text] | Text
    """A text, or one for each language: reports take the one of their own language."""


RULES: Mapping[str, type[_Rule]] = {
    "hours": HoursRule,
    "cap": CapRule,
    "rest": RestRule,
    "abandonment": AbandonmentRule,
    "ring": RingRule,
    "agent_within": AgentWithinRule,
    "drop": DropRule,
    "basis": BasisRule,
    "lists": ListsRule,
    "identity": IdentityRule,
    "duty": DutyRule,
}


def _by_type(value: Any, _: Any) -> _Rule:
    """Validated as what its type says, so that errors point at the very key."""
    if isinstance(value, _Rule):
        return value
    if not isinstance(value, Mapping):
        raise fault("a rule is a map", "write keys: type, law, read, review_by and what it asks")
    kind = value.get("type")
    if not isinstance(kind, str) or kind not in RULES:
        what = f"there is no rule of type '{str(kind)[:40]}'" if kind else "the key 'type' is missing"
        raise fault(what, did_you_mean(str(kind or ""), RULES, what="types"))
    return RULES[kind].model_validate(value)


AnyRule = Annotated[
    HoursRule
    | CapRule
    | RestRule
    | AbandonmentRule
    | RingRule
    | AgentWithinRule
    | DropRule
    | BasisRule
    | ListsRule
    | IdentityRule
    | DutyRule,
    Field(discriminator="type"),
    WrapValidator(_by_type),
]


class DialingPack(Definition):
    """`config/compliance/*.yaml` with `kind: dialing`: what a law asks of who dials."""

    kind: Literal["dialing"]
    pack: Name
    """Its name: the file's."""
    title: Text = ""
    countries: Countries
    """For numbers of these countries, or `any`."""
    note: Text = ""
    rules: Mapping[Name, AnyRule] = Field(min_length=1)
