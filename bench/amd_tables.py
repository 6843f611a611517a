"""Tables of bench.amd: who was called what, with 95 % intervals (Wilson), and how soon."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import sqrt

import numpy as np
from rich.table import Table

from bench.amd_examples import TONES, Example, Told, is_right

_Z = 1.96
_DOUBTED = ("not_sure", "silence")
"""They go to a person."""
_COLUMNS = ("human", "not_sure", "machine", "beep", "silence", "tone", "failed")
_ROWS = ("short", "business", "voicemail", "recorded", "network", "screener", TONES, "silence")


def wilson(hits: int, of: int) -> tuple[float, float]:
    """The interval in which the true share lies with 95 %."""
    if not of:
        return 0.0, 1.0
    share, z2 = hits / of, _Z * _Z
    middle = (share + z2 / (2 * of)) / (1 + z2 / of)
    half = _Z / (1 + z2 / of) * sqrt(share * (1 - share) / of + z2 / (4 * of * of))
    return max(0.0, middle - half), min(1.0, middle + half)


def share(hits: int, of: int) -> str:
    low, high = wilson(hits, of)
    return f"{hits}/{of} = {100 * hits / max(1, of):.1f} % ({100 * low:.1f}–{100 * high:.1f})"


def confusion(name: str, told: Sequence[Told], by_name: Mapping[str, Example]) -> Table:
    table = Table(title=name)
    for column in ("what it was", *_COLUMNS):
        table.add_column(column, justify="right")
    for row in _ROWS:
        labels = [_column(one.label) for one in told if _row(by_name[one.name]) == row]
        if labels:
            table.add_row(f"{row} ({len(labels)})", *(str(labels.count(column) or "·") for column in _COLUMNS))
    return table


def summary(told: Mapping[str, Sequence[Told]], by_name: Mapping[str, Example]) -> Table:
    table = Table(title="Shares with 95 % intervals; seconds from the answer")
    table.add_column("")
    for name in told:
        table.add_column(name, justify="right")
    columns = [_figures(each, by_name) for each in told.values()]
    for row in columns[0]:
        table.add_row(row, *(column[row] for column in columns))
    return table


def _figures(told: Sequence[Told], by_name: Mapping[str, Example]) -> dict[str, str]:
    pairs = [(by_name[one.name], one) for one in told if one.label != "failed"]
    people = [(e, one) for e, one in pairs if e.side == "human"]
    business = [(e, one) for e, one in people if e.kind == "business"]
    machines = [(e, one) for e, one in pairs if e.side == "machine"]
    tones = [(e, one) for e, one in pairs if e.side == TONES]
    spoken = people + machines
    return {
        "people called machines": _lost(people),
        "  of them businesses": _lost(business),
        "people, not sure or silent": share(sum(one.label in _DOUBTED for _, one in people), len(people)),
        "machines called people": share(sum(one.label == "human" for _, one in machines), len(machines)),
        "machines, not sure or silent": share(sum(one.label in _DOUBTED for _, one in machines), len(machines)),
        "wrong, of people and machines": share(sum(not is_right(e, one.label) for e, one in spoken), len(spoken)),
        "tones right": share(sum(is_right(e, one.label) for e, one in tones), len(tones)),
        "tones sent to a person": share(sum(one.label in ("human", *_DOUBTED) for _, one in tones), len(tones)),
        '"hello?" told human, p50 / p95 s': _times([one.at_s for e, one in people if e.hello and one.label == "human"]),
        "  after the voice began": _times(
            [one.at_s - e.onset_s for e, one in people if e.hello and one.label == "human"]
        ),
        "businesses told human": _times([one.at_s for _, one in business if one.label == "human"]),
        "machines told": _times([one.at_s for _, one in machines if one.label in ("machine", "beep")]),
        "tones told": _times([one.at_s for _, one in tones if one.label not in ("human", "not_sure")]),
    }


def _lost(people: Sequence[tuple[Example, Told]]) -> str:
    return share(sum(one.label not in ("human", "not_sure", "silence") for _, one in people), len(people))


def _times(seconds: Sequence[float]) -> str:
    return f"{np.median(seconds):.2f} / {np.quantile(seconds, 0.95):.2f}" if len(seconds) else "–"


def _row(example: Example) -> str:
    return example.side if example.side in (TONES, "silence") else example.kind


def _column(label: str) -> str:
    return label if label in _COLUMNS else "tone"
