"""What follows an attempt, as it is written in a campaign: tries, limits, dispositions, and who is told."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from definitions.faults import Faults, did_you_mean, fault
from definitions.models import Count, Definition, Flag, Name, Text
from dialer.compliance.fields import Length
from dialer.setup import RETRIES


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


class Callbacks(Definition):
    """Calls that were promised."""

    wait: Length = 900.0
    """A personal one waits so long for its agent; then it is anybody's."""


class Hook(Definition):
    """An address that is told how attempts and leads end. Its host has to stand in config/http.yaml."""

    url: Annotated[Text, Field(pattern=r"^https?://[^/\s]+")]
    on: tuple[Text, ...] = ()
    """Outcomes and dispositions; all, when left out."""


def known_outcomes(value: Mapping[str, Any]) -> Mapping[str, Any]:
    faults = Faults()
    for name in value:
        if name not in RETRIES:
            faults.add(
                (name,), f"there is no outcome '{name}'", did_you_mean(name, RETRIES, what="outcomes"), at_key=True
            )
    faults.raise_any()
    return value
