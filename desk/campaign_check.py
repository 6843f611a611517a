"""A campaign's YAML looked at by itself, before somebody puts it under `config/campaigns/`. `centralita check` and the
next reload look at it together with queues, flows and rule packs."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass

from definitions.layout import file_of
from definitions.problems import Severity
from dialer.loader import read_campaigns

_ID = re.compile(r"^campaign:[ \t]*[\"']?([\w-]{1,60})", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Found:
    """`line` 0: of the whole file. `hint`: what to do."""

    line: int
    column: int
    what: str
    hint: str
    warning: bool


def name_of(text: str) -> str:
    """What it calls itself; empty: it does not say."""
    named = _ID.search(text)
    return named[1] if named else ""


def look_at(text: str, tenant: str, queues: Collection[str] | None) -> list[Found]:
    """What is wrong with it, everything at once. `queues`: those there are; None: not known now. Blocking."""
    name = name_of(text) or "campaign"
    read = read_campaigns({file_of(tenant, "campaigns", name): text})
    for filed in read.filed.values():
        if queues is not None and filed.value.queue and filed.value.queue not in queues:
            what = f"there is no queue '{filed.value.queue}' in this tenant"
            filed.say(read.problems, ("queue",), what, f"choose among {', '.join(sorted(queues)) or 'none yet'}")
    return [
        Found(each.line, each.column, each.what, each.hint, each.severity is Severity.WARNING) for each in read.problems
    ]
