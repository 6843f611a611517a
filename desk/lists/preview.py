"""What an import would do, before it does anything: columns, the first rows as leads, what would be refused."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from core.lead_record import LeadRecord
from desk.lists.reading import open_table
from desk.lists.tables import Table
from dialer.importing.columns import guess, mapped
from dialer.importing.plan import ImportPlan, plan_problems
from dialer.importing.reasons import Refusal
from dialer.importing.rows import RowReader

_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Preview:
    """`problems`: why it cannot be imported like this; empty: it can. Of the first `looked_at` rows, `taken` would
    become leads, `refused` counts the reasons against others."""

    plan: ImportPlan
    table: Table
    problems: tuple[str, ...]
    leads: tuple[LeadRecord, ...]
    examples: tuple[tuple[int, Refusal], ...]
    looked_at: int
    taken: int
    refused: Counter[str]

    def plain(self) -> dict[str, Any]:
        """For the API and `--json`."""
        words = self.plan.words
        shown = [row.cells for row in self.table.sampled() if not row.fault]
        return {
            "reading": self.table.shape.plain(),
            "sheets": list(self.table.sheets),
            "size": self.table.size,
            "columns": [
                {
                    "index": column.index,
                    "header": column.header,
                    "target": column.target,
                    "label": column.label,
                    "samples": [row[column.index] for row in shown[:_SHOWN] if column.index < len(row)],
                }
                for column in self.plan.columns
            ],
            "problems": list(self.problems),
            "leads": [lead_plain(lead) for lead in self.leads],
            "refused": [{"row": row, "column": why.column, "reason": why.say(words)} for row, why in self.examples],
            "looked_at": self.looked_at,
            "taken": self.taken,
        }


def plan_for(
    table: Table,
    tenant: str,
    list_id: str,
    wishes: Sequence[tuple[str, str]] = (),
    only_mapped: bool = False,
    **more: Any,
) -> ImportPlan:
    """The plan for a file: its columns guessed, `wishes` ((target, header), …) before guesses.

    Two rows with ids of their own are two leads, though they share a phone: where a column is an id, duplicates are
    told by it alone, unless `same_number` says otherwise.

    Raises:
        ValueError: a wish names no column, or nothing a column can be.
    """
    rows = [row.cells for row in table.sampled() if row.fault is None]
    guessed = guess(table.headers, rows)
    if wishes:
        # Somebody who names phones has named all of them.
        if any(target.partition(":")[0] == "phone" for target, _ in wishes):
            guessed = tuple(type(c)(c.index, c.header, "field", c.label) if c.target == "phone" else c for c in guessed)
        told = mapped(guessed, wishes)
    else:
        told = guessed
    if only_mapped:
        told = tuple(replace(each, label="") if each.target == "region" else each for each in told)
        told = tuple(column for column in told if column.target != "field")
    has_id = any(column.target == "external_id" for column in told)
    more.setdefault("same_id", has_id)
    more.setdefault("same_number", not has_id)
    return ImportPlan(tenant, list_id, told, reading=table.shape.plain(), **more)


def preview(
    path: Path,
    tenant: str,
    list_id: str,
    now_s: float,
    wishes: Sequence[tuple[str, str]] = (),
    reading: dict[str, Any] | None = None,
    **more: Any,
) -> Preview:
    """Blocking. `reading`: arguments of `open_table`; `more`: of `ImportPlan`.

    Raises:
        FileUnusable: it is no list.
        ValueError: a wish cannot be met.
    """
    table = open_table(path, **(reading or {}))
    return preview_of(table, plan_for(table, tenant, list_id, wishes, **more), now_s)


def preview_of(table: Table, plan: ImportPlan, now_s: float) -> Preview:
    problems = tuple(plan_problems(plan))
    leads: list[LeadRecord] = []
    examples: list[tuple[int, Refusal]] = []
    refused: Counter[str] = Counter()
    looked_at = taken = 0
    reader = RowReader(plan, "j00000000000", now_s)
    for raw in table.sampled() if not problems else ():
        looked_at += 1
        row = reader.read(raw.number, raw.cells)
        reasons = (raw.fault,) if raw.fault else row.refusals
        if row.record is not None and not raw.fault:
            taken += 1
            leads += [row.record] if len(leads) < _SHOWN else []
        for why in reasons:
            refused[why.code] += 1
            examples += [(raw.number, why)] if refused[why.code] <= 2 else []
    return Preview(plan, table, problems, tuple(leads), tuple(examples), looked_at, taken, refused)


def lead_plain(lead: LeadRecord) -> dict[str, Any]:
    """A lead as the API shows it."""
    return {
        "lead_id": lead.lead_id,
        "external_id": lead.external_id,
        "name": lead.name,
        "numbers": [{"number": n.number, "label": n.label, "time_zone": n.time_zone} for n in lead.numbers],
        "zone": lead.zone,
        "region": lead.region,
        "language": lead.language,
        "basis": lead.basis,
        "consent_s": lead.consent_s,
        "proof": lead.proof,
        "priority": lead.priority,
        "rank": lead.rank,
        "fields": dict(lead.fields),
    }
