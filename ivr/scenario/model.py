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

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import BeforeValidator, Field, WithJsonSchema, field_validator, model_validator

from core.commands import COMMAND_TYPES, PhoneAction
from definitions.faults import Faults, did_you_mean, fault
from definitions.fields import typed
from definitions.models import Count, Definition, Digits, Flag, LanguageTag, Name, Seconds, Text, Variable
from ivr.scenario.promises import HTTP_S, QUEUE_S, TRANSFER_S

DEFAULT_TIME = "2026-03-10 11:00"
"""A Tuesday."""
_TIME = re.compile(r"\d{4}-\d{2}-\d{2}[ T]\d{1,2}:\d{2}(:\d{2})?")


def _time(value: Any) -> str:
    text = typed(value, "a date and time")
    if not _TIME.fullmatch(text):
        raise fault(f"'{text[:40]}' is not a date and time", "write it like 2026-03-10 11:00")
    try:
        dt.datetime.fromisoformat(_padded(text))
    except ValueError:
        raise fault(f"there is no {text}", "write it like 2026-03-10 11:00") from None
    return text


def _padded(text: str) -> str:
    date, _, time = text.replace("T", " ").partition(" ")
    return f"{date} {time.zfill(8 if time.count(':') == 2 else 5)}"


def _zone(value: Any) -> str:
    text = typed(value, "a time zone")
    try:
        ZoneInfo(text)
    except (KeyError, ValueError, OSError):
        raise fault(f"'{text[:40]}' is not a time zone", "write one like Europe/Madrid") from None
    return text


Moment = Annotated[str, BeforeValidator(_time), WithJsonSchema({"type": "string", "examples": [DEFAULT_TIME]})]
Zone = Annotated[str, BeforeValidator(_zone), WithJsonSchema({"type": "string", "examples": ["Europe/Madrid"]})]


# -- given -------------------------------------------------------------------------------------------
class Reply(Definition):
    """What a web address answers. `error` instead: nobody answers."""

    status: Count = 200
    json_body: Any = Field(default=None, alias="json")
    error: Text = ""
    after_s: Seconds = HTTP_S


class Web(Definition):
    """`url` may hold `*` for anything. Of several that fit, each is used once and the last for ever."""

    url: Text
    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"] | None = None
    reply: Reply


class _Outcome(Definition):
    @model_validator(mode="before")
    @classmethod
    def _short_form(cls, value: object) -> object:
        return {"outcome": value} if isinstance(value, str) else value


class QueueOutcome(_Outcome):
    """How the stay ends, and after how many seconds."""

    outcome: Literal[
        "answered",
        "abandoned",
        "callback",
        "voicemail",
        "left_by_key",
        "overflowed",
        "closed",
        "lost",
        "no_agents",
        "full",
    ]
    after_s: Seconds = QUEUE_S


class QueueNow(Definition):
    """What a queue says of itself."""

    status: Literal["open", "closed", "no_agents"] = "open"
    waiting: Count = 0
    ewt_s: Seconds = 0.0
    longest_wait_s: Seconds = 0.0
    agents_ready: Count = 0
    agents_logged_in: Count = 1
    """0 when the status is `no_agents`."""

    @model_validator(mode="before")
    @classmethod
    def _short_form(cls, value: object) -> object:
        return {"status": value} if isinstance(value, str) else value


class AgentSays(Definition):
    """What an agent's request comes to. `refused`: no, and why in words. `values`: what is known of her."""

    refused: Text | None = None
    values: Mapping[Name, Text] = {}

    @model_validator(mode="before")
    @classmethod
    def _short_form(cls, value: object) -> object:
        """`ok`, `refused`, or the words of a refusal."""
        if isinstance(value, str):
            return {} if value == "ok" else {"refused": value}
        return value


_SAYS_SCHEMA: dict[str, Any] = {
    "anyOf": [
        {"type": "string", "examples": ["ok", "refused"]},
        {
            "type": "object",
            "properties": {
                "refused": {"type": "string"},
                "values": {"type": "object", "additionalProperties": {"type": ["string", "number"]}},
            },
            "additionalProperties": False,
        },
    ]
}


def _once_or_more(value: Any) -> Any:
    return value if isinstance(value, list | tuple) else [value]


AgentReplies = Annotated[
    Sequence[AgentSays],
    BeforeValidator(_once_or_more),
    WithJsonSchema({"anyOf": [*_SAYS_SCHEMA["anyOf"], {"type": "array", "items": _SAYS_SCHEMA}]}),
]


class TransferOutcome(_Outcome):
    outcome: Literal["answered", "busy", "no_answer", "refused", "failed"]
    after_s: Seconds = TRANSFER_S


class Message(Definition):
    """What the caller says: how long, the closing silence included, and what ends it."""

    duration_s: Seconds
    ended_by: Literal["digit", "silence", "limit", "hangup"] = "silence"


def _command_names(value: Any) -> Any:
    faults = Faults()
    names = [value] if isinstance(value, str) else value
    for index, name in enumerate(names if isinstance(names, list | tuple) else ()):
        if name not in COMMAND_TYPES:
            faults.add((index,), f"there is no command '{name}'", did_you_mean(str(name), COMMAND_TYPES))
    faults.raise_any("rejected")
    return names


class GivenModel(Definition):
    """The circumstances. What is not given is ordinary: every queue and every phone answers."""

    caller: Text = "+34600000000"
    called: Text = "100"
    time: Moment = DEFAULT_TIME
    timezone: Zone = "UTC"
    language: LanguageTag | None = None
    variables: Mapping[Variable, Text] = {}
    toggles: Mapping[Name, Flag] = {}
    pins: Mapping[Name, Digits] = {}
    """What a flow asks for as `pin: secret:name`."""
    http: Sequence[Web] = ()
    queue: Mapping[Name, QueueOutcome] = {}
    queue_status: Mapping[Name, QueueNow] = {}
    agent: Mapping[PhoneAction, AgentReplies] = {}
    """What `agent` nodes ask for; of a list each is used once and the last for ever."""
    transfer: Mapping[Text, TransferOutcome] = {}
    record: Sequence[Message] = ()
    rejected: Annotated[Sequence[str], BeforeValidator(_command_names)] = ()
    """Commands that are not carried out: `[StartRecording]` is a full disk."""
    seed: Count = 0
    """What chance a `split` draws from."""

    @field_validator("record", mode="before")
    @classmethod
    def _one_or_more(cls, value: object) -> object:
        return [value] if isinstance(value, Mapping) else value

    def over(self, base: GivenModel) -> GivenModel:
        """This, and what it leaves unsaid from `base`."""
        return base.model_copy(update={name: getattr(self, name) for name in self.model_fields_set})

    def now_s(self) -> float:
        return dt.datetime.fromisoformat(_padded(self.time)).replace(tzinfo=ZoneInfo(self.timezone)).timestamp()


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
