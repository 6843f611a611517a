"""Why an agent could not have a contact, for somebody who reads: `acd.explain.why_not`'s codes in words that follow a
name or a number of agents."""

from __future__ import annotations

from collections.abc import Mapping

_WORDS: Mapping[str, str] = {
    "logged_out": "logged out",
    "not_ready": "on a pause",
    "pending": "about to leave",
    "kept": "kept for another contact",
    "busy": "busy",
    "no_phone": "without a phone",
    "unreachable": "with a phone that cannot be reached",
    "on_phone": "on the phone",
    "resting": "resting between contacts",
    "callback": "called only when the customer is on the line",
    "agreeing": "not asked while the customer agrees on a callback",
    "being_called": "not asked while the customer's phone rings",
    "called_later": "not asked before the customer may be called",
    "in_person": "not the one it waits for",
    "other_queue": "in other queues only",
    "skill": "without the skill",
    "excluded": "excluded from this contact",
    "works_on_it": "working on it already",
    "refused_before": "asked before without success",
    "preferred": "not the one who is waited for first",
}


def why_not(code: str) -> str:
    """`not_ready:lunch` in words."""
    kind, _, named = code.partition(":")
    said = _WORDS.get(kind, kind.replace("_", " "))
    if not named:
        return said
    return f"{said} {named}" if kind == "skill" else f"{said}: {named.replace('_', ' ')}"
