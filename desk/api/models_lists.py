"""What goes over the API about lists of leads: files, what an import would do, imports, how a list stands."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints

from desk.api.models import Asked, Name, Text, Told

ListId = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{0,59}$")]
Code = Annotated[str, StringConstraints(pattern=r"^[A-Za-z]{0,3}$")]
Rule = Literal["skip", "update", "allow"]


class UploadView(Told):
    """`upload_id`: for a preview and an import, within a week."""

    upload_id: str
    name: str
    bytes: int
    at_s: float


class Reading(Asked):
    """How the file is read; what is empty is found out. `header_row` 0: it has none."""

    encoding: Annotated[str, Field(max_length=40)] = ""
    delimiter: Annotated[str, StringConstraints(strip_whitespace=False, max_length=1)] = ""
    sheet: Text = ""
    header_row: Annotated[int, Field(ge=0, le=1000)] | None = None


class PlanAsked(Asked):
    """How rows become leads.

    `map`: header (or number from 1) -> what that column is: phone, phone:mobile, name, field:plan, ignore, …; other
    columns are guessed. `country`: ISO 3166, of numbers without a country code. `duplicates`: what becomes of who is on
    the list already; `elsewhere`: on another list of the tenant; `listed`: of who is on a do-not-call list. `basis`,
    `consent` (a date), `proof`: for rows that say nothing themselves. `words`: the language of reasons.
    """

    list_id: ListId
    map: Annotated[dict[Name, Name], Field(max_length=200)] = {}
    country: Code = ""
    reading: Reading = Reading()
    duplicates: Rule = "update"
    elsewhere: Rule = "allow"
    listed: Literal["block", "reject", "keep"] = "block"
    registers: Annotated[list[Name], Field(max_length=20)] = []
    basis: Literal["none", "consent", "contract", "relationship", "obligation", "request"] = "none"
    consent: Text = ""
    proof: Text = ""
    priority: Annotated[int, Field(ge=-1000, le=1000)] = 0
    language: Code = ""
    time_zone: Annotated[str, Field(max_length=60)] = ""
    region: Annotated[str, Field(max_length=20)] = ""
    words: Literal["en", "es"] = "en"


class ImportAsked(PlanAsked):
    upload_id: Annotated[str, Field(min_length=1, max_length=40)]


class ColumnView(Told):
    """`target`: what it is taken for; `label`: of a phone, or the field's name."""

    index: int
    header: str
    target: str
    label: str = ""
    samples: list[str] = []


class RowRefused(Told):
    """`row`: of the file, from 1. `column`: its header, empty for the row as a whole."""

    row: int
    column: str = ""
    reason: str


class PreviewView(Told):
    """`problems`: why it cannot be imported like this; empty: it can. Of the first `looked_at` rows `taken` would
    become leads; `leads`, `refused`: examples. `reading`: how the file was read; `sheets`: those it has."""

    problems: list[str] = []
    columns: list[ColumnView] = []
    leads: list[dict[str, Any]] = []
    refused: list[RowRefused] = []
    looked_at: int = 0
    taken: int = 0
    reading: dict[str, str] = {}
    sheets: list[str] = []
    size: int = 0


class TallyView(Told):
    """Rows by what became of them; `blocked` (on do-not-call) and `national` are among the others."""

    added: int = 0
    updated: int = 0
    unchanged: int = 0
    duplicates: int = 0
    rejected: int = 0
    blocked: int = 0
    national: int = 0


class ImportView(Told):
    """`state`: running, finished, cancelled, failed, undone; leads are dialed once it has finished. `share`: how much
    of the file is read, 0 to 1; `rows`: the last row that was taken. `why`: of its state, in words."""

    job_id: str
    list_id: str
    source: str
    state: str
    share: float
    rows: int
    tally: TallyView
    started_s: float
    finished_s: float | None
    why: str = ""
    rejects: bool = False


class Imports(Told):
    """The newest first."""

    imports: list[ImportView]


class ListView(Told):
    """`campaign`: whose it is, empty while nobody's. `leads`: by state."""

    list_id: str
    campaign: str
    created_s: float
    changed_s: float
    leads: dict[str, int]


class ListsView(Told):
    lists: list[ListView]


class Deleted(Told):
    """`gone`: the list too; else somebody on it is being called right now."""

    leads: int
    gone: bool
