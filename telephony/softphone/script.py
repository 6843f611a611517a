"""A phone's script: JSON lines, one step each; `#` begins a comment line.

    {"do": "call", "uri": "100"}                                  any command of protocol.py
    {"wait_for": "call_state", "state": "confirmed", "timeout_s": 5}   an event with these fields
    {"sleep_s": 0.5}
    {"do": "dtmf", "digits": "1"}
    {"wait_for": "call_state", "state": "disconnected"}

A wait sees what happened since the commands just before it, every event once.
"""

from __future__ import annotations

import asyncio
import difflib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from telephony.softphone.client import Softphone
from telephony.softphone.errors import CommandRejected, PhoneError
from telephony.softphone.events import Event
from telephony.softphone.protocol import EVENTS, BadLine, decode

WAIT_S = 10.0


class ScriptFailed(PhoneError):
    """A step is wrong, was refused, or waited in vain. The message begins with file and line."""


@dataclass(frozen=True, slots=True)
class Step:
    line: int
    words: dict[str, Any]


def parse(text: str, name: str) -> list[Step]:
    """Raises ScriptFailed at the first line that is no step."""
    steps = []
    for number, raw in enumerate(text.splitlines(), 1):
        line = raw.strip()
        if not line or line.startswith("#"):
            continue
        at = f"{name}:{number}"
        try:
            words = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise ScriptFailed(f'{at}: this is not JSON ({error}): write {{"do": "call", "uri": "100"}}') from error
        kinds = [kind for kind in ("do", "wait_for", "sleep_s") if isinstance(words, dict) and kind in words]
        if len(kinds) != 1:
            raise ScriptFailed(f"{at}: a step has exactly one of do, wait_for, sleep_s")
        _check(words, kinds[0], line, at)
        steps.append(Step(number, words))
    return steps


def _check(words: dict[str, Any], kind: str, line: str, at: str) -> None:
    if kind == "do":
        try:
            decode(line.encode())
        except BadLine as bad:
            raise ScriptFailed(f"{at}: {bad.what}: {bad.hint}") from bad
    elif kind == "sleep_s" and not _is_seconds(words["sleep_s"]):
        raise ScriptFailed(f"{at}: sleep_s is a number of seconds, 0 to 3600")
    elif kind == "wait_for" and not isinstance(words["wait_for"], str):
        raise ScriptFailed(f"{at}: wait_for names an event, such as call_state")
    elif kind == "wait_for" and words["wait_for"] not in EVENTS:
        near = difflib.get_close_matches(words["wait_for"], EVENTS, 1)
        hint = f"did you mean {near[0]!r}?" if near else f"events are {', '.join(EVENTS)}"
        raise ScriptFailed(f"{at}: no phone tells {words['wait_for'][:60]!r}: {hint}")
    elif kind == "wait_for" and not _is_seconds(words.get("timeout_s", WAIT_S)):
        raise ScriptFailed(f"{at}: timeout_s is a number of seconds, 0 to 3600")


async def run(phone: Softphone, steps: Iterable[Step], name: str) -> None:
    """Does one step after another.

    Raises:
        ScriptFailed: naming the step that failed, and what had happened until then.
    """
    seen: set[int] = set()
    since, waited = phone.mark(), True
    for step in steps:
        try:
            if "do" in step.words:
                if waited:
                    since, waited = phone.mark(), False
                await phone.send(
                    step.words["do"], **{key: value for key, value in step.words.items() if key not in ("do", "id")}
                )
                continue
            waited = True
            if "sleep_s" in step.words:
                await asyncio.sleep(step.words["sleep_s"])
            else:
                await _wait(phone, step.words, since, seen)
        except CommandRejected as refused:
            raise ScriptFailed(f"{name}:{step.line}: {refused}") from refused
        except TimeoutError as error:
            raise ScriptFailed(f"{name}:{step.line}: {error}") from error


async def _wait(phone: Softphone, words: dict[str, Any], since: int, seen: set[int]) -> None:
    fields = {key: value for key, value in words.items() if key not in ("wait_for", "timeout_s")}

    def wanted(event: Event) -> bool:
        return id(event) not in seen and event.matches(words["wait_for"], fields)

    shown = " ".join([words["wait_for"], *(f"{key}={value}" for key, value in fields.items())])
    event = await phone.history.first(wanted, what=shown, timeout_s=float(words.get("timeout_s", WAIT_S)), since=since)
    seen.add(id(event))


def _is_seconds(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 3600
