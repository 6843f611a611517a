"""The live board as tables for a terminal: queues, agents, who waits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from rich import box
from rich.console import Group
from rich.table import Table
from rich.text import Text

View = Mapping[str, Any]

_STYLES = {
    "ready": "green",
    "talking": "bold cyan",
    "ringing": "yellow",
    "reserved": "yellow",
    "hold": "magenta",
    "consulting": "magenta",
    "wrap_up": "blue",
    "not_ready": "red",
    "logged_out": "dim",
}
_WAITING_SHOWN = 15


def board(agents: Sequence[View], queues: Sequence[View], stays: Sequence[View], now_s: float) -> Group:
    """Everything at `now_s` (UTC seconds)."""
    several = len({view["tenant"] for view in (*agents, *queues)}) > 1
    return Group(
        queue_table(queues, now_s, several), agent_table(agents, now_s, several), waiting_table(stays, now_s, several)
    )


def queue_table(queues: Sequence[View], now_s: float, several: bool = False) -> Table:
    table = _table("queue", ">waiting", ">longest", ">EWT", ">free/\nhere", ">answered", ">abandoned", ">in\ntarget")
    for queue in queues:
        today = queue.get("today", {})
        name = Text(_name(queue, "queue", several), style="bold" if queue.get("open", True) else "dim strike")
        waiting = int(queue["waiting"])
        longest = duration(now_s - queue["waits_since_s"]) if waiting else ""
        level = today.get("service_level", -1.0)
        table.add_row(
            name,
            Text(str(waiting), style="bold yellow" if waiting else "dim"),
            longest,
            _expected(queue),
            f"{queue['available']}/{queue['logged_in']}",
            str(today.get("answered", 0)),
            str(today.get("abandoned", 0)),
            f"{level:.0f}%" if isinstance(level, int | float) and level >= 0 else "",
        )
    return table


def _expected(queue: View) -> str:
    """`1:40–4:30`: four in five who join now are answered in that time."""
    likely_s, low_s, high_s = (float(queue.get(name, -1.0)) for name in ("ewt_s", "ewt_low_s", "ewt_high_s"))
    if likely_s < 0:
        return "?"
    ends = [duration(seconds) for seconds in ((low_s, high_s) if high_s >= 0 else (likely_s, likely_s))]
    return "–".join(dict.fromkeys(ends))


def agent_table(agents: Sequence[View], now_s: float, several: bool = False) -> Table:
    table = _table("agent", "looks", ">since", "with", "phone", ">handled")
    for agent in agents:
        looks = str(agent["looks"])
        words = looks.replace("_", " ") + (f" ({agent['reason']})" if agent["reason"] else "")
        if agent["pending"]:
            words += f", then {str(agent['pending']).replace('_', ' ')}"
        phone = str(agent["device"]) + (" line" if agent.get("line") else "")
        away = "" if agent.get("reachable", True) else " away"
        table.add_row(
            _name(agent, "agent_id", several),
            Text(words, style=_STYLES.get(looks, "")),
            duration(now_s - agent["looks_since_s"]) if looks != "logged_out" else "",
            ", ".join(str(work["queue"]) or "in person" for work in agent["assignments"]),
            Text.assemble(phone, (away, "red")),
            str(agent.get("handled", 0)),
        )
    return table


def waiting_table(stays: Sequence[View], now_s: float, several: bool = False) -> Table:
    stays = [stay for stay in stays if stay["counted"]]
    table = _table("who waits", "queue", ">place", ">waited", ">priority", ">step", "now")
    for stay in stays[:_WAITING_SHOWN]:
        waited_s = now_s - stay["joined_s"] + stay["waited_before_s"]
        now = f"rings {stay['agent_id']}" if stay["state"] == "offered" else ""
        queue = _name(stay, "queue", several) if stay["queue"] else ""
        place = str(stay["position"]) if stay.get("position") else ""
        cells = (place, duration(waited_s), str(stay["priority"]), str(stay["step"] or ""), now)
        table.add_row(str(stay["interaction_id"]), queue, *cells)
    if len(stays) > _WAITING_SHOWN:
        table.add_row(f"… and {len(stays) - _WAITING_SHOWN} more", *[""] * 6)
    return table


def duration(seconds: float) -> str:
    """`0:07`, `12:34`, `1:02:03`."""
    minutes, rest = divmod(max(0, int(seconds)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def _name(view: View, what: str, several: bool) -> str:
    return f"{view['tenant']}/{view[what]}" if several else str(view[what])


def _table(*columns: str) -> Table:
    """A column that begins with `>` is right-aligned, and as wide as its figures. In a narrow terminal the others are
    folded: nothing is cut off."""
    table = Table(box=box.SIMPLE_HEAD, expand=False, pad_edge=False, padding=(0, 1, 0, 0))
    for column in columns:
        right = column.startswith(">")
        justify: Literal["right", "left"] = "right" if right else "left"
        table.add_column(column.removeprefix(">"), justify=justify, no_wrap=right, overflow="fold")
    return table
