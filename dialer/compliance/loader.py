"""From `config/compliance/*.yaml` to packs of rules, every problem at its place. Pure: texts in, values out.

found = read_packs(sources)                 those with `kind: dialing`; others are not this room's
found.packs["us"], found.problems
stale(found.filed.values(), today)          rules somebody should have read again by now
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from definitions.layout import in_folder, stem_of
from definitions.models import validate
from definitions.problems import Problem, Problems, Severity
from definitions.yaml import Marked, load_marked
from dialer.compliance import definitions as written
from dialer.compliance import rules
from dialer.compliance.rules import Rule, RulePack, Scope, Source

KIND = "dialing"


@dataclass(frozen=True, slots=True)
class FiledPack:
    """A pack and the file it stands in."""

    pack: RulePack
    marked: Marked


@dataclass(slots=True)
class Packs:
    """`filed`: by name. `files`: every file of this kind, readable or not."""

    filed: dict[str, FiledPack] = field(default_factory=dict)
    files: set[str] = field(default_factory=set)
    problems: Problems = field(default_factory=Problems)

    @property
    def packs(self) -> dict[str, RulePack]:
        return {name: filed.pack for name, filed in self.filed.items()}


def is_dialing_pack(marked: Marked) -> bool:
    """Whether a file of the folder is of this kind."""
    value = marked.value
    return isinstance(value, Mapping) and value.get("kind") == KIND


def read_packs(sources: Mapping[str, str]) -> Packs:
    """`sources`: relative path -> text. Packs hold for every tenant: those of tenants are refused."""
    found = Packs()
    for file, tenant in in_folder(sources, "compliance"):
        marked = load_marked(sources[file], file)
        if isinstance(marked, Problems) or not is_dialing_pack(marked):
            continue
        found.files.add(file)
        if tenant != "main":
            what = "a tenant has no rule packs of its own"
            found.problems.add(marked.problem((), what, "put it under config/compliance/: the law is one for all"))
            continue
        pack = validate(written.DialingPack, marked)
        if isinstance(pack, Problems):
            found.problems.extend(pack)
            continue
        if stem_of(file) != pack.pack:
            what = f"the file is called {stem_of(file)} and defines pack '{pack.pack}'"
            found.problems.add(marked.problem(("pack",), what, f"rename it to {pack.pack}.yaml"))
        found.filed[pack.pack] = FiledPack(pack_of(pack), marked)
    return found


def stale(filed: Iterable[FiledPack], today: date) -> list[Problem]:
    """A warning for each rule that is past its review."""
    return [
        one.marked.problem(
            ("rules", rule.source.rule, "review_by"),
            f"rule {rule.source.rule} was to be reviewed by {rule.source.review_by}",
            f"compare it with {rule.source.law}, then set `read` and `review_by`",
            severity=Severity.WARNING,
        )
        for one in filed
        for rule in one.pack.rules
        if rule.source.review_by < today
    ]


def pack_of(pack: written.DialingPack) -> RulePack:
    """The value of a definition."""
    values = tuple(_rule(pack.pack, name, rule) for name, rule in pack.rules.items())
    return RulePack(pack.pack, pack.title or pack.pack, frozenset(pack.countries), values)


def _rule(pack: str, name: str, rule: Any) -> Rule:
    source = Source(pack, name, rule.law, rule.read, rule.review_by, rule.read_from)
    scope = Scope(
        purposes=frozenset(rule.purposes),
        modes=frozenset(rule.modes),
        regions=frozenset(region.upper() for region in rule.regions),
        prefixes=rule.prefixes,
    )
    return _VALUES[type(rule)](source, scope, rule)


def _hours(source: Source, scope: Scope, rule: written.HoursRule) -> Rule:
    days = rule.holidays
    closed = rules.Holidays(days.country, days.unknown_region, frozenset(days.extra)) if days else None
    return rules.Hours(source, scope, rule.open, closed)


def _abandonment(source: Source, scope: Scope, rule: written.AbandonmentRule) -> Rule:
    if rule.window.days is not None:
        window = rules.Window("successive", rule.window.days * 86_400.0)
    else:
        window = rules.Window("day", time_zone=rule.window.calendar_day or "UTC")
    return rules.Abandonment(source, scope, rule.most, window)


_VALUES: Mapping[type[Any], Callable[[Source, Scope, Any], Rule]] = {
    written.HoursRule: _hours,
    written.CapRule: lambda source, scope, r: rules.Cap(source, scope, r.most, r.within, r.counts, r.per),
    written.RestRule: lambda source, scope, r: rules.Rest(source, scope, r.after, r.length, r.unless_agent),
    written.AbandonmentRule: _abandonment,
    written.RingRule: lambda source, scope, r: rules.Ring(source, scope, r.least_s),
    written.AgentWithinRule: lambda source, scope, r: rules.AgentWithin(source, scope, r.within_s, r.since),
    written.DropRule: lambda source, scope, r: rules.Drop(source, scope, frozenset(r.allowed), r.opt_out),
    written.BasisRule: lambda source, scope, r: rules.BasisNeeded(
        source, scope, frozenset(r.any_of), r.consent_age, r.proof
    ),
    written.ListsRule: lambda source, scope, r: rules.ListsNeeded(
        source, scope, r.lists, r.max_age, frozenset(r.unless)
    ),
    written.IdentityRule: lambda source, scope, r: rules.Identity(source, scope, r.shown, r.no_mobile, r.begins),
    written.DutyRule: lambda source, scope, r: rules.Duty(
        source, scope, {"": r.says} if isinstance(r.says, str) else r.says
    ),
}
