"""The form of a campaign as it is written, and what its dispositions take out of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, Literal, Protocol

from pydantic import Field, model_validator

from definitions.faults import Faults, did_you_mean, fault
from definitions.models import Definition, Flag, LanguageTag, Name, Text
from dialer.compliance.fields import Length
from dialer.setup import FieldKind

Titles = Mapping[LanguageTag, Text] | Text
"""A text, or one for each language."""
Within = Annotated[Length, Field(le=366 * 86_400.0)]


class Promises(Definition):
    """Who promised to pay by a day."""

    grace: Within = 172_800.0
    """So long after that day she is dialed again, unless somebody has said that she kept it."""


class Appointments(Definition):
    """Who agreed to be there at an hour."""

    remind: Within = 86_400.0
    """So long before it she is reminded."""


class FormEntry(Definition):
    """What the agent's page asks for."""

    name: Name
    title: Titles = ""
    type: Literal["text", "number", "money", "date", "datetime", "choice"] | None = None
    """How it is answered; choice where there are `choices`, else text, when left out."""
    choices: tuple[Text, ...] = ()
    required: Flag = False
    """The contact is not finished without it."""

    @property
    def kind(self) -> FieldKind:
        return self.type or ("choice" if self.choices else "text")

    @model_validator(mode="after")
    def _chooses(self) -> FormEntry:
        if self.choices and self.kind != "choice":
            raise fault(f"a field of type {self.kind} has choices", "take out the type, or the choices")
        if self.kind == "choice" and not self.choices:
            raise fault("there is nothing to choose from", "write choices: [one, another]")
        return self


class Dated(Protocol):
    """A disposition's rule."""

    @property
    def then(self) -> str: ...

    @property
    def date(self) -> str | None: ...

    @property
    def amount(self) -> str | None: ...


def check_form(form: Iterable[FormEntry], dispositions: Mapping[str, Dated], faults: Faults) -> None:
    """Its fields have names of their own, and what a disposition takes out of it is there and can be read so."""
    kinds: dict[str, FieldKind] = {}
    for index, entry in enumerate(form):
        if entry.name in kinds:
            faults.add(("form", index, "name"), f"two fields are called '{entry.name}'", "give each a name of its own")
        kinds.setdefault(entry.name, entry.kind)
    for path, rule in dispositions.items():
        dates = ("datetime",) if rule.then == "appointment" else ("date", "datetime")
        for key, name, wanted in (("date", rule.date, dates), ("amount", rule.amount, ("money", "number"))):
            place = ("dispositions", path, key)
            if name is not None and name not in kinds:
                faults.add(place, f"the form has no field '{name}'", did_you_mean(name, kinds, what="fields"))
            elif name is not None and kinds[name] not in wanted:
                what = f"the field '{name}' is of type {kinds[name]}"
                faults.add(place, what, f"write type: {wanted[0]} in the form")
