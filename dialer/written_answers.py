"""What who answers meets, as it is written in a campaign: a detector, a machine's message, nobody in time."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, WithJsonSchema, model_validator

from definitions.faults import fault
from definitions.fields import read_flag
from definitions.models import Count, Definition, Name, Seconds


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
