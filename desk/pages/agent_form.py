"""What is typed of an agent, as a form has it and as the engine is asked. Pure.

definition --filled--> values of the form --typed--> values --asked--> keys of `config/agents.yaml`
changes(definition, values): the keys that say something else than before
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.datastructures import FormData

Values = dict[str, Any]
"""`known`: her definition, empty for who is new. Numbers are text, as they were typed."""

_LONGEST = 300
_MOST_NAMES = 500
_FLAGS = ("auto_answer", "supervises")


def filled(definition: Mapping[str, Any]) -> Values:
    queues = definition.get("queues", "all")
    device = definition.get("device") or ""
    return {
        "known": definition,
        "agent_id": definition.get("agent_id", ""),
        "name": definition.get("name", ""),
        "code": definition.get("code") or "",
        "pin": "",
        "phone": "own" if definition.get("phone") == "own" or not definition else device and f"device:{device}",
        "skills": {name: str(level) for name, level in definition.get("skills", {}).items()},
        "serves": "all" if queues == "all" else "some",
        "queues": [] if queues == "all" else list(queues),
        "languages": list(definition.get("languages", ())),
        "capacity": str(definition.get("capacity", 100)),
        "auto_answer": bool(definition.get("auto_answer")),
        "supervises": bool(definition.get("supervises")),
    }


def typed(form: FormData) -> tuple[Values, str]:
    """And what is sought beside it. A form without a field leaves it out of the values but for flags, which browsers
    send only when they are set: `flags` names those that the form shows."""
    said = {name: value.strip()[:_LONGEST] for name, value in form.items() if isinstance(value, str)}
    levels = {name.removeprefix("skill."): value for name, value in said.items() if name.startswith("skill.")}
    values: Values = {"known": {}, "agent_id": said.get("agent_id", "")}
    values |= {name: said[name] for name in ("name", "code", "pin", "phone", "capacity", "serves") if name in said}
    values["skills"] = {name: level for name, level in list(levels.items())[:_MOST_NAMES] if level}
    for name in ("queues", "languages"):
        values[name] = [each for each in form.getlist(name) if isinstance(each, str)][:_MOST_NAMES]
    shown = form.getlist("flags")
    values |= {name: name in said for name in _FLAGS if name in shown}
    return values, said.get("q", "")


def asked(values: Values) -> dict[str, Any]:
    """For who is new: only what is said."""
    blank = {**_keys(filled({})), "phone": None}
    return {name: value for name, value in _keys(values).items() if value is not None and value != blank.get(name)}


def changes(definition: Mapping[str, Any], values: Values) -> dict[str, Any]:
    """What says something else than before; None takes it back."""
    before, keys = _keys(filled(definition)), _keys(values)
    told = {name: value for name, value in keys.items() if name not in ("phone", "device") and value != before[name]}
    if "phone" in values and values["phone"] != filled(definition)["phone"]:
        told |= {"phone": "own"} if values["phone"] == "own" else {"phone": None, "device": keys["device"]}
    return told


def _keys(values: Values) -> dict[str, Any]:
    keys: dict[str, Any] = {name: values[name] or None for name in ("name", "code", "pin") if name in values}
    if "phone" in values:
        keys["phone"] = "own" if values["phone"] == "own" else None
        keys["device"] = values["phone"].removeprefix("device:") or None if keys["phone"] is None else None
    keys["skills"] = {name: _number(level) for name, level in values["skills"].items()}
    if "serves" in values:
        keys["queues"] = "all" if values["serves"] == "all" else sorted(values["queues"])
    keys["languages"] = values["languages"]
    if "capacity" in values:
        keys["capacity"] = _number(values["capacity"]) if values["capacity"] else None
    return keys | {name: values[name] for name in _FLAGS if name in values}


def _number(text: str) -> int | str:
    """What is no number stays as it was typed, for who checks it."""
    return int(text) if text.isdecimal() and len(text) < 10 else text
