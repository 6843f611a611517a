"""A call on paper, in colour: what is heard stands out, where it is said can be seen, the rest steps back."""

from __future__ import annotations

import re
from collections.abc import Iterable

from rich.console import Group
from rich.table import Table
from rich.text import Text

_LINE = re.compile(r"^(?P<mark>→| )(?P<at>\s*-?[\d.]+ s)  (?P<what>.*)$")
_PRESSED = re.compile(r"^.\s*[\d.]+ s\s+>> press ([0-9*#]+)$")
_NODE = re.compile(r"^\[([\w/-]+)\]$")
_OBVIOUS = re.compile(r"^leaves by next to ")


def coloured(transcript: str) -> Group:
    """`transcript`: as `ivr.scenario.compare.show` writes it; other lines stay as they are."""
    table = Table.grid(padding=(0, 2))
    table.add_column(justify="right", no_wrap=True)
    table.add_column(overflow="fold")
    others: list[Text] = []
    for line in _joined(transcript.splitlines()):
        found = _LINE.match(line)
        if found is None:
            others.append(Text(line))
        elif found["mark"] == "→" or not _OBVIOUS.match(found["what"].strip()):
            style = "bold red" if found["mark"] == "→" else "dim"
            table.add_row(Text(f"{found['mark']}{found['at']}", style=style), _what(found["what"].strip()))
    return Group(table, *others) if table.row_count else Group(*others)


def _joined(lines: Iterable[str]) -> list[str]:
    """Keys pressed in a row, with nothing between, on one line."""
    joined: list[str] = []
    for line in lines:
        key = _PRESSED.match(line)
        if key and joined and _PRESSED.match(joined[-1]) and not line.startswith("→"):
            joined[-1] += key[1]
        else:
            joined.append(line)
    return joined


def _what(what: str) -> Text:
    if node := _NODE.match(what):
        return Text(node[1], style="bold cyan")
    if what.startswith("“"):
        end = what.rfind("”") + 1
        return Text.assemble((what[:end], "bold"), (what[end:], "dim"))
    if what.startswith(">>"):
        return Text(what[2:].strip(), style="bold yellow")
    return Text(what, style="dim")
