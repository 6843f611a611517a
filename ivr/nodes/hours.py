"""`hours`: are we open?

open:
  type: hours
  calendar: office          # config/calendars/office.yaml, or the calendar itself written here
  open: main
  closed: closed
  holiday: feast            # without it, `closed`
  next_open: opens          # variable: when it opens next, like 2026-03-16T09:00
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

import msgspec
from pydantic import PlainValidator, TypeAdapter, ValidationInfo

from core.decisions import Noted
from core.events import Event
from definitions.models import Name, Variable
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
    next_open: Variable | None = None
    """When it opens next, by the calendar's clock; now while it is open, empty when it does not within a year."""

    def exits(self) -> tuple[Exit, ...]:
        ways = (("open", self.open), ("closed", self.closed), ("holiday", self.holiday))
        return (*(Exit(way, target, (way,)) for way, target in ways if target is not None), *super().exits())

    def references(self) -> tuple[Reference, ...]:
        return (Reference("calendar", self.calendar, ("calendar",)),) if isinstance(self.calendar, str) else ()

    def sets(self) -> frozenset[str]:
        return frozenset({self.next_open}) if self.next_open else frozenset()


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
    variables = {node.next_open: _opens(calendar, visit.now_s)} if node.next_open else {}
    return Turn(leave=Leave(way, target, variables), decisions=(Noted("hours", f"{status.state}: {status.why}"),))


def _opens(calendar: Calendar, now_s: float) -> str:
    opens_s = calendar.next_open_s(now_s)
    if opens_s is None:
        return ""
    return datetime.fromtimestamp(opens_s, ZoneInfo(calendar.time_zone)).strftime("%Y-%m-%dT%H:%M")


def on_event(node: Model, memory: Memory, event: Event, visit: Visit) -> Turn:
    return Turn(memory)
