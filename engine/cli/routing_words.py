"""Why this agent and this wait, as a paragraph and tables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from acd.words import why_not

_SHOWN = 20
_MOMENT_S = 1e9
"""No other score is as large as UTC seconds are."""


def routing(told: Mapping[str, Any], now: Mapping[str, Any] | None) -> Group:
    """`told`: what the journal says; `now`: what the engine says of one who still waits, None when nobody does."""
    return Group(*_parts(told, now))


def _parts(told: Mapping[str, Any], now: Mapping[str, Any] | None) -> Iterator[RenderableType]:
    yield Text(told["paragraph"])
    for offer in told["offers"]:
        if offer.get("considered"):
            yield Text(f"\noffer at +{offer['at_s']:.1f} s", style="bold cyan")
            yield _candidates(offer["considered"], offer["excluded"], offer["agent_id"])
            yield Text(_rank(offer), style="dim")
            if offer.get("later"):
                yield Text(_later(offer["later"], offer["agent_id"]), style="dim")
    if now is None:
        return
    for title, found in (("now", now["now"]), (f"{now['later_s']:.0f} s later, if only time passes", now["later"])):
        if found is not None:
            yield Text(f"\n{title}", style="bold cyan")
            yield Text(found["paragraph"])
            yield _candidates(found["agents"], {}, found["agent_id"])


def _candidates(considered: list[dict[str, Any]], excluded: Mapping[str, int], winner: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for column in ("agent", "could have it", "why not", "score"):
        table.add_column(column, overflow="fold")
    for each in considered[:_SHOWN]:
        name = Text(each["agent_id"], style="bold green" if each["agent_id"] == winner else "")
        could = "" if each["excluded"] else "yes"
        score = ", ".join(map(_score, each["score"]))
        table.add_row(name, could, why_not(each["excluded"]), score)
    for reason, number in excluded.items():
        table.add_row("1 other" if number == 1 else f"{number} others", "", why_not(reason), "", style="dim")
    if len(considered) > _SHOWN:
        table.add_row(f"… {len(considered) - _SHOWN} more", "", "", "", style="dim")
    return table


def _rank(offer: Mapping[str, Any]) -> str:
    parts = " + ".join(f"{name} {value:.1f}" for name, value in offer["rank"].items() if value)
    before = f"; served before {offer['ahead_of']}" if offer["ahead_of"] else ""
    return f"its score: {parts or '0'}{before}"


def _later(later: Mapping[str, Any], agent_id: str) -> str:
    had = f"had what led to it happened {later['later_s']:.0f} s later"
    if not later["agent_id"]:
        return f"{had}, nobody would have been offered it then. {later['paragraph']}".rstrip()
    same = f"{agent_id} as well" if later["agent_id"] == agent_id else str(later["agent_id"])
    return f"{had}, it would have been offered to {same}, {later['at_s']:.1f} s later than it was"


def _score(value: float) -> str:
    """A moment is told as one: who has been idle longest has the earliest."""
    return f"since {datetime.fromtimestamp(value, UTC):%H:%M:%S}" if value > _MOMENT_S else f"{value:g}"
