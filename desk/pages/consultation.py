"""Whom an agent has beside her customer, as her page tells it: asked first, rung, talked with, or all together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from desk.live.board import Board


@dataclass(frozen=True, slots=True)
class Beside:
    """`phase`: waits (in `queue`, nobody is rung yet), rings, talks, aside (the customer is talked with), together;
    of `leads` false, who is asked: talks or together. `name`: empty for a number outside."""

    phase: str
    leads: bool = True
    name: str = ""
    queue: str = ""


def beside(board: Board, tenant: str, interaction_id: str, agent_id: str) -> Beside | None:
    """None: she has nobody else in the conversation."""
    talk = board.talk(tenant, interaction_id) or {}
    parties = [dict(each) for each in talk.get("parties", ())]
    if len(parties) < 2 or not (talk.get("consulting") or talk.get("conference")):
        return None
    together = bool(talk.get("conference"))
    if parties[0].get("agent_id") != agent_id:
        lead = board.agent(tenant, str(parties[0].get("agent_id", ""))) or {}
        return Beside("together" if together else "talks", leads=False, name=str(lead.get("name", "")))
    other = parties[1]
    if other.get("up"):
        phase = "together" if together else "aside" if not other.get("inside") else "talks"
        return Beside(phase, name=_name(board.agent(tenant, str(other.get("agent_id", "")))))
    stays = _asking(board.stays(tenant), interaction_id)
    rung = str(other.get("agent_id", "")) or next((str(each["agent_id"]) for each in stays if each.get("agent_id")), "")
    if rung:
        return Beside("rings", name=_name(board.agent(tenant, rung)) or rung)
    if stays:
        queue = str(stays[0].get("queue", ""))
        title = next((str(each.get("title", "")) for each in board.queues(tenant) if each["queue"] == queue), "")
        return Beside("waits", queue=title or queue)
    return Beside("rings")


def _asking(stays: Iterable[Mapping[str, Any]], interaction_id: str) -> list[Mapping[str, Any]]:
    return [each for each in stays if each["interaction_id"] == interaction_id and each.get("purpose") == "consult"]


def _name(agent: Mapping[str, Any] | None) -> str:
    return str((agent or {}).get("name") or (agent or {}).get("agent_id") or "")
