"""What a campaign manager writes: `config/campaigns/*.yaml`. `loader.py` makes a `CampaignSetup` of it.

Field descriptions are what an editor shows while one types. Lengths carry their unit (`10m`, `4h`, `30d`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, WithJsonSchema, field_validator, model_validator

from core.attempt import AttemptState
from definitions.faults import Faults, did_you_mean, fault
from definitions.fields import country, read_flag, typed
from definitions.models import Count, Definition, Flag, LanguageTag, Name, Seconds, Text, Variable
from dialer.compliance.fields import Hours, Length, ModeName, Percent, PurposeName
from dialer.compliance.numbers import never_dialed
from dialer.compliance.rules import Mode
from dialer.pacing import METHODS
from dialer.setup import RETRIES
from dialer.written_form import Appointments, FormEntry, Promises, Titles, check_form
from dialer.written_scripts import ScriptTest, check_test

_RATE = re.compile(r"[0-9]{1,4}(\.[0-9]{1,3})?")
_LISTS_SCHEMA = {
    "anyOf": [
        {"type": "array", "items": {"type": "string"}},
        {"type": "object", "additionalProperties": {"type": "integer", "minimum": 1, "maximum": 1000}},
    ]
}
_WITH_AGENTS = frozenset({Mode.PREVIEW, Mode.PROGRESSIVE, Mode.POWER, Mode.PREDICTIVE, Mode.MANUAL})
CAMPAIGN_MODES = frozenset({*_WITH_AGENTS, Mode.AGENTLESS})


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


def _screen(value: Any) -> str:
    if isinstance(value, str) and value.strip() == "bridge_first":
        return "bridge_first"
    try:
        return "yes" if read_flag(value) else "no"
    except ValueError:
        raise fault(f"'{str(value)[:40]}' is no way to screen", "write yes, no or bridge_first") from None


Screen = Annotated[
    Literal["no", "yes", "bridge_first"],
    BeforeValidator(_screen),
    WithJsonSchema({"anyOf": [{"type": "boolean"}, {"enum": ["yes", "no", "sí", "bridge_first"]}]}),
]
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


class Drop(Definition):
    """What who answered meets when nobody is there for her in time."""

    action: Literal["message", "hang_up", "queue", "flow"] = "message"
    flow: Name | None = None
    """The flow that speaks the message, with a key not to be called again."""


class Machine(Definition):
    """What an answering machine gets."""

    action: Literal["hang_up", "message"] = "hang_up"
    """message: the flow speaks after the beep; where the law lets no message be left, it is hung up on."""
    flow: Name | None = None
    """The flow that speaks the message, and then hangs up."""
    beep_within_s: Annotated[Seconds, Field(ge=2, le=40)] = 30.0
    """So long its greeting is listened to for a beep; silence after the greeting counts as one."""
    no_beep: Literal["hang_up", "message"] = "hang_up"
    """When neither came: message leaves it all the same."""

    @model_validator(mode="before")
    @classmethod
    def _short_form(cls, value: Any) -> Any:
        """`on_machine: hang_up` is `on_machine: {action: hang_up}`."""
        return {"action": value} if isinstance(value, str) else value

    @model_validator(mode="after")
    def _speaks(self) -> Machine:
        if self.action == "message" and self.flow is None:
            raise fault("the message has no flow", "name it: on_machine: {action: message, flow: …}")
        return self


class Reviewed(Definition):
    """What listening to a sample of calls taken for machines has shown; the law counts with the worst it may mean."""

    sample: Count = 0
    """So many were listened to, taken at random."""
    people: Count = 0
    """So many of them were people."""

    @model_validator(mode="after")
    def _within(self) -> Reviewed:
        if self.people > self.sample:
            raise fault(f"{self.people} people in a sample of {self.sample}", "people are counted within the sample")
        return self


class RetryRule(Definition):
    """Another try after an outcome."""

    after: Length = 3600.0
    """No sooner than so long: 10m, 4h, 1d."""
    most: Count = 3
    """When it has happened so often, no more is tried."""
    number: Literal["next", "same"] = "next"
    """The lead's next number, or the same."""
    best_hour: Flag = False
    """Within a day of `after`, at an hour at which people of this campaign are reached and she was not missed."""

    @model_validator(mode="before")
    @classmethod
    def _short_form(cls, value: Any) -> Any:
        """`busy: never` is `busy: {most: 0}`."""
        return {"most": 0} if value == "never" else value


class Caps(Definition):
    """The campaign's own limits of attempts, beside the law's."""

    day: Count | None = None
    """Of one lead, in any 24 hours."""
    week: Count | None = None
    """Of one lead, in any seven days."""
    ever: Count | None = None
    """Of one lead."""
    number_day: Count | None = None
    """Of one number, in any 24 hours, over all campaigns."""


class QuotaRule(Definition):
    """No more once so many ended so."""

    name: Name
    result: Text
    """A disposition (`sold`, `sold/new`) or an outcome (`completed`)."""
    most: Annotated[Count, Field(ge=1)]
    field: Text = ""
    """Only leads whose field …"""
    value: Text = ""
    """… has this value; they alone are held back then. Else the campaign drains."""


class AfterRule(Definition):
    """What follows a disposition."""

    then: Literal["finish", "retry", "callback", "do_not_call", "wrong_number", "promise", "appointment"] = "finish"
    """promise: she is dialed again after the day she promised to pay by; appointment: she is reminded before it."""
    after: Length = 86_400.0
    """Of a retry, and of a callback, promise or appointment for which the agent gave no time."""
    means: Literal["person", "machine"] = "person"
    """machine: the agent met an answering machine: that measures the detector, and is no live answer."""
    date: Name | None = None
    """The field of the form with the day of the promise, or the hour of the appointment."""
    amount: Name | None = None
    """The field of the form with the sum."""

    @model_validator(mode="before")
    @classmethod
    def _short_form(cls, value: Any) -> Any:
        """`sold: finish` is `sold: {then: finish}`."""
        return {"then": value} if isinstance(value, str) else value

    @model_validator(mode="after")
    def _says_when(self) -> AfterRule:
        dated = self.then in ("promise", "appointment")
        if dated and self.date is None:
            raise fault(f"nothing says when the {self.then} is", "name the field of the form: date: …")
        if not dated and (self.date or self.amount):
            raise fault("a date and an amount are those of a promise", "write then: promise, or then: appointment")
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


class Callbacks(Definition):
    """Calls that were promised."""

    wait: Length = 900.0
    """A personal one waits so long for its agent; then it is anybody's."""


class Hook(Definition):
    """An address that is told how attempts and leads end. Its host has to stand in config/http.yaml."""

    url: Annotated[Text, Field(pattern=r"^https?://[^/\s]+")]
    on: tuple[Text, ...] = ()
    """Outcomes and dispositions; all, when left out."""


def _outcomes(value: Mapping[str, Any]) -> Mapping[str, Any]:
    faults = Faults()
    for name in value:
        if name not in RETRIES:
            faults.add(
                (name,), f"there is no outcome '{name}'", did_you_mean(name, RETRIES, what="outcomes"), at_key=True
            )
    faults.raise_any()
    return value


class Campaign(Definition):
    """`config/campaigns/*.yaml`: whom to call, why, how, and what follows. Whether it runs is not written here: it is
    started by `centralita campaign start`, or at the desk."""

    campaign: Name
    """Its name: the file's."""
    title: Text = ""
    note: Text = ""
    mode: ModeName
    """preview, progressive, power, predictive: agents talk; agentless: a flow does; manual: agents dial themselves."""
    purpose: PurposeName
    """What it calls for; the law depends on it."""
    packs: tuple[Name, ...] = Field(min_length=1)
    """Rule packs of config/compliance/; the strictest rule wins."""
    lists: Annotated[Mapping[Name, Annotated[Count, Field(ge=1, le=1000)]], WithJsonSchema(_LISTS_SCHEMA)] = Field(
        default_factory=dict
    )
    """Lists and their weights: {customers: 3, prospects: 1}; or [customers]."""
    queue: Name | None = None
    """Whose agents talk to them."""
    skills: Text = ""
    """Asked of the agent beside what the queue asks."""
    flow: Name | None = None
    """Agentless: what they hear."""
    language: LanguageTag | None = None
    """Of leads whose list says none; the site's first, when left out."""
    caller_ids: tuple[CallerIdPool, ...] = ()
    drop: Drop = Drop()
    on_machine: Machine = Machine()
    """What an answering machine gets."""
    screen: Screen = "no"
    """yes: a detector listens first whether a person answered; bridge_first: while an agent hears her already, and a
    machine is taken away from the agent."""
    machines_reviewed: Reviewed = Reviewed()
    """How many of the calls taken for machines were people, by a sample: {sample: 400, people: 1}."""
    ring_s: Annotated[Seconds, Field(ge=5, le=120)] = 30.0
    agent_within_s: Annotated[Seconds, Field(le=10)] = 2.0
    """Who answered is abandoned when nobody is there so soon; the law may ask for less."""
    hours: Hours | None = None
    """When people may be called, by their own clock, within what the law allows: {mon-fri: 9:30-20:00}."""
    calendar: Name | None = None
    """One of config/calendars/: outside of it nobody is dialed."""
    retry: Mapping[Name, RetryRule] = Field(default_factory=dict)
    """By outcome: busy, no_answer, failed, machine, message_left, abandoned, customer_hung_up, cancelled, invalid,
    fax."""
    caps: Caps = Caps()
    quotas: tuple[QuotaRule, ...] = ()
    dispositions: Mapping[Text, AfterRule] = Field(default_factory=dict)
    """By disposition, a group (`sold`) or a choice (`sold/new`): what follows for the lead. Others finish it."""
    priority: Annotated[Count, Field(le=1000)] = 0
    """Of campaigns with the same agents, the highest has them first."""
    weight: Annotated[Count, Field(ge=1, le=1000)] = 1
    """Of campaigns with the same agents and priority: its share."""
    queue_priority: Annotated[Count, Field(le=1000)] = 0
    """Added to the priority of who answered, in the queue."""
    pacing: Pacing = Pacing()
    preview: Preview = Preview()
    callbacks: Callbacks = Callbacks()
    promises: Promises = Promises()
    appointments: Appointments = Appointments()
    script: Titles = ""
    """What agents say; their page shows it."""
    script_test: ScriptTest | None = None
    """Instead of `script`: several, and which of them serves better."""
    form: tuple[FormEntry, ...] = ()
    variables: Mapping[Variable, Text] = Field(default_factory=dict)
    """What its flows know beside the lead's fields: {company: Acme}."""
    webhooks: tuple[Hook, ...] = ()

    @field_validator("lists", mode="before")
    @classmethod
    def _lists(cls, value: Any) -> Any:
        return dict.fromkeys(value, 1) if isinstance(value, list | tuple) else value

    @field_validator("retry", mode="after")
    @classmethod
    def _known_outcomes(cls, value: Mapping[str, RetryRule]) -> Mapping[str, RetryRule]:
        return _outcomes(value)

    @model_validator(mode="after")
    def _fits(self) -> Campaign:
        faults = Faults()
        if self.mode not in CAMPAIGN_MODES:
            names = sorted(mode.value for mode in CAMPAIGN_MODES)
            faults.add(("mode",), f"a campaign cannot be in mode {self.mode.value}", f"modes: {', '.join(names)}")
        elif self.mode is Mode.AGENTLESS and self.flow is None:
            faults.add(("mode",), "an agentless campaign has no flow", "name the flow they hear: `flow: …`")
        elif self.mode is not Mode.AGENTLESS and self.queue is None:
            faults.add(("mode",), f"a {self.mode.value} campaign has no queue", "name whose agents talk: `queue: …`")
        if self.mode is Mode.AGENTLESS and self.queue is not None:
            faults.add(("queue",), "an agentless campaign has no agents", "take out `queue`; its flow may lead to one")
        if self.mode is not Mode.AGENTLESS and self.flow is not None:
            faults.add(("flow",), "agents talk in this mode, no flow does", "take out `flow`, or write mode: agentless")
        if self.mode is Mode.AGENTLESS and not (self.pacing.max_lines or self.pacing.calls_per_second):
            what = "nothing says how fast it calls"
            faults.add(("pacing",), what, "write pacing: {max_lines: 10} or {calls_per_second: 1}", at_key=True)
        if self.mode is not Mode.MANUAL and not self.lists:
            faults.add(("lists",), "it has no list", "name at least one: `lists: [customers]`", at_key=True)
        method = self.pacing.method
        if method is not None and method not in METHODS:
            hint = did_you_mean(method, METHODS, what="methods")
            faults.add(("pacing", "method"), f"there is no pacing method '{method}'", hint)
        if (
            self.drop.action in ("message", "flow")
            and self.drop.flow is None
            and self.mode in _WITH_AGENTS - {Mode.MANUAL}
        ):
            faults.add(
                ("drop",), f"the drop action '{self.drop.action}' has no flow", "name it: drop: {flow: …}", at_key=True
            )
        if self.on_machine.action == "message" and self.screen == "no":
            what = "nobody would know that it is a machine"
            faults.add(("on_machine",), what, "write `screen: yes` beside it", at_key=True)
        if self.screen == "bridge_first" and self.mode is Mode.AGENTLESS:
            faults.add(("screen",), "there is no agent to hear anybody first", "write `screen: yes`")
        names = [quota.name for quota in self.quotas]
        for index, name in enumerate(names):
            if name in names[:index]:
                faults.add(("quotas", index, "name"), f"two quotas are called '{name}'", "they are counted by name")
        check_form(self.form, self.dispositions, faults)
        if self.script_test is not None:
            check_test(self.script_test, self.script, self.mode is Mode.AGENTLESS, faults)
        faults.raise_any("Campaign")
        return self


METHOD_OF: Mapping[Mode, str] = {
    Mode.PREVIEW: "preview",
    Mode.PROGRESSIVE: "progressive",
    Mode.POWER: "ratio",
    Mode.PREDICTIVE: "predictive",
    Mode.AGENTLESS: "progressive",
    Mode.MANUAL: "preview",
}
"""What paces a campaign that names no method."""
OUTCOMES = frozenset(state.value for state in AttemptState if state.is_over)
