"""Rule packs: what a law asks of this installation, where that is written, and when somebody must read it again.

    # config/compliance/es-clientela.yaml
    pack: es-clientela
    source: Ley 10/2025, de 26 de diciembre (BOE, 27 December 2025)
    read: 2026-11-22
    review_by: 2026-12-28
    rules:
      person_in_main_menu: {article: "8", says: …}

`config/site.yaml` names the packs that hold (`compliance: [es-clientela]`); a number that serves no customers names its
own, or none (`compliance: []`). A rule whose name we know is checked; any other is a reminder for people.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import date
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, WithJsonSchema

from definitions.faults import did_you_mean, fault
from definitions.fields import typed
from definitions.models import Definition, Name, Seconds, Text
from definitions.problems import Problem, Problems, Severity
from engine.config.clientela import CHECKS, Served
from engine.config.models import Number, Site
from ivr.model import Release


def _date(value: Any) -> date:
    text = typed(value, "a date")
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise fault(f"'{text[:40]}' is not a date", "write it like 2026-12-28") from None


Day = Annotated[date, BeforeValidator(_date), WithJsonSchema({"type": "string", "format": "date"})]


class Rule(Definition):
    """One demand of the law, in our words."""

    article: Text = ""
    says: Text
    percent: Annotated[float, Field(ge=0, le=100)] | None = None
    """For a target: so many percent …"""
    within_s: Seconds | None = None
    """… within so many seconds."""
    checked: Text = ""
    """What is checked by machine, and what is not."""


class Pack(Definition):
    """`config/compliance/*.yaml`: a law as rules."""

    pack: Name
    title: Text = ""
    source: Text
    """Where the law is published."""
    read: Day
    """When somebody last compared these rules with it."""
    read_from: Text = ""
    """What was read: the law itself, or what others write about it."""
    review_by: Day
    """When that must happen again; later, `centralita check` warns."""
    applies: Text = ""
    """To whom."""
    note: Text = ""
    rules: Mapping[Name, Rule] = Field(min_length=1)


def check_compliance(
    site: Site,
    packs: Mapping[str, tuple[str, Pack]],
    numbers: Iterable[tuple[str, str, Number]],
    release: Release,
    queues: Mapping[tuple[str, str], Any],
    broken: frozenset[str],
    error: Callable[..., None],
    problems: Problems,
) -> None:
    """Adds what breaks a rule of the packs in force.

    Args:
        packs: name -> (file, pack).
        numbers: (file, tenant, number).
        queues: (tenant, name) -> queue as written.
        broken: packs that are there and cannot be read.
        error: adds a problem: `error(file, what, hint, *path)`.
    """
    numbers = tuple(numbers)
    _check_names("config/site.yaml", site.compliance, {*packs, *broken}, error)
    served: dict[str, set[tuple[str, str]]] = {}
    for file, tenant, number in numbers:
        _check_names(file, number.compliance or (), {*packs, *broken}, error)
        for law in site.compliance if number.compliance is None else number.compliance:
            served.setdefault(law, set()).add((tenant, number.flow))
    for name, flows in sorted(served.items()):
        if name not in packs:
            continue
        file, pack = packs[name]
        around = Served(frozenset(flows), release, queues, pack.title or pack.pack, file)
        for rule, written in pack.rules.items():
            if rule in CHECKS:
                CHECKS[rule](around, f"article {written.article}" if written.article else rule, problems)


def stale(packs: Mapping[str, tuple[str, Pack]], today: date) -> list[Problem]:
    """A warning for each pack that somebody should have read again by now."""
    return [
        Problem(
            file,
            1,
            1,
            f"this pack was to be reviewed by {pack.review_by}",
            f"compare it with {pack.source}, then set `read` and `review_by`",
            Severity.WARNING,
        )
        for file, pack in packs.values()
        if pack.review_by < today
    ]


def _check_names(file: str, names: Iterable[str], known: set[str], error: Callable[..., None]) -> None:
    for index, name in enumerate(names):
        if name not in known:
            hint = did_you_mean(name, known, what="packs")
            hint = hint if hint.startswith("did") else f"write config/compliance/{name}.yaml"
            error(file, f"there is no rule pack '{name}'", hint, "compliance", index)
