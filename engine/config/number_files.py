"""`config/numbers/*.yaml`: read, checked against flows and calendars, made a `NumberPlan`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from definitions.faults import did_you_mean
from definitions.layout import place_of, stem_of
from engine.config.models import Number
from engine.config.numbers import MAIN, NumberPlan, NumberRange, Route
from engine.config.public_number import e164, is_anybodys
from engine.config.reading import Reading
from engine.config.sources import asterisk_name
from ivr.model import Release

_NOWHERE = "-"
"""Stands where a flow belongs and something else is written."""
_ANYBODYS = frozenset(("agent", "branch", "collect", "hangup", "language", "menu", "note", "play", "return", "set"))
_ANYBODYS |= {"split", "subflow", "tag", "wait"}
"""Nodes that ask and change nothing of a tenant's own: no queue, switch, table, mailbox or system of its."""


@dataclass(frozen=True, slots=True)
class FiledNumber:
    """A number and the file it stands in."""

    file: str
    tenant: str
    value: Number

    @property
    def has_flow(self) -> bool:
        """Whether its flow could be read."""
        return self.value.flow != _NOWHERE


def read_numbers(reading: Reading) -> list[FiledNumber]:
    """Every number that can be read, be it in part."""
    return [
        FiledNumber(file, tenant, number)
        for file, tenant in reading.folder("numbers")
        if (number := reading.read(file, Number, {"flow": _NOWHERE})) is not None
    ]


def number_plan(reading: Reading, numbers: list[FiledNumber], release: Release | None, country: str) -> NumberPlan:
    """`release` None: flows could not be read, so numbers are not checked against them."""
    exact: dict[str, Route] = {}
    ranges: list[NumberRange] = []
    defaults: dict[str, Route] = {}
    own: dict[tuple[str, str], Route] = {}
    files: dict[tuple[str, str], str] = {}
    for filed in numbers:
        file, tenant, number = filed.file, filed.tenant, filed.value
        if release is not None:
            _check_names(reading, filed, release)
        route = _route(tenant, number, release is not None and _does_more(release, tenant, number))
        if number.number is not None:
            digits = number.number.lstrip("+")
            whose = ("" if is_anybodys(number.number, country) else tenant, digits)
            if whose in files:
                reading.error(file, f"{number.number} is defined twice", f"the other is {files[whose]}", "number")
            files[whose] = file
            if whose[0]:
                own[whose] = route
            else:
                exact[digits] = route
        elif number.range is not None:
            ranges.extend(_ranges(*number.range, route, country))
        elif number.default and tenant in defaults:
            reading.error(file, f"tenant {tenant} has two defaults", "keep one `default: yes`", "default")
        elif number.default:
            defaults[tenant] = route
    exact.update(_undisputed(own))
    if "main" not in defaults:
        if not _may_be_default(reading):
            what = "nothing answers a number nobody listed"
            reading.error("config/numbers", what, "add a file with `default: yes` and a flow")
        defaults["main"] = Route("main", "", "", "default")
    entries = {
        asterisk_name(tenant, stem_of(file)): tenant
        for folder in ("devices", "trunks")
        for file, tenant in reading.folder(folder)
    }
    trunks = frozenset(asterisk_name(tenant, stem_of(file)) for file, tenant in reading.folder("trunks"))
    return NumberPlan(exact, tuple(ranges), defaults, entries, country, own, trunks)


def _undisputed(own: Mapping[tuple[str, str], Route]) -> dict[str, Route]:
    """Those that the main tenant has, or one tenant alone: of two, nobody knows whom a caller over their common carrier
    means."""
    owners: dict[str, list[str]] = {}
    for tenant, digits in own:
        owners.setdefault(digits, []).append(tenant)
    found = {digits: MAIN if MAIN in tenants else tenants[0] for digits, tenants in owners.items()}
    return {
        digits: own[tenant, digits] for digits, tenant in found.items() if tenant == MAIN or len(owners[digits]) == 1
    }


def _ranges(first: str, last: str, route: Route, country: str) -> list[NumberRange]:
    """As written, and as E.164 where it is written otherwise and both ends are public numbers."""
    public = [e164(end, country) if end.isdigit() else end for end in (first, last)]
    is_own = not (is_anybodys(first, country) and is_anybodys(last, country))
    written = NumberRange(first, last, route, is_own)
    if public == [first, last] or not all(end.startswith("+") for end in public):
        return [written]
    return [written, NumberRange(public[0], public[1], route, is_own)]


def _may_be_default(reading: Reading) -> bool:
    """Whether what is wrong in itself may have been meant to be the site's default."""
    ours = [file for file, tenant in reading.folder("numbers") if tenant == "main"]
    return any(reading.is_lost(file, "default") for file in ours)


def _check_names(reading: Reading, filed: FiledNumber, release: Release) -> None:
    file, tenant, number = filed.file, filed.tenant, filed.value
    for key in ("flow", "closed_flow"):
        flow = getattr(number, key)
        if flow is not None and (tenant, flow) not in release.flows:
            known = sorted(name for owner, name in release.flows if owner == tenant)
            close = did_you_mean(flow, known, what="flows")
            hint = close if close.startswith("did") else f"flows of tenant {tenant}: {', '.join(known)}"
            reading.error(file, f"there is no flow '{flow}'", hint, key)
    if number.calendar and (tenant, number.calendar) not in release.calendars:
        what = f"there is no calendar '{number.calendar}'"
        reading.error(file, what, "add it under " + place_of(tenant, "config/calendars/"), "calendar")


def _does_more(release: Release, tenant: str, number: Number) -> bool:
    """Whether its flows do more than work an agent's phone: what they ask or change is their tenant's own."""
    waiting = {flow for flow in (number.flow, number.closed_flow) if flow}
    seen: set[str] = set()
    works_phone = False
    while waiting:
        seen.add(flow_id := waiting.pop())
        flow = release.flow(tenant, flow_id)
        nodes = list(flow.nodes.values()) if flow is not None else []
        if any(node.type not in _ANYBODYS for node in nodes):
            return True
        works_phone |= any(node.type == "agent" for node in nodes)
        waiting |= {str(getattr(node, "flow", "")) for node in nodes if node.type == "subflow"} - seen
    return not works_phone


def _route(tenant: str, number: Number, is_private: bool) -> Route:
    rule = f"number {number.number}" if number.number else "default"
    if number.range:
        rule = f"range {number.range[0]}-{number.range[1]}"
    return Route(
        tenant=tenant,
        flow=number.flow,
        language=number.language or "",
        rule=rule,
        calendar=number.calendar or "",
        closed_flow=number.closed_flow or "",
        identity=number.identity or "",
        is_default=number.default,
        is_private=is_private,
    )
