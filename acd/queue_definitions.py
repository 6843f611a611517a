"""What admins write about a queue: `config/queues/*.yaml`.

Field descriptions are what an editor shows while one types. `acd/loader.py` checks it beside the other files.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from acd.fields import Percent, Titles, Weight
from definitions.faults import Faults, fault
from definitions.fields import typed
from definitions.models import Count, Definition, Flag, LongSeconds, Name, Seconds, Text


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
