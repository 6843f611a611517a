"""Campaigns as tables for a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, tzinfo
from typing import Any

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from dialer.compliance.evidence import Evidence
from engine.cli.board_view import duration

View = Mapping[str, Any]

_STYLES = {"running": "bold green", "paused": "yellow", "draining": "cyan", "stopped": "dim"}
_DECISIONS_SHOWN = 12
_COLUMNS = (
    *("campaign", "mode", "state", ">lines", ">agents", ">dialed", ">live", ">connected", ">abandoned", ">spare"),
    *(">hopper", ">left"),
)
_LEFT_OUT = (">hopper", ">connected", ">spare", "mode", ">dialed", ">agents", ">lines", ">abandoned", ">live")
"""Where there is no room for all: which go first."""
_GAP = 3
"""Characters between two columns, at most."""
_LINES = ("dialing", "ringing", "screening", "waiting", "connected", "leaving_message")


def campaign_table(campaigns: Sequence[View], width: int) -> Table:
    """One line a campaign. `width`: characters; where they are few, columns are left out, and no name is cut."""
    several = len({view["tenant"] for view in campaigns}) > 1
    rows = [dict(zip(_COLUMNS, _cells(view, several), strict=True)) for view in campaigns]
    widths = {name: max([len(name.removeprefix(">")), *(len(row[name]) for row in rows)]) + _GAP for name in _COLUMNS}
    shown = list(_COLUMNS)
    for name in _LEFT_OUT:
        if sum(widths[each] for each in shown) > width:
            shown.remove(name)
    table = _table(*shown)
    for column in table.columns:
        column.no_wrap = column.header != "campaign"
        column.overflow = "fold"
    for row in rows:
        table.add_row(*(row[name] for name in shown))
    return table


def _cells(view: View, several: bool) -> tuple[Text, ...]:
    today, lines, agents = view["today"], view["lines"], view["agents"]
    tightest = min(view["abandonment"], key=lambda limit: limit["spare"], default=None)
    texts = (
        f"{lines['dialing'] + lines['ringing']}+{lines['connected']}",
        f"{agents['ready']}/{agents['ready'] + agents['busy']}",
        str(today["dialed"]),
        str(today["live"]),
        str(today["connected"]),
        _share(today["abandoned"], today["live"]),
        "" if tightest is None else str(tightest["spare"]),
        str(view["hopper"]),
        str(sum(view["leads"].get(state, 0) for state in ("new", "waiting", "callback", "staged"))),
    )
    name = f"{view['tenant']}/{view['campaign']}" if several else str(view["campaign"])
    return (Text(name), Text(str(view["mode"])), _state(view), *map(Text, texts))


def campaign_page(view: View, now_s: float) -> Group:
    """One campaign with everything known of it. `view`: with `decisions` and `store`."""
    parts: list[RenderableType] = [
        Text.assemble(
            (str(view["title"]), "bold"),
            f"  {view['mode']}, {view['purpose']}, {' + '.join(view['packs']) or 'no rule pack'}",
        ),
        Text.assemble(_state(view), f"  {view['why']}" if view["why"] else ""),
    ]
    if view.get("halted"):
        parts.append(Text(f"nobody is dialed: {view['halted']}", style="bold red"))
    store = view.get("store") or {}
    if store.get("away"):
        parts.append(
            Text(
                f"the store of leads has been away for {duration(store['away_s'])} ({store['away']}): nobody new is "
                f"staged; {store['unsaved']} rows wait in the journal",
                style="bold red",
            )
        )
    parts += [_now(view), _leads(view["leads"]), Text("")]
    parts += [_limits(view["abandonment"])] if view["abandonment"] else []
    parts += [_quotas(view["quotas"])] if view.get("quotas") else []
    if view.get("dispositions"):
        parts.append(Text(f"today they ended with: {said_today(view['dispositions'])}"))
    parts += [Text(detector_words(view["detector"]))] if (view.get("detector") or {}).get("told") else []
    decisions = view.get("decisions", ())[:_DECISIONS_SHOWN]
    if decisions:
        table = _table("when", ">times", ">dials", ">ready", ">in flight", "why")
        _unbroken(table, but="why")
        for each in decisions:
            count = Text(str(each["count"]), style="bold" if each["count"] else "dim")
            figures = str(each.get("times", 1)), count, str(each.get("ready", "")), str(each.get("lines", ""))
            table.add_row(_ago(each, now_s), *figures, Text(each["why"]))
        parts.append(table)
    return Group(*parts)


def _ago(run: View, now_s: float) -> str:
    """`1:05 ago`; `1:05 to 0:02 ago` where it was decided several times."""
    last, first = duration(now_s - run["at_s"]), duration(now_s - run.get("since_s", run["at_s"]))
    return f"{last} ago" if first == last else f"{first} to {last} ago"


def why_page(told: View, zone: tzinfo = UTC) -> Group:
    """Why a lead was or was not dialed; times by the site's clock, as the sentences tell them."""
    head = Text.assemble((str(told["lead_id"]), "bold"), f"  {told.get('name', '')}  {told['state']}")
    parts: list[RenderableType] = [head]
    parts += [Text(f"- {sentence}") for sentence in told["sentences"]]
    numbers = _table("number", "may be dialed", "why not", "when next")
    _unbroken(numbers, but="why not")
    for number in told["numbers"]:
        reasons = [f"{block['rule']}: {block['why']}" for block in number["blocks"]]
        if number["dead"]:
            reasons.insert(0, f"given up: {number['dead']}")
        allowed = Text("yes", style="green") if number["allowed"] else Text("no", style="red")
        numbers.add_row(str(number["number"]), allowed, Text("\n".join(reasons)), moment(number["next_s"], zone))
    if told["numbers"]:
        parts.append(numbers)
    if told["attempts"]:
        attempts = _table("dialed", "number", "result", "disposition")
        _unbroken(attempts, but="disposition")
        for past in told["attempts"]:
            result, said = str(past["state"]).replace("_", " "), str(past.get("disposition", ""))
            attempts.add_row(moment(past["dialed_s"], zone), str(past["number"]), result, Text(said))
        parts.append(attempts)
    next_s = told["next_s"]
    when = (
        f"She may be dialed from {moment(next_s, zone)} on." if next_s is not None else "Time alone will not change it."
    )
    parts.append(Text(when, style="bold"))
    return Group(*parts)


def said_today(dispositions: View) -> str:
    """The most frequent first: `sold/new 12, interested 3`."""
    ranked = sorted(dispositions.items(), key=lambda item: (-item[1], item[0]))
    return ", ".join(f"{path} {count}" for path, count in ranked)


def evidence_table(lines: Iterable[Evidence]) -> Table:
    table = _table("rule", "period", "asked", "found", "kept")
    for line in lines:
        kept = {None: "", True: "yes", False: "NO"}[line.kept]
        style = "bold red" if line.kept is False else ""
        table.add_row(line.rule, line.period, Text(line.asked), Text(line.found), Text(kept, style=style))
    return table


def moment(at_s: float | None, zone: tzinfo = UTC) -> str:
    """To the second; empty for None."""
    return "" if at_s is None else f"{datetime.fromtimestamp(at_s, zone):%Y-%m-%d %H:%M:%S}"


def detector_words(heard: View) -> str:
    """How often agents met a machine that the detector had let through."""
    share = heard["machines"] / heard["told"]
    return (
        f"Detector: of {heard['told']} answers that it gave to agents, they called {heard['machines']} machines "
        f"({share:.1%}; 95%: {heard['least']:.1%} to {heard['most']:.1%}). Of what it took for machines nobody tells: "
        "listen to a sample."
    )


def _now(view: View) -> Text:
    agents = view["agents"]
    lines = _counted({name: view["lines"][name] for name in _LINES})
    staff = _counted({"ready": agents["ready"], "busy": agents["busy"], "on held lines": agents["lines"]})
    rest = _counted({"in the hopper": view["hopper"], "dialed today": view["today"]["dialed"]})
    return Text.assemble(
        "\n", ("lines   ", "dim"), lines, "\n", ("agents  ", "dim"), staff, "\n", ("leads   ", "dim"), rest
    )


def _limits(limits: Sequence[View]) -> Text:
    """A sentence for each: a table of so many columns would be cut where the terminal is narrow."""
    said = Text()
    for limit in limits:
        ratio = f"{limit['ratio']:.2%}"
        said.append(f"{limit['rule']}", "bold")
        said.append(f" until {moment(limit['until_s'])} UTC: {limit['abandoned']} of {limit['live']} live abandoned, ")
        said.append(ratio, "bold red" if limit["ratio"] > limit["most"] else "")
        said.append(f"; at most {limit['most']:.1%}, {limit['spare']} more may still be; ")
        said.append(f"taken for machines {limit.get('machines', 0)}, people at worst {limit.get('at_worst', 0)}\n")
    return said


def _quotas(quotas: Sequence[View]) -> Text:
    said = Text.assemble(("quotas  ", "dim"))
    for index, quota in enumerate(quotas):
        said.append(f"{' · ' if index else ''}{quota['name']} {quota['reached']} of {quota['most']}")
        said.append(", reached" if quota["reached"] >= quota["most"] else "", "bold yellow")
    return said


def _leads(leads: Mapping[str, int]) -> Text:
    return Text.assemble(("lists   ", "dim"), _counted(leads))


def _counted(numbers: Mapping[str, int]) -> str:
    """`3 ringing · 2 connected`: every one of them, zeros too, so that the place of each stays."""
    return " · ".join(f"{number} {name.replace('_', ' ')}" for name, number in numbers.items())


def _state(view: View) -> Text:
    return Text(str(view["state"]), style=_STYLES.get(str(view["state"]), ""))


def _share(part: int, whole: int) -> str:
    return f"{part} ({part / whole:.1%})" if whole else str(part)


def _table(*columns: str) -> Table:
    """A column that begins with `>` is right-aligned."""
    table = Table(box=box.SIMPLE_HEAD, expand=False, pad_edge=False)
    for column in columns:
        table.add_column(column.removeprefix(">"), justify="right" if column.startswith(">") else "left")
    return table


def _unbroken(table: Table, but: str) -> None:
    """Only one column gives way where the terminal is narrow."""
    for column in table.columns:
        column.no_wrap = column.header != but
        column.overflow = "fold"
