"""`centralita flow try`: one call in the terminal, in virtual time."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import ValidationError
from rich.panel import Panel
from rich.text import Text

from engine.cli.common import fail, out
from engine.cli.flow_whole import Flows
from engine.cli.transcript import coloured
from ivr.model import Release
from ivr.node import NodeModel
from ivr.scenario.given import GivenModel
from ivr.walk import Walk

PIN = "0000"
"""What every generated PIN is while a flow is tried out."""
_SHORT = {"h": "hang up", "r": "restart", "v": "vars", "p": "path"}
_KEYS = re.compile(r"[0-9*#]{1,40}")
_SILENCE = re.compile(r"s?(?:ilence)?\s*(\d{0,5}(?:\.\d+)?)")
HELP = """\
1, 22#      press keys
s, s 20     say nothing (10 seconds, or so many); an empty line too
h           hang up
r           the engine dies and comes back: does the caller keep her place?
v           the variables now
p           the whole call so far
?           this"""


def circumstances(flows: Flows, tenant: str, said: Mapping[str, str], pairs: Mapping[str, Iterable[str]]) -> GivenModel:
    """The options of the command line as a scenario's `given`. `pairs`: key -> `name=value` texts.

    Ends the command when one of them cannot be.
    """
    zone = flows.time_zone
    given: dict[str, Any] = {
        "time": datetime.now(ZoneInfo(zone)).strftime("%Y-%m-%d %H:%M"),
        "timezone": zone,
        "pins": dict.fromkeys(_pins(flows.release, tenant), PIN),
        **{key: value for key, value in said.items() if value},
        **{key: dict(_pair(text) for text in texts) for key, texts in pairs.items()},
    }
    try:
        return GivenModel.model_validate(given)
    except ValidationError as failure:
        fail("\n".join(_said(error) for error in failure.errors(include_url=False)), 2)


def walk_through(walk: Walk, release: Release, tenant: str, title: str, given: GivenModel) -> None:
    """Goes on until the call is over."""
    text = Text(f"{given.caller} calls, {given.time} in {given.timezone}")
    if given.pins:
        text.append(f"; every PIN is {PIN}")
    text.append("\nkeys · s silence · h hang up · ? more", style="dim")
    out.print(Panel(text, title=title, expand=False))
    _say(walk.begin())
    while not walk.is_over:
        flow_id, _, node_id = walk.where.partition("/")
        flow = release.flow(tenant, flow_id)
        line = _ask(walk.where, keys_of(flow.nodes[node_id], walk.listed) if flow else "")
        meant = _meant(line)
        if meant:
            _say(walk.do(meant))
        else:
            out.print(HELP, markup=False)


def keys_of(node: NodeModel, listed: Iterable[str] = ()) -> str:
    """What may be pressed at this node, in short. `listed`: keys of choices that come from a list."""
    digits = getattr(node, "digits", None)
    if isinstance(digits, tuple):
        least, most = digits
        return f"{least} digits" if least == most else f"{least}-{most} digits"
    if getattr(node, "secret_pin", ""):
        return "PIN"
    keys = getattr(node, "keys", None)
    if isinstance(keys, Mapping):
        return " ".join((*listed, *keys))
    review = getattr(node, "review", None)
    return f"{review.keep} {review.listen} {review.again}" if review is not None else ""


def _ask(where: str, keys: str) -> str:
    try:
        shown = Text.assemble((where, "cyan"), (f" [{keys}]" if keys else "", "dim"), ("> ", "bold yellow"))
        line = out.input(shown).strip().lower()
        if not sys.stdin.isatty():
            out.print(line, markup=False)
        return line
    except (EOFError, KeyboardInterrupt):
        out.print()
        return "h"


def _meant(line: str) -> str:
    """The line in the walk's words; empty when it is nothing a caller does."""
    if _KEYS.fullmatch(line):
        return line
    if silence := _SILENCE.fullmatch(line):
        return f"silence {silence[1]}".strip()
    return line if line in _SHORT.values() else _SHORT.get(line, "")


def _say(text: str) -> None:
    out.print(coloured(text))


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.rpartition("=")
    if not equals:
        fail(f"'{text}' is no pair: write name=value", 2)
    return name, value


def _said(error: Any) -> str:
    context = error.get("ctx", {})
    where = " ".join(str(part) for part in error["loc"])
    what, hint = context.get("what", error["msg"]), context.get("hint", "")
    return f"{where}: {what}" + (f": {hint}" if hint else "")


def _pins(release: Release, tenant: str) -> set[str]:
    nodes = (node for flow in release.flows.values() if flow.tenant == tenant for node in flow.nodes.values())
    return {name for node in nodes if (name := str(getattr(node, "secret_pin", "")))}
