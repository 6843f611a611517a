"""`centralita campaign create`: a new campaign's file, asked for or told by options, checked with everything else."""

from __future__ import annotations

import asyncio
import json as jsons
import re
import sys
from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any

import typer

from engine.cli.common import JsonOption, ProjectOption, counted, fail, home_of, out, print_json, print_problems

if TYPE_CHECKING:
    from definitions.problems import Problems
    from dialer.setup import CampaignSetup
    from engine.config.configuration import Configuration
    from engine.home import Home

_WITH_AGENTS = ("manual", "preview", "progressive", "power", "predictive")
_DROPS = ("preview", "progressive", "power", "predictive")
"""Modes in which somebody may answer and find nobody."""
_ON_HELD_LINES = ("progressive", "power", "predictive")
_HANG_UP = "hang_up"
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")
_HEAD = (
    "# yaml-language-server: $schema={up}docs/schema/campaign.json\n# Everything else it can say: docs/campaigns.md\n"
)


def create(
    name: Annotated[str, typer.Argument(help="Its id: a-z, 0-9, _ and -; its file is called so.", metavar="NAME")] = "",
    title: Annotated[str, typer.Option(help="For people; the name unless told.")] = "",
    mode: Annotated[
        str, typer.Option(help=f"Who dials what: {', '.join((*_WITH_AGENTS, 'agentless'))} (docs/campaigns.md).")
    ] = "",
    purpose: Annotated[str, typer.Option(help="The law depends on it: sales, service, collections, survey, …")] = "",
    pack: Annotated[
        list[str] | None, typer.Option(help="A rule pack of config/compliance/; several: the strictest rule wins.")
    ] = None,
    list_: Annotated[
        list[str] | None,
        typer.Option("--list", metavar="LIST[=WEIGHT]", help="Whom it calls; several are mixed by weight."),
    ] = None,
    queue: Annotated[str, typer.Option(help="Whose agents talk; not with agentless.")] = "",
    flow: Annotated[str, typer.Option(help="Agentless: the flow they hear.")] = "",
    caller_id: Annotated[
        list[str] | None, typer.Option(help="A number people see, +34910100110; several take turns.")
    ] = None,
    drop: Annotated[
        str, typer.Option(metavar="FLOW", help="What who answers and finds nobody hears: a flow, or `hang_up`.")
    ] = "",
    max_lines: Annotated[int, typer.Option(min=1, help="Agentless: so many calls at once.")] = 10,
    tenant: Annotated[str, typer.Option(help="Whose campaign.")] = "main",
    project: ProjectOption = None,
    json: JsonOption = False,
) -> None:
    """Write a new campaign to config/campaigns/NAME.yaml. What is not told is asked for, where somebody can answer.

    It is checked together with everything else first, and nothing is written while anything is wrong; a file that is
    there is never overwritten. Where the engine runs it is in force at once, and stopped until it is started.
    """
    from definitions.layout import file_of

    home = home_of(project)
    known = _configuration(home)
    told = {
        "name": name,
        "mode": mode,
        "purpose": purpose,
        "packs": tuple(pack or ()),
        "lists": tuple(list_ or ()),
        "queue": queue,
        "flow": flow,
        "caller_ids": tuple(caller_id or ()),
        "drop": drop,
    }
    wanted = _completed(told, known, tenant, ask=_can_ask() and not json)
    wanted |= {"title": title, "max_lines": max_lines}
    if wanted["drop"] != _HANG_UP and re.sub(r"\W|_", "", wanted["drop"].lower()) == "hangup":
        fail(f"--drop {wanted['drop']}: to hang up, write {_HANG_UP}", 2)
    text = yaml_of(wanted, tenant)
    if not _NAME.fullmatch(wanted["name"]):
        fail(f"'{wanted['name'][:60]}' is no name: write a-z, 0-9, _ and -", 2)
    file = file_of(tenant, "campaigns", wanted["name"])
    if (home.project / file).exists():
        fail(f"{file} is there already: choose another name, or edit it and `centralita reload`")
    problems, tried = _tried(home, file, text)
    if problems.errors:
        if json:
            print_json({"ok": False, "file": "", "problems": [str(each) for each in problems.errors]})
        else:
            print_problems(problems.errors)
        fail(f"nothing was written: {counted(len(problems.errors), 'error')}")
    answered, runs = _written(home, tenant, str(wanted["name"]), text)
    if not answered.get("ok"):
        fail(f"nothing was written: {answered.get('why') or 'the engine refused'}")
    if json:
        print_json({"ok": True, "file": file, "in_force": runs, "problems": answered.get("problems", [])})
        return
    out.print(f"{file} is written" + (" and in force; it is stopped." if runs else "."), soft_wrap=True)
    for each in list(_lists(wanted["lists"]))[:1]:
        out.print(f"Next: `centralita lists import FILE --list {each}`", soft_wrap=True)
    if tried is not None:
        for each in _before_dialing(home, tried.campaigns.campaigns[tenant, str(wanted["name"])]):
            out.print(each, soft_wrap=True, markup=False)
    start = "" if runs else "`centralita up`, "
    out.print(f"Then: {start}`centralita campaign start {wanted['name']}`", soft_wrap=True)


def _before_dialing(home: Home, setup: CampaignSetup) -> list[str]:
    """What a campaign that is right still needs before it dials somebody."""
    import time

    from desk.lists.registers import registers_at_hand
    from dialer.cannot_dial import without_register

    told = []
    if missing := without_register(registers_at_hand(home.state), setup, time.time()):
        told.append(f"Before it may dial: {missing}")
    if setup.held_lines and setup.mode.value in _ON_HELD_LINES:
        told.append("Its agents wait on a held line: they dial *455 (`pacing: {held_lines: false}` rings their phones)")
    return told


def yaml_of(wanted: Mapping[str, Any], tenant: str = "main") -> str:
    """The file. What was left out is left out of it, too."""
    import yaml

    mode = wanted["mode"]
    body: dict[str, Any] = {"campaign": wanted["name"]}
    body |= {"title": wanted["title"]} if wanted.get("title") else {}
    body |= {"mode": mode, "purpose": wanted["purpose"], "packs": list(wanted["packs"])}
    lists = _lists(wanted["lists"])
    if lists:
        body["lists"] = list(lists) if set(lists.values()) == {1} else lists
    body |= {key: wanted[key] for key in ("queue", "flow") if wanted.get(key)}
    if wanted["caller_ids"]:
        body["caller_ids"] = [{"name": "all", "numbers": list(wanted["caller_ids"])}]
    if wanted.get("drop"):
        drop = wanted["drop"]
        body["drop"] = {"action": _HANG_UP} if drop == _HANG_UP else {"action": "message", "flow": drop}
    if mode == "agentless":
        body["pacing"] = {"max_lines": wanted.get("max_lines", 10)}
    head = _HEAD.format(up="../../" if tenant == "main" else "../../../../")
    return head + yaml.safe_dump(body, sort_keys=False, allow_unicode=True, default_flow_style=None, width=110)


def _completed(told: dict[str, Any], known: Configuration, tenant: str, *, ask: bool) -> dict[str, Any]:
    """With everything a campaign needs; ends the command, naming all that is missing, where nobody can be asked."""
    from dialer.compliance.rules import Purpose

    queues = sorted(name for owner, name in known.routing.queues if owner == tenant)
    flows = sorted(name for owner, name in known.release.flows if owner == tenant)
    purposes = [each.value for each in Purpose]
    missing: list[str] = []

    def need(key: str, option: str, question: str, choices: Collection[str] = (), default: str = "") -> None:
        if told[key]:
            return
        if not ask:
            missing.append(option)
            return
        given = _asked(question, choices, default)
        several = isinstance(told[key], tuple)
        told[key] = tuple(part for part in given.replace(",", " ").split() if part) if several else given

    need("name", "NAME", "Its name (a-z, 0-9, _ and -)")
    need("mode", "--mode", "Who dials what", (*_WITH_AGENTS, "agentless"))
    need("purpose", "--purpose", "What for", purposes)
    need("packs", "--pack", f"Rule packs, separated by commas ({', '.join(sorted(known.dialing))})")
    if told["mode"] != "manual":
        need("lists", "--list", "Lists of leads, separated by commas")
    if told["mode"] == "agentless":
        need("flow", "--flow", "The flow they hear", flows)
    else:
        need("queue", "--queue", "Whose agents talk", queues)
    need("caller_ids", "--caller-id", "Numbers people see, separated by commas (+34910100110)")
    if told["mode"] in _DROPS:
        shown = "safe_harbour" if "safe_harbour" in flows else ""
        need("drop", "--drop", "The flow for who answers and finds nobody, or hang_up", (*flows, _HANG_UP), shown)
    if missing:
        fail(f"still to be told: {', '.join(missing)} (see --help)", 2)
    return told


def _asked(question: str, choices: Collection[str], default: str) -> str:
    among = f" ({', '.join(choices)})" if choices else ""
    while True:
        given = str(typer.prompt(f"{question}{among}", default=default or None)).strip()
        if not choices or given in choices:
            return given
        out.print(f"'{given[:60]}' is none of them", markup=False)


def _can_ask() -> bool:
    return sys.stdin.isatty()


def _lists(given: Collection[str]) -> dict[str, int]:
    """List -> weight. Ends the command when a weight is no number from 1, or a list is told twice."""
    found: dict[str, int] = {}
    for each in given:
        name, sign, weight = each.partition("=")
        if sign and not (weight.isdecimal() and int(weight)):
            fail(f"--list {each}: the weight is a whole number, like {name}=3", 2)
        if name in found:
            fail(f"--list {name} is told twice: once is enough", 2)
        found[name] = int(weight or 1)
    return found


def _configuration(home: Home) -> Configuration:
    """What is there already. Ends the command when it has errors."""
    from engine.config.loader import load
    from engine.config.sources import read_sources

    known = load(read_sources(home.project)).configuration
    if known is None:
        fail("the configuration has errors, mend them first: `centralita check` says which")
    return known


def _tried(home: Home, file: str, text: str) -> tuple[Problems, Configuration | None]:
    """What is wrong with everything once the file is there, and what it then is."""
    from definitions.problems import Problems
    from engine.config.loader import load
    from engine.config.sources import read_sources

    loaded = load({**read_sources(home.project), file: text})
    # The file is not there yet: its lines say nothing to who has only answered questions.
    found = Problems(replace(each, line=0, column=0) if each.file == file else each for each in loaded.problems)
    return found, loaded.configuration


def _written(home: Home, tenant: str, name: str, text: str) -> tuple[Mapping[str, Any], bool]:
    """(the answer, whether an engine has it in force): by the running engine as over the API, or else alike without."""
    import msgspec

    from engine.campaign_files import Asked, CampaignFiles
    from engine.cli.client import if_running, post
    from engine.config.trial import try_out

    asked = Asked(tenant, name, text)
    if if_running(home, "/status") is not None:
        return post(home, "/dialer/files", msgspec.structs.asdict(asked)), True

    async def look() -> dict[str, Any]:
        found = await asyncio.to_thread(try_out, home.project)
        return {"reloaded": not found.errors, "problems": [str(each) for each in found]}

    answer = asyncio.run(CampaignFiles(home.project, look).put(asked))
    found: dict[str, Any] = jsons.loads(bytes(answer.body))
    return found, False
