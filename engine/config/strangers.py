"""Files that nothing reads: a folder or an ending that was mistyped must not look as if it were in force."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from definitions.faults import did_you_mean
from definitions.layout import tenant_of, within_tenant
from definitions.problems import Problem, Severity

_SITES = frozenset({"site", "outbound", "http"})
"""`config/<name>.yaml`, once for all tenants; the others may stand in each."""
_ONES = frozenset({"skills", "agents", "dispositions", "not_ready"})
_FOLDERS = frozenset({"numbers", "devices", "trunks", "queues", "calendars", "campaigns", "compliance"})


def strangers(files: Iterable[str]) -> Iterator[Problem]:
    """A warning for each of these that nothing reads."""
    for file in sorted(files):
        found = _wrong_with(file)
        if found is not None:
            yield Problem(file, 0, 0, *found, Severity.WARNING)


def _wrong_with(file: str) -> tuple[str, str] | None:
    """What is wrong with its place or name, and what to do."""
    parts = within_tenant(file).split("/")
    name, _, ending = parts[-1].rpartition(".")
    what = "nothing reads this file"
    if ending == "yml":
        return what, f"call it {name}.yaml"
    if parts[0] != "config":
        return None
    if len(parts) == 2:
        known = _ONES if tenant_of(file) != "main" else _ONES | _SITES
        if name in known or parts[-1] == "agents.csv":
            return None
        if name in _SITES:
            return what, f"the site has one: config/{name}.yaml"
        return what, did_you_mean(name, known, what=f"files of {file.rpartition('/')[0]}/")
    if parts[1] in _FOLDERS or (parts[1] == "tables" and ending == "csv"):
        return None
    if parts[1] == "tables":
        return what, "a table is a CSV file"
    return what, did_you_mean(parts[1], _FOLDERS | {"tables"}, what="folders of config/")
