"""From texts to a release: everything checked together, every problem of every file at once.

    loaded = load({"flows/reception.yaml": text, …}, Context(languages=("es", "en")))
    loaded.release          # None when there is any error
    loaded.problems         # file:line:column: what: hint

Pure: reading the files is the caller's. Files it does not know (and `*.test.yaml`) are none of its business.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from definitions.models import load as load_definition
from definitions.problems import Problem, Problems
from ivr.calendars import Calendar
from ivr.checks import Key, Known, check_flow
from ivr.flow_file import read_flow
from ivr.model import Flow, Release, fingerprint
from ivr.subflow_checks import check_agreements, check_subflows
from ivr.tables import Table

DEFAULT_LANGUAGES = ("es",)


@dataclass(frozen=True)
class Context:
    """What flows may lean on, as far as it is known: None is not checked.

    `languages`: the site's, for flows that name none. `time_zone`, `country`: the site's, for calendars and tables
    that name none. `queues`, `devices`, `mailboxes`, `toggles`: (tenant, name). `hosts`: lower case. `sounds`:
    language -> names of recordings. `variables`: what calls bring with them beside the built-in ones.
    """

    languages: tuple[str, ...] = DEFAULT_LANGUAGES
    time_zone: str = ""
    country: str = ""
    queues: frozenset[Key] | None = None
    devices: frozenset[Key] | None = None
    mailboxes: frozenset[Key] | None = None
    toggles: frozenset[Key] | None = None
    hosts: frozenset[str] | None = None
    sounds: Mapping[str, frozenset[str]] | None = None
    variables: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Loaded:
    """`release` is None when there is any error among `problems`; warnings may stand beside a release. `whole`: what is
    right in itself, for whoever has more to say of it; nobody may be served by that."""

    release: Release | None
    problems: Problems
    whole: Release


def load(sources: Mapping[str, str], context: Context | None = None) -> Loaded:
    """`sources`: relative path -> text. Never raises, whatever the texts are."""
    context = context or Context()
    problems = Problems()
    calendars, broken_calendars = _calendars(sources, context, problems)
    tables = _tables(sources, context, problems)
    reads = [
        read_flow(file, tenant, sources[file], context.languages or DEFAULT_LANGUAGES, context.time_zone)
        for file, tenant in _files(sources, "flows/", ".yaml")
        if not file.endswith(".test.yaml")
    ]
    flows: dict[Key, Flow] = {(read.tenant, read.flow.id): read.flow for read in reads if read.flow is not None}
    known = Known(
        flows=flows,
        broken_flows=frozenset((read.tenant, _stem(read.file)) for read in reads if read.flow is None),
        calendars=frozenset({*calendars, *broken_calendars}),
        tables=tables,
        queues=context.queues,
        devices=context.devices,
        mailboxes=context.mailboxes,
        toggles=context.toggles,
        hosts=context.hosts,
        sounds=context.sounds,
        variables=context.variables,
        mentioned=frozenset[str]().union(*(read.mentioned for read in reads)),
    )
    for read in reads:
        if read.flow is not None:
            check_flow(read, known)
    check_subflows(reads)
    check_agreements(reads)
    for read in reads:
        problems.extend(read.problems)
        if read.flow is not None and read.problems.errors:
            flows.pop((read.tenant, read.flow.id), None)
    good_tables = {key: table for key, table in tables.items() if table is not None}
    whole = Release(fingerprint(sources), flows, calendars, good_tables, sources)
    return Loaded(None if problems.errors else whole, problems, whole)


def _calendars(
    sources: Mapping[str, str], context: Context, problems: Problems
) -> tuple[dict[Key, Calendar], frozenset[Key]]:
    """The calendars by name, and the names of those that could not be read."""
    found: dict[Key, Calendar] = {}
    broken: set[Key] = set()
    for file, tenant in _files(sources, "config/calendars/", ".yaml"):
        stem = _stem(file)
        calendar = load_definition(Calendar, sources[file], file, {"time_zone": context.time_zone})
        if isinstance(calendar, Problems):
            problems.extend(calendar)
            broken.add((tenant, stem))
            continue
        if calendar.calendar not in (None, stem):
            what = f"the file is called {stem} and its calendar '{calendar.calendar}'"
            problems.add(Problem(file, 1, 1, what, f"write `calendar: {stem}`, or rename the file"))
        found[tenant, stem] = calendar
    return found, frozenset(broken)


def _tables(sources: Mapping[str, str], context: Context, problems: Problems) -> dict[Key, Table | None]:
    """The tables by name; None for those that could not be read."""
    found: dict[Key, Table | None] = {}
    for file, tenant in _files(sources, "config/tables/", ".csv"):
        table = Table.from_csv(_stem(file), sources[file], file, context.country)
        if isinstance(table, Problems):
            problems.extend(table)
        found[tenant, _stem(file)] = None if isinstance(table, Problems) else table
    return found


def _files(sources: Mapping[str, str], folder: str, ending: str) -> Iterator[tuple[str, str]]:
    """(file, tenant) of every file in a folder, of every tenant, sorted."""
    for file in sorted(sources):
        parts = file.split("/")
        tenant, rest = (parts[1], "/".join(parts[2:])) if parts[0] == "tenants" and len(parts) > 2 else ("main", file)
        if rest.startswith(folder) and rest.endswith(ending) and "/" not in rest[len(folder) :]:
            yield file, tenant


def _stem(file: str) -> str:
    return file.rpartition("/")[2].rpartition(".")[0]
