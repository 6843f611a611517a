"""What admins write about skills, agents, dispositions and reasons not to be ready: one model a file.

Field descriptions are what an editor shows while one types. `acd/loader.py` checks them together with the queues
(acd/queue_definitions.py) and makes a `Setup`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, field_validator, model_validator

from acd.fields import Level, SkillName, Titles
from acd.setup import CHANNELS
from definitions.faults import Faults, did_you_mean, fault
from definitions.fields import typed
from definitions.models import Count, Definition, Digits, Flag, LanguageTag, Name, Seconds, Text

NOT_GIVEN = "not_given"
"""What stands where an agent gave no disposition: nobody may call one so."""


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
    """She may listen to the conversations of others from a phone, whisper, barge in and take over (*46); open and close
    queues, serve first or move on who waits, and set the presence of others (*47)."""

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
    """`no`: supervisors give it, agents do not choose it."""


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
