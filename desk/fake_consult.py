"""Who is asked beside the customer on the floor in memory: `desk/fake_floor.py` asks here, and tells what changed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Json = dict[str, Any]
ACTIONS = ("consult", "swap", "conference", "cancel_consult")


def act(talk: Json, asked: Json, agents: Mapping[tuple[str, str], Json]) -> str:
    """Changes `talk`; what the engine would say no to comes back in its words, empty when it is done."""
    action, (lead, *others) = asked["action"], talk["parties"]
    if action == "consult":
        if others:
            return "somebody is being consulted already"
        kind, _, name = asked["target"].partition(":")
        known = kind == "agent" and (talk["tenant"], name) in agents
        other = {"agent_id": name if known else "", "up": False, "inside": True, "muted": False, "line": False}
        talk.update(parties=[lead, other], customer_in=False, consulting=True)
    elif not others:
        return "nobody is being consulted"
    elif action == "cancel_consult":
        talk.update(parties=[lead], customer_in=True, consulting=False, conference=False)
    elif not others[0]["up"]:
        return "nobody has answered yet"
    elif action == "swap":
        back = not talk["customer_in"]
        talk.update(parties=[lead, {**others[0], "inside": not back}], customer_in=back)
    else:
        together = {**others[0], "inside": True}
        talk.update(parties=[lead, together], customer_in=True, consulting=False, conference=True)
    return ""


def answered(talk: Json) -> None:
    lead, other = talk["parties"]
    talk["parties"] = [lead, {**other, "up": True}]
