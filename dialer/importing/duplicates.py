"""What becomes of a row whose lead is known already: by the number or the id, in this list or in another."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from core.lead_record import LeadNumber, LeadRecord
from core.list_store import KnownLead
from dialer.importing.plan import ImportPlan
from dialer.importing.reasons import Refusal, by_words, refusal
from dialer.importing.rows import ReadRow, zone_of_numbers

_DEFAULTED = ("basis", "consent", "proof", "priority", "language", "region")


@dataclass(slots=True)
class Settled:
    """`added`: new leads, by row. `changed`: (before, after), each lead once; `updated`: the rows that said so.
    `refused`: rows that are duplicates, with the words."""

    added: list[tuple[int, LeadRecord]] = field(default_factory=list)
    changed: list[tuple[LeadRecord, LeadRecord]] = field(default_factory=list)
    updated: int = 0
    unchanged: int = 0
    refused: list[tuple[int, Refusal]] = field(default_factory=list)


class Settling:
    """Settles the rows of a batch among each other and with those that are known. `given`: what a list says of a lead,
    by the columns it has; the rest stays as it was."""

    def __init__(self, plan: ImportPlan) -> None:
        self._plan = plan
        self._given = frozenset(_given(plan))
        self._labels = frozenset(column.label for column in plan.of("phone"))

    @property
    def asks(self) -> bool:
        """Whether known leads matter at all."""
        return self._plan.duplicates != "allow" or self._plan.elsewhere != "allow"

    def keys(self, record: LeadRecord) -> tuple[list[str], list[str]]:
        """(numbers, external ids) by which the lead may be known."""
        numbers = [each.number for each in record.numbers] if self._plan.same_number else []
        return numbers, [record.external_id] if self._plan.same_id and record.external_id else []

    def settle(self, rows: Sequence[ReadRow], known: Sequence[KnownLead]) -> Settled:
        """`rows`: those that were read; `known`: every lead with one of their keys."""
        settled = Settled()
        book = _Book(known, self._plan.list_id)
        fresh: dict[str, int] = {}
        changed: dict[str, LeadRecord] = {}
        before = {each.record.lead_id: each.record for each in known}
        for row in rows:
            if row.record is None:
                continue
            match = self._match(row.record, book)
            if match is None:
                fresh[row.record.lead_id] = row.row
                book.add(row.record, self.keys(row.record))
                continue
            lead_id, by, here = match
            rule = self._plan.duplicates if here else self._plan.elsewhere
            if rule == "skip":
                settled.refused.append((row.row, self._duplicate(book.leads[lead_id], by, here)))
                continue
            after = self.merged(book.leads[lead_id], row.record)
            if after == book.leads[lead_id]:
                settled.unchanged += 1
                continue
            settled.updated += 1
            if lead_id not in fresh:
                changed[lead_id] = after
            book.add(after, self.keys(after))
        settled.added = [(fresh[lead_id], book.leads[lead_id]) for lead_id in fresh]
        settled.changed = [(before[lead_id], after) for lead_id, after in changed.items()]
        return settled

    def merged(self, before: LeadRecord, row: LeadRecord) -> LeadRecord:
        """The lead as it was, with what this file says of it. Her state and her attempts are not the file's."""
        news = {name: getattr(row, name) for name in self._given}
        numbers = self._numbers(before, row)
        if numbers != before.numbers:
            news |= {"numbers": numbers, "zone": zone_of_numbers(numbers), "next_number": 0}
        if self._plan.fields:
            mine = {column.label for column in self._plan.fields}
            kept = {name: text for name, text in before.fields.items() if name not in mine}
            news["fields"] = {**kept, **row.fields}
        if not row.external_id:
            news.pop("external_id", None)
        return replace(before, **news)

    def _numbers(self, before: LeadRecord, row: LeadRecord) -> tuple[LeadNumber, ...]:
        """Numbers under the labels of this file are as the file has them; others stay. What is known of a number
        (invalid, how often dialed) goes with it."""
        tried = {each.number: each for each in before.numbers}
        found: dict[str, LeadNumber] = {}
        for each in row.numbers:
            old = tried.get(each.number)
            found[each.number] = replace(each, dead=old.dead, attempts=old.attempts) if old else each
        for each in before.numbers:
            if each.label not in self._labels:
                found.setdefault(each.number, each)
        return tuple(found.values())

    def _match(self, record: LeadRecord, book: _Book) -> tuple[str, str, bool] | None:
        """(lead, by what, whether it is in this list) that the row is the same as, and that matters."""
        numbers, ids = self.keys(record)
        if self._plan.duplicates != "allow":
            for key, by in (*((each, "external_id") for each in ids), *((each, "number") for each in numbers)):
                if found := book.here.get((by, key)):
                    return found, by, True
        if self._plan.elsewhere != "allow":
            for key, by in (*((each, "external_id") for each in ids), *((each, "number") for each in numbers)):
                if found := book.elsewhere.get((by, key)):
                    return found, by, False
        return None

    def _duplicate(self, lead: LeadRecord, by: str, here: bool) -> Refusal:
        words = by_words(by, self._plan.words)
        name = lead.external_id or lead.lead_id
        if here:
            return refusal("duplicate", by=words, lead=name)
        return refusal("duplicate_elsewhere", by=words, lead=name, list=lead.list_id)


class _Book:
    """Leads by what they may be known by."""

    def __init__(self, known: Sequence[KnownLead], list_id: str) -> None:
        self.leads: dict[str, LeadRecord] = {}
        self.here: dict[tuple[str, str], str] = {}
        self.elsewhere: dict[tuple[str, str], str] = {}
        self._list_id = list_id
        for each in sorted(known, key=lambda each: each.record.lead_id):
            numbers = [number.number for number in each.record.numbers]
            self.add(each.record, (numbers, [each.record.external_id] if each.record.external_id else []))

    def add(self, lead: LeadRecord, keys: tuple[Sequence[str], Sequence[str]]) -> None:
        self.leads[lead.lead_id] = lead
        place = self.here if lead.list_id == self._list_id else self.elsewhere
        for number in keys[0]:
            place.setdefault(("number", number), lead.lead_id)
        for external_id in keys[1]:
            place.setdefault(("external_id", external_id), lead.lead_id)


def _given(plan: ImportPlan) -> Iterator[str]:
    """The attributes of a lead that this file says."""
    attributes: Mapping[str, tuple[str, ...]] = {
        "name": ("name",),
        "first_name": ("name",),
        "last_name": ("name",),
        "external_id": ("external_id",),
        "region": ("region",),
        "language": ("language",),
        "basis": ("basis",),
        "consent": ("basis", "consent_s"),
        "proof": ("proof",),
        "priority": ("priority",),
        "rank": ("rank",),
    }
    for column in plan.columns:
        yield from attributes.get(column.target, ())
    for name in _DEFAULTED:
        value = getattr(plan, name)
        if value and value != "none":
            yield from attributes[name]
