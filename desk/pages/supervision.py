"""Who follows which conversation, as the board shows it, and what is said when that cannot be."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from desk import words
from desk.live.board import Board

_TALKS = ("active", "held", "consulting")
_REFUSALS = (
    "{who} follows this conversation already",
    "there is no phone '{phone}' to ring you at",
)
"""Those that name somebody or something."""


@dataclass(frozen=True, slots=True)
class Followed:
    """An agent's conversation. `by` empty: nobody follows it. `up`: her phone has answered."""

    interaction_id: str
    by: str = ""
    mode: str = ""
    up: bool = False
    mine: bool = False


def followed(board: Board, tenant: str, me: str) -> dict[str, Followed]:
    """By the agent who leads the conversation. One's own conversations are not among them."""
    found = {}
    for agent in board.agents(tenant):
        agent_id = agent["agent_id"]
        for each in board.assignments(tenant, agent_id):
            talk = board.talk(tenant, each["interaction_id"]) if each["state"] in _TALKS else None
            parties = [party.get("agent_id") for party in (talk or {}).get("parties", ())]
            if talk is not None and parties[:1] == [agent_id] and me not in parties:
                found[agent_id] = _followed(board, tenant, talk, me)
    return found


def _followed(board: Board, tenant: str, talk: dict[str, Any], me: str) -> Followed:
    there = talk.get("supervisor")
    if there is None:
        return Followed(talk["interaction_id"])
    who = there["supervisor_id"]
    name = (board.agent(tenant, who) or {}).get("name") or who.removeprefix("@")
    return Followed(talk["interaction_id"], name, there["mode"], bool(there["up"]), who == me)


def said(why: str, language: str) -> str:
    """The engine's refusal in the page's language, where it is known."""
    say = words.speaker(language)
    for phrase in _REFUSALS:
        names = re.sub(r"\\{(\w+)\\}", r"(?P<\1>.+)", re.escape(phrase))
        if match := re.fullmatch(names, why):
            return say(phrase, **{name: value.removeprefix("@") for name, value in match.groupdict().items()})
    return say(why)
