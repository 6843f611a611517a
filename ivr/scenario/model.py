"""Scenarios as written in `flows/<flow>.test.yaml`.

flow: reception
given: {called: "100", timezone: Europe/Madrid}          # for every test; each may say otherwise
tests:
  - name: a caller picks sales in Spanish
    given:
      caller: "+34911234567"
      time: "2026-03-10 11:00"
      http: [{url: "https://crm.example/*", reply: {status: 200, json: {name: Ana}}}]
      queue: {sales: answered}
    steps:
      - press: "1"                # after hearing what is being said
      - {press: "2", early: yes}  # at once, cutting it short
      - hears: "Bienvenido"       # by now; as `heard` below, but between what she does
      - silence: 6                # seconds, after hearing
      - hang up
    expect:
      heard: ["Bienvenido a Acme", {sound: vm-intro}]     # in this order, each a part of what is said
      not_heard: ["error"]
      reached: [welcome, main, sales]                     # in this order; `path: exact`: no others
      variables: {choice: "1"}
      commands: [{JoinQueue: {queue: sales}}]
      ended: completed
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, field_validator, model_validator

from core.commands import COMMAND_TYPES
from definitions.faults import Faults, did_you_mean, fault
from definitions.models import Definition, Digits, Flag, LanguageTag, Name, Seconds, Text, Variable
from ivr.scenario.given import GivenModel


# -- heard ------------------------------------------------------------------------------------------
class HeardModel(Definition):
    """A part of what is said in one prompt: words, a sound, a signal, or her own recording."""

    say: Text | None = None
    sound: Text | None = None
    tone: Text | None = None
    recording: Flag = False

    @model_validator(mode="before")
    @classmethod
    def _short_form(cls, value: object) -> object:
        return {"say": value} if isinstance(value, str) else value

    @model_validator(mode="after")
    def _one_thing(self) -> HeardModel:
        if sum((self.say is not None, self.sound is not None, self.tone is not None, self.recording)) != 1:
            raise fault("this names no one thing to hear", "write a text, {sound: name} or {tone: beep}")
        return self

    def words(self) -> str:
        """As the transcript shows it."""
        if self.say is not None:
            return self.say
        if self.recording:
            return "(the recording)"
        return f"♪ {self.sound}" if self.sound is not None else f"({self.tone})"


# -- steps -------------------------------------------------------------------------------------------
class Step(Definition):
    """One thing the caller does, after hearing what is being said; `early`: at once; `after_s`: after that long.
    `hears` is what she must have heard by then, since the last such step."""

    hears: Sequence[HeardModel] = ()
    press: Digits | None = None
    silence: Seconds | None = None
    hang_up: Flag = Field(default=False, alias="hang up")
    listen: Flag = False
    restart: Flag = False
    """The engine dies and comes back."""
    early: Flag = False
    after_s: Seconds | None = None

    @model_validator(mode="before")
    @classmethod
    def _short_form(cls, value: object) -> object:
        if value in ("hang up", "hang_up", "hangup"):
            return {"hang up": "yes"}
        return {value: "yes"} if value in ("listen", "restart") else value

    @field_validator("hears", mode="before")
    @classmethod
    def _one_or_more(cls, value: object) -> object:
        return [value] if isinstance(value, str | Mapping) else value

    @model_validator(mode="after")
    def _one_thing(self) -> Step:
        given = (self.press is not None, self.silence is not None, bool(self.hears))
        if sum((*given, self.hang_up, self.listen, self.restart)) != 1:
            hint = 'write `press: "1"`, `silence: 6`, `hears: "Welcome"`, `hang up`, `listen` or `restart`'
            raise fault("a step is one thing the caller does", hint)
        return self


# -- expect ------------------------------------------------------------------------------------------
def _commands(value: Any) -> Any:
    if not isinstance(value, list | tuple):
        raise fault("a list of commands belongs here", "write [{JoinQueue: {queue: sales}}]")
    faults = Faults()
    for index, item in enumerate(value):
        if isinstance(item, str):
            item = {item: {}}
        if not isinstance(item, Mapping) or len(item) != 1:
            faults.add((index,), "this is not one command", "write {JoinQueue: {queue: sales}}")
            continue
        name, wanted = next(iter(item.items()))
        kind = COMMAND_TYPES.get(name)
        if kind is None:
            faults.add((index, name), f"there is no command '{name}'", did_you_mean(name, COMMAND_TYPES))
            continue
        known = [field.name for field in fields(kind)]
        for key in wanted or {}:
            if key not in known:
                faults.add((index, name, key), f"{name} has no '{key}'", did_you_mean(key, known))
    faults.raise_any("commands")
    return [{item: {}} if isinstance(item, str) else item for item in value]


class Expect(Definition):
    """What must have happened. Whatever is not mentioned is free."""

    heard: Sequence[HeardModel] = ()
    not_heard: Sequence[HeardModel] = ()
    reached: Sequence[Text] = ()
    not_reached: Sequence[Text] = ()
    path: Literal["in_order", "exact"] = "in_order"
    variables: Mapping[Variable, Text] = {}
    commands: Annotated[Sequence[Mapping[str, Any]], BeforeValidator(_commands)] = ()
    language: LanguageTag | None = None
    ended: Literal["completed", "caller_hung_up", "refused", "error", "no"] | None = None
    """`no`: the call is still there."""


class ScenarioTest(Definition):
    """What she hears on the way may be all that is expected."""

    name: Text
    given: GivenModel = Field(default_factory=GivenModel)
    steps: Sequence[Step] = ()
    expect: Expect = Field(default_factory=Expect)

    @model_validator(mode="after")
    def _expects_something(self) -> ScenarioTest:
        if "expect" not in self.model_fields_set and not any(step.hears for step in self.steps):
            raise fault("this test expects nothing", 'add `expect:`, or steps like `hears: "Welcome"`')
        return self


class ScenarioFile(Definition):
    """Tests of one flow, beside it."""

    flow: Name
    note: Text = ""
    given: GivenModel = Field(default_factory=GivenModel)
    tests: Sequence[ScenarioTest] = Field(min_length=1)

    @field_validator("tests", mode="after")
    @classmethod
    def _names(cls, tests: Sequence[ScenarioTest]) -> Sequence[ScenarioTest]:
        faults = Faults()
        for index, test in enumerate(tests):
            if any(other.name == test.name for other in tests[:index]):
                faults.add((index, "name"), f"two tests are called '{test.name}'", "give each its own name")
        faults.raise_any("tests")
        return tests
