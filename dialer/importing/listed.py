"""Leads whose numbers are on a do-not-call list when they are imported. They are asked again before every call."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace

from core.lead import LeadState
from core.lead_record import LeadRecord
from dialer.importing.plan import ImportPlan
from dialer.importing.reasons import Refusal, refusal

OWN = "own"
"""What the lists of the tenant and the campaign are called together."""


@dataclass(slots=True)
class Screened:
    """`kept`: as they are to be added. `blocked`: how many of them are; `national`: how many are on a register."""

    kept: list[LeadRecord] = field(default_factory=list)
    refused: list[tuple[int, Refusal]] = field(default_factory=list)
    blocked: int = 0
    national: int = 0


def screen(
    leads: Iterable[tuple[int, LeadRecord]],
    own: Collection[str],
    registers: Mapping[str, Collection[str]],
    plan: ImportPlan,
) -> Screened:
    """`own`, `registers`: those of the numbers that are on our lists, and on each register."""
    found = Screened()
    # What counts as listed: our own lists, and the registers the plan names.
    counting = {OWN: own, **{name: registers[name] for name in plan.registers if name in registers}}
    for row, lead in leads:
        numbers = [each.number for each in lead.numbers]
        if any(number in hits for hits in registers.values() for number in numbers):
            found.national += 1
        by = [next((name for name, hits in counting.items() if number in hits), "") for number in numbers]
        if not all(by) or plan.listed == "keep":
            found.kept.append(lead)
        elif plan.listed == "reject":
            found.refused.append((row, refusal("listed", number=numbers[0], register=by[0])))
        else:
            found.blocked += 1
            found.kept.append(replace(lead, state=LeadState.BLOCKED, reason=f"do_not_call/{by[0]}"))
    return found
