"""What admins write about queues, skills, agents, dispositions and reasons not to be ready: one model a file.

Field descriptions are what an editor shows while one types. `acd/loader.py` checks them together and makes a `Setup`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, WithJsonSchema, field_validator, model_validator

from acd.setup import CHANNELS
from definitions.faults import Faults, did_you_mean, fault
from definitions.fields import typed
from definitions.models import Count, Definition, Digits, Flag, LanguageTag, LongSeconds, Name, Seconds, Text

MOST_LEVEL = 10
NOT_GIVEN = "not_given"
"""What stands where an agent gave no disposition: nobody may call one so."""
_SKILL = re.compile(r"[a-z][a-z0-9_]*(\.[a-z0-9_]+)*")
_OPERATORS = frozenset({"and", "or", "not", "true", "false"})


def _skill_name(value: Any) -> str:
    text = typed(value, "a skill")
    if not _SKILL.fullmatch(text) or len(text) > 60:
        raise fault(f"'{text[:60]}' cannot be a skill", "use a-z, 0-9 and _, parts joined by dots: language.es")
    if text in _OPERATORS:
        raise fault(f"'{text}' is a word of the expressions themselves", "call the skill something else")
    return text


def _percent(value: Any) -> float:
    text = typed(value, "a percentage").removesuffix("%").strip()
    if not re.fullmatch(r"[0-9]{1,3}(\.[0-9]{1,4})?", text) or float(text) > 100:
        raise fault(f"'{text[:40]}' is no percentage", "write 0 to 100")
    return float(text)


def _number(value: Any) -> float:
    text = typed(value, "a number")
    if not re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,6})?", text):
        raise fault(f"'{text[:40]}' is not a number", "write 0, 1 or 0.5")
    return float(text)


SkillName = Annotated[
    str,
    BeforeValidator(_skill_name),
    WithJsonSchema({"type": "string", "pattern": r"^[a-z][a-z0-9_]*(\.[a-z0-9_]+)*$", "examples": ["language.es"]}),
]
Level = Annotated[Count, Field(ge=0, le=MOST_LEVEL)]
"""How well somebody can do something: 0 not at all, 10 nobody better."""
Percent = Annotated[
    float, BeforeValidator(_percent), WithJsonSchema({"type": ["number", "string"], "minimum": 0, "maximum": 100})
]
Weight = Annotated[float, BeforeValidator(_number), WithJsonSchema({"type": "number", "minimum": 0})]
Titles = Mapping[LanguageTag, Text] | Text
"""A text, or one for each language."""


class _Titled(Definition):
    """Something people choose from a list."""

    title: Titles = ""
    """What it is called: a text, or one for each language."""

    @model_validator(mode="before")
    @classmethod
    def _short_form(cls, value: Any) -> Any:
        """`billing: Facturas` is `billing: {title: Facturas}`; with nothing behind the colon it has no title."""
        if value is None:
            return {}
        return {"title": value} if isinstance(value, str) else value


# -- queues -----------------------------------------------------------------------------------------
class Relax(Definition):
    """From some wait on, other people may serve the caller too."""

    after_s: Annotated[Seconds, Field(gt=0)]
    """Seconds of waiting from which on this holds."""
    skills: Text = ""
    """The requirement from then on, instead of the queue's; nothing at all when left out."""
    priority: Count = 0
    """Added to the caller's priority from then on."""


class ServiceLevel(Definition):
    """What the queue promises itself: so many percent answered within so many seconds."""

    target: Annotated[Percent, Field(ge=1)] = 80.0
    """Percent."""
    within_s: Annotated[Seconds, Field(ge=1)] = 20.0
    short_abandon_s: Seconds = 5.0
    """Who hangs up sooner is counted apart."""
    variant: Literal["late_abandons_count", "all_abandons_count", "answered_only"] = "late_abandons_count"
    """Which abandoned calls count against it."""


class Announcements(Definition):
    """What who waits is told, and how often. The words stand under `prompts`."""

    first_s: Seconds = 10.0
    """Seconds before the first one."""
    every_s: Seconds = 0.0
    """Seconds between two; 0: none."""
    position: Flag = True
    """Tell the place in the queue."""
    ewt: Flag = True
    """Tell the expected wait."""
    comfort_every_s: Seconds = 0.0
    """Seconds between two comfort messages; 0: none."""

    @model_validator(mode="after")
    def _not_without_end(self) -> Announcements:
        faults = Faults()
        for name in ("every_s", "comfort_every_s"):
            if 0 < getattr(self, name) < 5:
                what = f"{name} is {getattr(self, name):g}: nobody could hear the music"
                faults.add((name,), what, "write 0, or 5 and more")
        faults.raise_any()
        return self


def _caller(value: Any) -> str:
    text = typed(value, "a number")
    if not re.fullmatch(r"\+[1-9][0-9]{6,14}", text):
        raise fault(f"'{text[:40]}' is no number to be seen", 'write it in full and in quotes: "+34911234567"')
    return text


class Callback(Definition):
    """How callers of the queue are called back at their place."""

    first: Literal["agent", "customer"] = "agent"
    """Who is called first: an agent, who waits for the customer; or the customer, when her turn is near."""
    calendar: Name | None = None
    """When customers may be called: a calendar of config/calendars/; always when left out."""
    attempts: Annotated[Count, Field(ge=1, le=20)] = 3
    """How often a customer is called at most."""
    retry_s: Annotated[Seconds, Field(ge=10)] = 300.0
    """How long after one who was not reached the next call may come."""
    ring_s: Annotated[Seconds, Field(ge=10, le=120)] = 30.0
    """How long her phone rings."""
    expiry_s: Annotated[LongSeconds, Field(ge=60)] = 86_400.0
    """How long the promise holds: longer than the calendar ever closes."""
    ahead_s: Annotated[Seconds, Field(le=600)] = 25.0
    """A customer who is called first is called when her turn is so near."""
    rule: Name | None = None
    """The rule of config/outbound.yaml that must allow the call; any rule when left out."""
    caller: Annotated[str, BeforeValidator(_caller)] | None = None
    """The number the customer sees; the one she called, when left out."""
    min_ewt_s: Seconds = 120.0
    """Waiting callers are told of the callback when so much of the wait is left. The key works at any time."""
    ring_back: Literal["confirmed", "either", "never"] = "confirmed"
    """Whoever rings us from this number has her place: the one she confirmed for the callback; either that or the one
    she had called from; or never, then she is called and who rings is a new caller. Numbers shown can be forged."""


class Queue(Definition):
    """`config/queues/*.yaml`: a place where callers wait for a person."""

    queue: Name
    """Its name: the file's, without `.yaml`."""
    title: Text = ""
    note: Text = ""
    """For whoever reads the file."""
    skills: Text = ""
    """Who may serve it: `language.es >= 3 and (billing >= 2 or vip)`; everybody when left out."""
    relax: tuple[Relax, ...] = ()
    """What else holds when somebody has waited long."""
    strategy: Name = "longest_idle"
    """Who of several free agents gets the caller."""
    strategy_options: Mapping[Name, Weight] = Field(default_factory=dict)
    priority: Annotated[Count, Field(le=1000)] = 0
    """Added to every caller's own."""
    ageing: Weight = 1.0
    """Points a second of waiting is worth; with 0 a caller may wait for ever."""
    value_weight: Weight = 0.0
    """Points each point of customer value (0 to 100) is worth."""
    service_level: ServiceLevel = ServiceLevel()
    ring_s: Annotated[Seconds, Field(ge=5, le=120)] = 20.0
    """How long a phone rings before the caller goes on to somebody else."""
    rona_after: Annotated[Count, Field(ge=1, le=20)] = 1
    """So many unanswered offers in a row make an agent not ready."""
    refused_again_s: Seconds = 30.0
    """So long is a caller not offered again to who did not take the call."""
    patience_s: Seconds = 15.0
    """How long a caller waits for her preferred agent alone."""
    wrap_up_s: Annotated[Seconds, Field(le=3600)] = 30.0
    """Time to write down what was said; 0: none."""
    wrap_up_extend_s: Annotated[Seconds, Field(le=3600)] = 60.0
    """The most an agent may add to it."""
    dispositions: Name | None = None
    """A tree of config/dispositions.yaml: what came of the conversation."""
    disposition_required: Flag = False
    """Without one, wrap-up ends as `not_given`, and reports say so."""
    max_waiting: Count = 0
    """Who comes when so many wait leaves by `full`; 0: no limit."""
    max_wait_s: Seconds = 0.0
    """Who waited so long goes to `overflow_to`, or leaves by `overflowed`; 0: no limit."""
    no_agents: Literal["leave", "wait"] = "leave"
    """When nobody who could ever serve the caller is logged in."""
    overflow_to: Name | None = None
    """The queue that gets who waited `max_wait_s`, waited time included."""
    fallback: Name | None = None
    """The queue that gets who still waits here when this file is removed."""
    calendar: Name | None = None
    """Opening hours: a calendar of config/calendars/; always open when left out."""
    announcements: Announcements = Announcements()
    auto_answer: Flag = False
    """Ask the agent's phone to answer by itself."""
    music: Name = "default"
    """What who waits hears, by class of music on hold."""
    record_percent: Percent = 0.0
    """How many of its conversations are recorded."""
    callback: Callback | None = None
    """Callers may hang up and be called back at their place."""
    script: Titles = ""
    """What agents say; shown beside the conversation: a text, or one for each language."""

    @model_validator(mode="after")
    def _makes_sense(self) -> Queue:
        faults = Faults()
        waits = [step.after_s for step in self.relax]
        if waits != sorted(set(waits)):
            hint = "write them by `after_s`, each later than the last"
            faults.add(("relax",), "the steps of `relax` are not in order", hint)
        if self.overflow_to and not self.max_wait_s:
            what = "overflow_to has no wait after which it happens"
            faults.add(("overflow_to",), what, "add `max_wait_s: 300`")
        if self.disposition_required and not self.dispositions:
            what = "a disposition is required and there are none"
            faults.add(("disposition_required",), what, "name a tree: `dispositions: …`")
        faults.raise_any()
        return self


# -- skills -----------------------------------------------------------------------------------------
class Skill(_Titled):
    """Something agents can do, with levels from 0 to 10."""


class Skills(Definition):
    """`config/skills.yaml`: everything agents may be able to do."""

    skills: Mapping[SkillName, Skill] = Field(default_factory=dict)


# -- agents -----------------------------------------------------------------------------------------
def _agent_pin(value: Any) -> str:
    text = typed(value, "a PIN")
    if not re.fullmatch(r"[0-9]{4,16}|secret:[a-z0-9][a-z0-9_-]{0,39}", text):
        raise fault("this is no PIN", "write secret:NAME for a generated one, or 4 to 16 digits")
    return text


class Agent(Definition):
    """A person who answers."""

    name: Text = ""
    code: Digits | None = None
    """What she keys at any phone to say who she is; digits."""
    pin: Annotated[str, BeforeValidator(_agent_pin)] | None = None
    """`secret:NAME` for a generated one, or digits; without one she logs in at her own phone alone."""
    device: Name | None = None
    """Her own phone; without one she says where she sits when she logs in."""
    skills: Mapping[SkillName, Level] = Field(default_factory=dict)
    queues: tuple[Name, ...] | Literal["all"] = "all"
    """The queues she serves."""
    languages: tuple[LanguageTag, ...] = ()
    """What she speaks; pages and whispers are in the first."""
    capacity: Annotated[Count, Field(ge=1, le=1000)] = 100
    """Units of work at a time: by itself a call takes 100, a chat 25, an email 10."""
    units: Mapping[Name, Annotated[Count, Field(ge=1, le=1000)]] = Field(default_factory=dict)
    """What one contact of a channel takes of her, where it differs."""
    auto_answer: Flag = False
    """Her phone answers by itself."""
    rest_s: Annotated[Seconds, Field(le=3600)] | None = None
    """Rest between two contacts, where it differs from the site's."""
    supervises: Flag = False
    """She may listen to the conversations of others from a phone, whisper, barge in and take over: *46."""

    @field_validator("queues", mode="before")
    @classmethod
    def _all(cls, value: Any) -> Any:
        return [value] if isinstance(value, str) and value != "all" else value


class Agents(Definition):
    """`config/agents.yaml`: who answers. `config/agents.csv` may name others."""

    agents: Mapping[Name, Agent | None] = Field(default_factory=dict)


# -- dispositions -----------------------------------------------------------------------------------
class Choice(_Titled):
    """What came of a conversation. With `choices` it is a group, and only what is in it can be chosen."""

    digits: Digits | None = None
    """How it is keyed at a phone."""
    choices: Mapping[Name, Choice] = Field(default_factory=dict)

    def leaves(self, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Choice]]:
        """Everything in it and itself, with its path, in the order of the file."""
        yield path, self
        for name, choice in self.choices.items():
            yield from choice.leaves((*path, name))


class Dispositions(Definition):
    """`config/dispositions.yaml`: trees by name; a queue says which one is its own."""

    dispositions: Mapping[Name, Mapping[Name, Choice]] = Field(default_factory=dict)


# -- not ready --------------------------------------------------------------------------------------
class Reason(_Titled):
    """Why an agent takes no calls."""

    digits: Digits | None = None
    """How it is keyed at a phone."""
    paid: Flag = True
    """For reports."""
    limit_s: Seconds = 0.0
    """Longer than this and supervisors are told; 0: no limit."""
    per_hour_s: Annotated[Seconds, Field(le=3600)] = 0.0
    """So much of it is due for each hour worked, as for a screen break."""
    chosen: Flag = True
    """`no`: only the system gives it."""


class NotReady(Definition):
    """`config/not_ready.yaml`: the reasons an agent may give, and those the system gives."""

    reasons: Mapping[Name, Reason] = Field(default_factory=dict)


# -- the site's part ----------------------------------------------------------------------------------
class ChannelRule(Definition):
    """What a contact of one channel takes of an agent, and what it may interrupt."""

    units: Annotated[Count, Field(ge=1, le=1000)] | None = None
    interrupts: tuple[Name, ...] | None = None
    """Channels whose contacts do not keep an agent from being offered one of this."""


class Routing(Definition):
    """What holds for every queue and agent of the installation."""

    rest_s: Annotated[Seconds, Field(le=3600)] = 0.0
    """The least rest of an agent between two contacts."""
    channels: Mapping[Name, ChannelRule] = Field(default_factory=dict)
    """call, chat, email or a channel of a plugin."""
    removed_queues: Mapping[Name, Name] = Field(default_factory=dict)
    """A queue that no longer exists -> the queue that takes who still waits in it."""

    @model_validator(mode="after")
    def _known(self) -> Routing:
        known = {*CHANNELS, *self.channels}
        faults = Faults()
        for name, rule in self.channels.items():
            for index, other in enumerate(rule.interrupts or ()):
                if other not in known:
                    place = ("channels", name, "interrupts", index)
                    faults.add(place, f"'{other}' is no channel", did_you_mean(other, known, what="channels"))
        faults.raise_any()
        return self
