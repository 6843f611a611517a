"""`hours`: are we open?

open:
  type: hours
  calendar: office          # config/calendars/office.yaml, or the calendar itself written here
  open: main
  closed: closed
  holiday: feast            # without it, `closed`
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

import msgspec
from pydantic import PlainValidator, TypeAdapter, ValidationInfo

from core.decisions import Noted
from core.events import Event
from definitions.models import Name
from ivr.calendars import Calendar
from ivr.node import Exit, Leave, NodeModel, Reference, Turn, Visit, fail

VERSION = 1


def _name_or_calendar(value: Any, info: ValidationInfo) -> str | Calendar:
    if isinstance(value, Mapping):
        return Calendar.model_validate(value, context=info.context)
    return value if isinstance(value, Calendar) else _NAMES.validate_python(value)


_NAMES: TypeAdapter[str] = TypeAdapter(Name)
NameOrCalendar = Annotated[str | Calendar, PlainValidator(_name_or_calendar, json_schema_input_type=Name | Calendar)]


class Model(NodeModel):
    type: Literal["hours"] = "hours"
    calendar: NameOrCalendar
    open: Name
    closed: Name
    holiday: Name | None = None

    def exits(self) -> tuple[Exit, ...]:
        ways = (("open", self.open), ("closed", self.closed), ("holiday", self.holiday))
        return (*(Exit(way, target, (way,)) for way, target in ways if target is not None), *super().exits())

    def references(self) -> tuple[Reference, ...]:
        return (Reference("calendar", self.calendar, ("calendar",)),) if isinstance(self.calendar, str) else ()


class Memory(msgspec.Struct, frozen=True):
    pass


def enter(node: Model, visit: Visit) -> Turn:
    calendar = node.calendar
    if isinstance(calendar, str):
        found = visit.release.calendar(visit.tenant, calendar)
        if found is None:
            return fail(node, f"there is no calendar {calendar}")
        calendar = found
    status = calendar.status(visit.now_s)
    way: str = "closed" if status.state == "holiday" and node.holiday is None else status.state
    target = {"open": node.open, "closed": node.closed, "holiday": node.holiday}[way]
    return Turn(leave=Leave(way, target), decisions=(Noted("hours", f"{status.state}: {status.why}"),))


def on_event(node: Model, memory: Memory, event: Event, visit: Visit) -> Turn:
    return Turn(memory)
