"""The circumstances of a scenario, as `given:` in `flows/<flow>.test.yaml` writes them: caller, time, and how the rest
of the world answers."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping, Sequence
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
