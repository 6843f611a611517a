"""What an import is to do, and with which column. Plain values that survive as JSON: a job is resumed by them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal

from dialer.importing.reasons import Language

Rule = Literal["skip", "update", "allow"]
Listed = Literal["block", "reject", "keep"]

TARGETS = (
    *("phone", "name", "first_name", "last_name", "external_id", "time_zone", "region", "country", "language"),
    *("basis", "consent", "proof", "priority", "rank", "field", "ignore"),
)
"""What a column can be. `phone`, `field` and `region` carry a label; several columns may be phones."""
WRITTEN = ("field", "region")


@dataclass(frozen=True, slots=True)
class Column:
    """`index`: from 0. `header`: as the file has it, or `column 3`. `label`: of a phone (`mobile`), or the name of
    the field that its text becomes."""

    index: int
    header: str
    target: str = "field"
    label: str = ""


@dataclass(frozen=True, slots=True)
class ImportPlan:
    """How the rows of one file become leads of one list.

    Args:
        columns: what each column is; those left out are not read.
        country: ISO 3166, of numbers without a country code, and of how dates are written.
        same_number, same_id: by what two leads are the same.
        duplicates: what becomes of a row whose lead is in this list already, or earlier in the file.
        elsewhere: the same for another list of the tenant; `allow`: she may be on several.
        listed: what becomes of who is on a do-not-call list of the tenant or the campaign with every number.
        registers: national registers that count as such a list; the others are only counted.
        basis, consent, proof, priority, language, time_zone, region: for rows whose column says nothing.
        words: the language of reasons.
    """

    tenant: str
    list_id: str
    columns: tuple[Column, ...]
    campaign: str = ""
    country: str = ""
    same_number: bool = True
    same_id: bool = True
    duplicates: Rule = "update"
    elsewhere: Rule = "allow"
    listed: Listed = "block"
    registers: tuple[str, ...] = ()
    basis: str = "none"
    consent: str = ""
    proof: str = ""
    priority: int = 0
    language: str = ""
    time_zone: str = ""
    region: str = ""
    words: Language = "en"
    reading: Mapping[str, str] = field(default_factory=dict)
    """How the file is read (encoding, delimiter, sheet, header row): whatever `desk.lists` found out."""

    def of(self, target: str) -> tuple[Column, ...]:
        return tuple(column for column in self.columns if column.target == target)

    @property
    def fields(self) -> tuple[Column, ...]:
        """Whose text becomes a field, called by the column's label: those that are nothing else, and a region, which is
        kept by its code alone: `Soria` as it was written is what quotas and scripts ask for."""
        return tuple(column for column in self.columns if column.target in WRITTEN and column.label)

    @property
    def headers(self) -> tuple[str, ...]:
        return tuple(column.header for column in self.columns)

    def but(self, **changes: Any) -> ImportPlan:
        return replace(self, **changes)

    def plain(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)

    @classmethod
    def of_plain(cls, body: Mapping[str, Any]) -> ImportPlan:
        columns = tuple(Column(**column) for column in body["columns"])
        return cls(**{**body, "columns": columns, "registers": tuple(body.get("registers", ()))})


NO_PHONE = "no column is a phone number: name it with --map phone=HEADER"


def plan_problems(plan: ImportPlan) -> list[str]:
    """What is wrong with a plan, in words, all at once; empty: it can be carried out."""
    found = []
    if not plan.of("phone"):
        found.append(NO_PHONE)
    for target in TARGETS:
        if target not in ("phone", "field", "ignore") and len(plan.of(target)) > 1:
            names = ", ".join(column.header for column in plan.of(target))
            found.append(f"several columns are {target} ({names}): choose one")
    found.extend(
        f"'{column.target}' is nothing a column can be: choose among {', '.join(TARGETS)}"
        for column in plan.columns
        if column.target not in TARGETS
    )
    if plan.same_id and not plan.same_number and not plan.of("external_id"):
        found.append("duplicates are told by their id, and no column is external_id: name it with --map")
    return found
