"""What a law can ask of somebody who dials, as values. Where each rule is written, to whom it applies, what it says.

A pack (`config/compliance/us.yaml`) is a list of these. Rules of one kind stand side by side: all of them hold, so the
strictest wins. Lengths are seconds, times UTC seconds, hours minutes since midnight where the called party is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import Enum
from fractions import Fraction
from typing import Literal, TypeAlias


class Purpose(Enum):
    """What a campaign calls for; the law depends on it."""

    SALES = "sales"
    SERVICE = "service"
    COLLECTIONS = "collections"
    SURVEY = "survey"
    REMINDER = "reminder"


class Mode(Enum):
    """How a campaign dials."""

    MANUAL = "manual"
    PREVIEW = "preview"
    PROGRESSIVE = "progressive"
    POWER = "power"
    PREDICTIVE = "predictive"
    AGENTLESS = "agentless"
    CALLBACK = "callback"

    @property
    def guarantees_agent(self) -> bool:
        """Somebody is there for this one call before it is dialed."""
        return self in (Mode.MANUAL, Mode.PREVIEW, Mode.CALLBACK)


class Basis(Enum):
    """On what ground somebody is called. `relationship`: a customer, or who was one (legitimate interest)."""

    CONSENT = "consent"
    CONTRACT = "contract"
    RELATIONSHIP = "relationship"
    OBLIGATION = "obligation"
    REQUEST = "request"
    NONE = "none"


class DropAction(Enum):
    """What who answered hears when nobody is there for her in time."""

    MESSAGE = "message"
    HANG_UP = "hang_up"
    QUEUE = "queue"
    FLOW = "flow"


@dataclass(frozen=True, slots=True)
class Source:
    """Where a rule is written. `read`: when somebody compared it with that text; None: nobody has. `read_from`: what
    was read."""

    pack: str
    rule: str
    law: str
    read: date | None
    review_by: date
    read_from: str = ""

    @property
    def name(self) -> str:
        return f"{self.pack}/{self.rule}"

    def __str__(self) -> str:
        return f"{self.name} ({self.law})"


@dataclass(frozen=True, slots=True)
class Party:
    """Who is called, as far as rules ask. `number`: E.164. `country`: ISO 3166. `region`: its code, or empty."""

    number: str
    country: str
    region: str = ""


@dataclass(frozen=True, slots=True)
class Scope:
    """To whom a rule applies. What is empty does not limit; `regions` and `prefixes` are alternatives."""

    purposes: frozenset[Purpose] = frozenset()
    modes: frozenset[Mode] = frozenset()
    countries: frozenset[str] = frozenset()
    regions: frozenset[str] = frozenset()
    prefixes: tuple[str, ...] = ()

    def serves(self, purpose: Purpose, mode: Mode) -> bool:
        return (not self.purposes or purpose in self.purposes) and (not self.modes or mode in self.modes)

    def reaches(self, party: Party) -> bool:
        """Either a region or a prefix is enough: a number kept after moving brings both states' rules."""
        if self.countries and party.country not in self.countries:
            return False
        if not self.regions and not self.prefixes:
            return True
        return party.region in self.regions or party.number.startswith(self.prefixes or ("x",))


@dataclass(frozen=True, slots=True)
class Holidays:
    """Public holidays on which nobody is called. `unknown_region`: whose holidays count where the region is not known:
    the country's alone, or those of any of its regions. `extra`: further days, `2026-05-15` or `05-15`."""

    country: str
    unknown_region: Literal["national", "any"] = "national"
    extra: frozenset[str] = frozenset()


Range: TypeAlias = tuple[int, int]
Week: TypeAlias = Mapping[int, tuple[Range, ...]]


@dataclass(frozen=True, slots=True)
class Hours:
    """When people may be called, by their own clock. `week`: day (Monday 0) -> ranges; days that are missing: never."""

    source: Source
    scope: Scope
    week: Week
    holidays: Holidays | None = None


@dataclass(frozen=True, slots=True)
class Cap:
    """At most so many attempts (or conversations) within any stretch of `within_s`; `within_s` inf: ever.

    A stretch rolls: it is never laxer than calendar days. `per`: the lead at all its numbers, or the number across all
    campaigns."""

    source: Source
    scope: Scope
    most: int
    within_s: float
    counts: Literal["attempts", "conversations"] = "attempts"
    per: Literal["lead", "number"] = "lead"


@dataclass(frozen=True, slots=True)
class Rest:
    """No call for `for_s` after a conversation, or after an abandoned call. `unless_agent`: a mode that guarantees an
    agent may."""

    source: Source
    scope: Scope
    after: Literal["conversation", "abandoned"]
    for_s: float
    unless_agent: bool = False


@dataclass(frozen=True, slots=True)
class Window:
    """Over what the abandonment ratio is taken: successive stretches of `length_s` from the campaign's start, or the
    calendar days of `time_zone`."""

    kind: Literal["successive", "day"]
    length_s: float = 86_400.0
    time_zone: str = "UTC"


@dataclass(frozen=True, slots=True)
class Abandonment:
    """Abandoned ÷ live answers, per campaign and window, at most `most`."""

    source: Source
    scope: Scope
    most: Fraction
    window: Window


@dataclass(frozen=True, slots=True)
class Ring:
    """A ringing attempt is not cancelled before so long."""

    source: Source
    scope: Scope
    least_s: float


@dataclass(frozen=True, slots=True)
class AgentWithin:
    """Who answered has an agent within so long, or is abandoned."""

    source: Source
    scope: Scope
    within_s: float
    since: Literal["greeting_end", "answer"] = "greeting_end"


@dataclass(frozen=True, slots=True)
class Drop:
    """What may be done with who is abandoned. `opt_out`: the message offers a key not to be called again."""

    source: Source
    scope: Scope
    allowed: frozenset[DropAction]
    opt_out: bool = False


@dataclass(frozen=True, slots=True)
class BasisNeeded:
    """The grounds on which one may call. `consent_age_s`: an older consent has to be renewed. `proof`: consent counts
    only with a record of it."""

    source: Source
    scope: Scope
    any_of: frozenset[Basis]
    consent_age_s: float | None = None
    proof: bool = False


@dataclass(frozen=True, slots=True)
class ListsNeeded:
    """Do-not-call lists that must be at hand, no older than `max_age_s`. `unless`: bases that go before a listing."""

    source: Source
    scope: Scope
    lists: tuple[str, ...]
    max_age_s: float
    unless: frozenset[Basis] = frozenset()


@dataclass(frozen=True, slots=True)
class Identity:
    """What number the called party sees. `prefixes`: it begins with one of these (E.164), when there are any."""

    source: Source
    scope: Scope
    shown: bool = True
    no_mobile: bool = False
    prefixes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Duty:
    """What no machine can check: words an agent says, records a company keeps. `says`: by language, `` where the pack
    names none."""

    source: Source
    scope: Scope
    says: Mapping[str, str]

    def said(self, language: str) -> str:
        """In that language, else in the one that the pack is written in."""
        return self.says.get(language) or next(iter(self.says.values()), "")


Rule: TypeAlias = (
    Hours | Cap | Rest | Abandonment | Ring | AgentWithin | Drop | BasisNeeded | ListsNeeded | Identity | Duty
)


@dataclass(frozen=True, slots=True)
class RulePack:
    """`countries` empty: for numbers anywhere. `review_by`: when somebody must compare it with the law again."""

    pack: str
    title: str
    countries: frozenset[str]
    rules: tuple[Rule, ...] = field(default=())
