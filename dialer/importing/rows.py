"""One row of a list -> one lead, or the reasons why not."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from core.lead_record import LeadNumber, LeadRecord
from core.list_mix import zone_key
from core.list_store import lead_id_of
from dialer.compliance.local_time import zones_of
from dialer.compliance.rules import Basis
from dialer.importing.phones import Phone, PhoneReader, clean
from dialer.importing.places import zone_of_region
from dialer.importing.plan import Column, ImportPlan
from dialer.importing.reasons import Refusal, refusal
from dialer.importing.values import (
    basis_of,
    country_of_text,
    decimal_of,
    is_no,
    is_nothing,
    is_yes,
    language_of,
    moment_of,
    region_of_text,
    whole_of,
    zone_of_text,
)

MOST_IN_CELL = 4_000
"""Characters of a custom field."""
_SEVERAL = re.compile(r"\s*(?:[;/|\n]|,(?=\s*[+0-9(]{1,2}[0-9]{2}[0-9 .\-]{5})|\s[yoYO&]\s)\s*")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
_ROW = Column(-1, "")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class ReadRow:
    """`record` None: the row is refused. `refusals`: why; of a row that was taken, the numbers that were left out."""

    row: int
    record: LeadRecord | None
    refusals: tuple[Refusal, ...] = ()


class RowReader:
    """Reads the rows of one file. `now_s`: no consent is from later."""

    def __init__(self, plan: ImportPlan, job_id: str, now_s: float) -> None:
        self._plan, self._job_id, self._now_s = plan, job_id, now_s
        self._phones: dict[str, PhoneReader] = {}
        self._default = self._reader(plan.country)
        self._phone_columns = plan.of("phone")
        self._fields = tuple((column.index, column.label) for column in plan.fields)
        self._single = {column.target: column for column in plan.columns}
        self._width = 1 + max((column.index for column in plan.columns), default=-1)

    def read(self, row: int, cells: Sequence[str]) -> ReadRow:
        """`cells` may be fewer than the columns: the others are empty."""
        if len(cells) > self._width and any(cell.strip() for cell in cells[self._width :]):
            return ReadRow(row, None, (refusal("too_many_cells", found=len(cells), wanted=self._width),))
        try:
            return self._read(row, cells)
        except _Refused as refused:
            return ReadRow(row, None, (refused.why,))

    def _read(self, row: int, cells: Sequence[str]) -> ReadRow:
        plan = self._plan
        country = self._value(cells, "country", country_of_text, plan.country)
        zone = self._value(cells, "time_zone", zone_of_text, plan.time_zone)
        region = self._region(cells, country)
        numbers, zones, left_out = self._numbers(cells, country, zone, region)
        if not numbers:
            return ReadRow(row, None, left_out or (refusal("no_number"),))
        basis, consent_s = self._consent(cells, country, zone)
        record = LeadRecord(
            lead_id=lead_id_of(self._job_id, row),
            tenant=plan.tenant,
            list_id=plan.list_id,
            numbers=numbers,
            name=self._name(cells),
            language=self._value(cells, "language", language_of, plan.language),
            region=region,
            zone=zones,
            basis=basis,
            consent_s=consent_s,
            proof=self._text(cells, "proof") or plan.proof,
            priority=self._value(cells, "priority", whole_of, plan.priority),
            rank=self._value(cells, "rank", decimal_of, 0.0),
            fields=dict(self._custom(cells)) if self._fields else {},
            external_id=self._text(cells, "external_id"),
        )
        return ReadRow(row, record, left_out)

    def _numbers(
        self, cells: Sequence[str], country: str, zone: str, region: str
    ) -> tuple[tuple[LeadNumber, ...], str, tuple[Refusal, ...]]:
        """Her numbers, each once; the zone key of them all; what was left out."""
        reader = self._default if country == self._plan.country else self._reader(country)
        found: dict[str, LeadNumber] = {}
        keys: set[str] = set()
        left_out: list[Refusal] = []
        for column in self._phone_columns:
            text = cells[column.index] if column.index < len(cells) else ""
            for part in _phones_in(text):
                read = reader.read(part)
                if isinstance(read, Refusal):
                    left_out.append(replace(read, column=column.header))
                    continue
                given = zone or _narrowed(read, country, region)
                found.setdefault(read.number, LeadNumber(read.number, column.label, given))
                keys.add(given or zone_key(read.zones))
        return tuple(found.values()), keys.pop() if len(keys) == 1 else "", tuple(left_out)

    def _consent(self, cells: Sequence[str], country: str, zone: str) -> tuple[str, float | None]:
        """The ground to call her, and since when she agreed."""
        plan = self._plan
        basis = self._value(cells, "basis", lambda text: _plain(basis_of(text)), "")
        said = self._text(cells, "consent")
        when: float | None = None
        agreed = bool(said) and not is_no(said)
        if agreed and not is_yes(said):
            when = self._moment(said, country, zone)
        elif plan.consent and (agreed or not self._single.get("consent")):
            when = self._moment(plan.consent, country, zone)
        if not basis:
            basis = "consent" if agreed else plan.basis
        return ("none" if basis == "consent" and said and is_no(said) else basis), when

    def _moment(self, text: str, country: str, zone: str) -> float:
        column = self._single.get("consent", _ROW)
        at_s = moment_of(text, country, zone)
        if isinstance(at_s, Refusal):
            raise _Refused(replace(at_s, column=column.header))
        if at_s > self._now_s + 86_400:
            raise _Refused(replace(refusal("future", text=text), column=column.header))
        return at_s

    def _name(self, cells: Sequence[str]) -> str:
        whole = self._text(cells, "name")
        parts = (self._text(cells, "first_name"), self._text(cells, "last_name"))
        return whole or " ".join(part for part in parts if part)

    def _region(self, cells: Sequence[str], country: str) -> str:
        """A region nobody knows stays unknown: rules are then as strict as for any."""
        text = self._text(cells, "region") or self._plan.region
        return region_of_text(text, country) if text and country else ""

    def _custom(self, cells: Sequence[str]) -> Iterator[tuple[str, str]]:
        for index, label in self._fields:
            text = _tidy(cells[index]) if index < len(cells) else ""
            if len(text) > MOST_IN_CELL:
                raise _Refused(replace(refusal("cell_too_long", most=MOST_IN_CELL), column=label))
            if text:
                yield label, text

    def _text(self, cells: Sequence[str], target: str) -> str:
        column = self._single.get(target)
        if column is None or column.index >= len(cells):
            return ""
        text = _tidy(cells[column.index])
        if len(text) > MOST_IN_CELL:
            raise _Refused(replace(refusal("cell_too_long", most=MOST_IN_CELL), column=column.header))
        return text

    def _value(self, cells: Sequence[str], target: str, read: Callable[[str], T | Refusal], default: T) -> T:
        text = self._text(cells, target)
        if not text:
            return default
        value = read(text)
        if isinstance(value, Refusal):
            raise _Refused(replace(value, column=self._single[target].header))
        return value

    def _reader(self, country: str) -> PhoneReader:
        if country not in self._phones:
            self._phones[country] = PhoneReader(country)
        return self._phones[country]


class _Refused(Exception):
    """The row cannot be taken; never leaves this file."""

    def __init__(self, why: Refusal) -> None:
        super().__init__(why.code)
        self.why = why


def zone_of_numbers(numbers: Sequence[LeadNumber]) -> str:
    """The zone key of a lead: that of all her numbers when they share one, else empty."""
    keys = {each.time_zone or zone_key(zones_of(each.number)) for each in numbers}
    return keys.pop() if len(keys) == 1 else ""


def _phones_in(text: str) -> Sequence[str]:
    """The numbers of a cell; none where people wrote that there is none."""
    if not text or is_nothing(text):
        return ()
    stripped = text.strip()
    if len(stripped) < 16 and not any(each in stripped for each in ";/|,\n"):
        return (stripped,)
    parts = [part for part in _SEVERAL.split(stripped) if not is_nothing(part)]
    # 93/123 45 67 is one number with a slash in it.
    return parts if all(sum(each.isdigit() for each in part) >= 6 for part in parts) else (clean(stripped),)


def _narrowed(phone: Phone, country: str, region: str) -> str:
    """The time zone of the region she lives in, where her number alone leaves it open."""
    if not region or len(phone.zones) < 2:
        return ""
    zone = zone_of_region(country, region)
    return zone if zone in phone.zones else ""


def _plain(basis: Basis | Refusal) -> str | Refusal:
    return basis if isinstance(basis, Refusal) else basis.value


def _tidy(text: str) -> str:
    """Without control characters, which no database and no page wants."""
    return (_CONTROL.sub("", text) if not text.isprintable() else text).strip()
