"""What a campaign manager writes: `config/campaigns/*.yaml`. `loader.py` makes a `CampaignSetup` of it.

Field descriptions are what an editor shows while one types. Lengths carry their unit (`10m`, `4h`, `30d`). The parts of
a campaign are beside this file: `written_dialing`, `written_answers`, `written_outcomes`, `written_form`,
`written_scripts`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field, WithJsonSchema, field_validator, model_validator

from core.attempt import AttemptState
from definitions.faults import Faults, did_you_mean
from definitions.models import Count, Definition, LanguageTag, Name, Seconds, Text, Variable
from dialer.compliance.fields import Hours, ModeName, PurposeName
from dialer.compliance.rules import Mode
from dialer.pacing import METHODS
from dialer.written_answers import Drop, Machine, Reviewed, Screen
from dialer.written_dialing import CallerIdPool, Pacing, Preview
from dialer.written_form import Appointments, FormEntry, Promises, Titles, check_form
from dialer.written_outcomes import AfterRule, Callbacks, Caps, Hook, QuotaRule, RetryRule, known_outcomes
from dialer.written_scripts import ScriptTest, check_test

_LISTS_SCHEMA = {
    "anyOf": [
        {"type": "array", "items": {"type": "string"}},
        {"type": "object", "additionalProperties": {"type": "integer", "minimum": 1, "maximum": 1000}},
    ]
}
_WITH_AGENTS = frozenset({Mode.PREVIEW, Mode.PROGRESSIVE, Mode.POWER, Mode.PREDICTIVE, Mode.MANUAL})
CAMPAIGN_MODES = frozenset({*_WITH_AGENTS, Mode.AGENTLESS})


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
    """By disposition, a group (`sold`) or a choice (`sold/new`): what follows for the lead. Others finish it. Of an
    agentless campaign: what the flow's nodes `disposition` say."""
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
        return known_outcomes(value)

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
