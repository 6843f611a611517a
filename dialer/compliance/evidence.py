"""What shows a regulator that a campaign kept the law: each limit, what was counted, and the attempts behind it.

Pure: attempts in, rows out, texts of CSV and HTML. Times in the files are UTC, in ISO 8601.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from fractions import Fraction
from html import escape

from core.attempt import AttemptState
from dialer.compliance.abandonment import NOT_REVIEWED, Reviewed, Tally
from dialer.compliance.rules import Mode
from dialer.compliance.strictest import Law, Terms


@dataclass(frozen=True, slots=True)
class Attempted:
    """One attempt as it went; times are None for what did not happen. `local`: its wall clock time and zone where it
    rang. `rule`: what blocked it. `greeted_s`: the end of the called person's greeting, where a detector heard it.
    `met_machine`: its agent said that it was one."""

    attempt_id: str
    lead_id: str
    number: str
    state: AttemptState
    dialed_s: float | None = None
    ringing_s: float | None = None
    answered_s: float | None = None
    greeted_s: float | None = None
    met_machine: bool = False
    connected_s: float | None = None
    ended_s: float | None = None
    local: str = ""
    rule: str = ""


@dataclass(frozen=True, slots=True)
class Evidence:
    """One line: what a rule asks, what was found. `kept` None: reported, not judged."""

    rule: str
    law: str
    period: str
    asked: str
    found: str
    counted: int
    kept: bool | None


def evidence(
    law: Law, attempts: Iterable[Attempted], started_s: float, reviewed: Reviewed = NOT_REVIEWED
) -> list[Evidence]:
    """Every rule of a campaign that attempts can speak for."""
    all_of_them = sorted(attempts, key=lambda attempt: (attempt.dialed_s or 0.0, attempt.attempt_id))
    terms = law.overall
    return [
        *_abandonment(terms, all_of_them, started_s, reviewed),
        *_ring(terms, all_of_them),
        *_agent_within(terms, all_of_them, law.mode),
        *_blocked(all_of_them),
        *(
            Evidence(one.source.name, one.source.law, "", one.said("en"), "for people to show", 0, None)
            for one in terms.duties
        ),
    ]


def _abandonment(
    terms: Terms, attempts: Sequence[Attempted], started_s: float, reviewed: Reviewed
) -> Iterable[Evidence]:
    tally = Tally(terms.abandonment, started_s, reviewed)
    moments = set()
    for attempt in attempts:
        at_s = attempt.answered_s
        if at_s is None:  # a machine heard before anything was answered disturbed nobody
            continue
        if attempt.met_machine and attempt.state is not AttemptState.ABANDONED:
            continue
        if attempt.state.is_live:
            tally = tally.answered(at_s)
            if attempt.state is AttemptState.ABANDONED:
                tally = tally.abandoned(at_s)
        elif attempt.state in (AttemptState.MACHINE, AttemptState.MESSAGE_LEFT):
            tally = tally.taken_for_machine(at_s)
        else:
            continue
        moments.add(at_s)
    seen = set()
    for at_s in sorted(moments):
        for standing in tally.standing(at_s):
            key = (standing.limit.source.name, standing.from_s)
            if key in seen:
                continue
            seen.add(key)
            counts = standing.counts
            found = f"{counts.abandoned} of {counts.live} = {_percent(standing.ratio)}"
            if counts.machines:
                about = (
                    f"about {standing.estimated:.1f}, at most" if reviewed.sample else "none reviewed, so as many as"
                )
                worst = f"{standing.at_worst} ({_percent(standing.ratio_at_worst)})"
                found += f"; {counts.machines} taken for machines, of them people: {about} {worst}"
            source = standing.limit.source
            period = f"{iso(standing.from_s)} – {iso(standing.until_s)}"
            asked = f"at most {_percent(standing.limit.most)} of live answers abandoned"
            yield Evidence(source.name, source.law, period, asked, found, counts.live, standing.holds)


def _ring(terms: Terms, attempts: Sequence[Attempted]) -> Iterable[Evidence]:
    if terms.ring.source is None:
        return
    rang = [
        attempt.ended_s - attempt.ringing_s
        for attempt in attempts
        if attempt.state in (AttemptState.NO_ANSWER, AttemptState.CANCELLED)
        and attempt.ringing_s is not None
        and attempt.ended_s is not None
    ]
    shorter = sum(seconds < terms.ring.value for seconds in rang)
    found = f"{shorter} were given up sooner; the shortest rang {min(rang):.1f} s" if rang else "none was given up"
    asked = f"an unanswered phone rings at least {terms.ring.value:g} s"
    source = terms.ring.source
    yield Evidence(source.name, source.law, "", asked, found, len(rang), not shorter)


def _agent_within(terms: Terms, attempts: Sequence[Attempted], mode: Mode) -> Iterable[Evidence]:
    for rule in terms.agent_within:
        asked = f"an agent within {rule.within_s:g} s of the {rule.since.replace('_', ' ')}"
        if mode is Mode.AGENTLESS:
            yield Evidence(rule.source.name, rule.source.law, "", asked, "a flow talks, and no agent", 0, None)
            continue
        waits = []
        for attempt in attempts:
            since_s = attempt.greeted_s if rule.since == "greeting_end" else attempt.answered_s
            # Where nobody heard the greeting's end, the answer stands for it: sooner, so never laxer.
            since_s = attempt.answered_s if since_s is None else since_s
            if attempt.connected_s is not None and since_s is not None:
                waits.append(attempt.connected_s - since_s)
        late = sum(wait > rule.within_s for wait in waits)
        found = f"{late} connected later; the longest wait was {max(waits):.2f} s" if waits else "nobody was connected"
        yield Evidence(rule.source.name, rule.source.law, "", asked, found, len(waits), not late)


def _blocked(attempts: Sequence[Attempted]) -> Iterable[Evidence]:
    by_rule: dict[str, int] = {}
    for attempt in attempts:
        if attempt.state is AttemptState.BLOCKED:
            by_rule[attempt.rule] = by_rule.get(attempt.rule, 0) + 1
    for rule, count in sorted(by_rule.items()):
        yield Evidence(rule, "", "", "not dialed", f"{count} attempts were blocked by it", count, None)


_SUMMARY = ("rule", "law", "period", "asked", "found", "counted", "kept")
_DETAIL = ("attempt_id", "lead_id", "number", "state", "local", "rule")
_TIMES = ("dialed_s", "ringing_s", "answered_s", "greeted_s", "connected_s", "ended_s")


def summary_csv(rows: Iterable[Evidence]) -> str:
    """The lines of `evidence` as CSV."""
    return _csv(_SUMMARY, ([getattr(row, name) for name in _SUMMARY[:-1]] + [_kept(row)] for row in rows))


def attempts_csv(attempts: Iterable[Attempted]) -> str:
    """Every attempt with its times, as CSV."""
    head = (*_DETAIL, *(name.removesuffix("_s") for name in _TIMES))
    return _csv(
        head,
        (
            [str(getattr(attempt, name).value if name == "state" else getattr(attempt, name)) for name in _DETAIL]
            + [iso(getattr(attempt, name)) for name in _TIMES]
            for attempt in attempts
        ),
    )


def report_html(title: str, rows: Iterable[Evidence], made_s: float) -> str:
    """The lines of `evidence` as one page that needs nothing else."""
    body = "\n".join(
        f'<tr class="{_kept(row)}">' + "".join(f"<td>{escape(str(cell))}</td>" for cell in _cells(row)) + "</tr>"
        for row in rows
    )
    head = "".join(f"<th>{escape(name)}</th>" for name in _SUMMARY)
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>
<style>
body {{ font: 15px/1.4 system-ui, sans-serif; margin: 2rem; }}
table {{ border-collapse: collapse; }} th, td {{ border: 1px solid #ccc; padding: .3rem .6rem; text-align: left; }}
tr.no td {{ background: #fdd; }}
</style></head>
<body><h1>{escape(title)}</h1><p>Made {iso(made_s)}. Times are UTC.</p>
<table><thead><tr>{head}</tr></thead><tbody>
{body}
</tbody></table></body></html>
"""


def iso(at_s: float | None) -> str:
    """UTC with milliseconds; empty for None."""
    if at_s is None:
        return ""
    return datetime.fromtimestamp(at_s, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _cells(row: Evidence) -> list[object]:
    return [row.rule, row.law, row.period, row.asked, row.found, row.counted, _kept(row)]


def _kept(row: Evidence) -> str:
    return "" if row.kept is None else "yes" if row.kept else "no"


def _percent(share: Fraction) -> str:
    return f"{float(share) * 100:.2f}%"


def _csv(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(head)
    writer.writerows([inert(str(cell)) for cell in row] for row in rows)
    return text.getvalue()


def inert(cell: str) -> str:
    """A spreadsheet runs what begins like a formula; E.164 numbers do too, and are none."""
    risky = cell.startswith(("=", "+", "-", "@", "\t", "\r")) and not cell[1:].replace(".", "", 1).isdecimal()
    return f"'{cell}" if risky else cell
