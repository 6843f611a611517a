"""How a conversation of the floor in memory is followed: `desk/fake_floor.py` asks here, and tells what changed."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]
_FOLLOW = ("listen", "whisper", "barge")


def act(talk: Json | None, asked: Json) -> str:
    """Changes `talk`; what the engine would say no to comes back in its words, empty when it is done.

    Raises ValueError: there is no such action."""
    who, action = asked["supervisor_id"], asked["action"]
    if action not in (*_FOLLOW, "take_over", "stop"):
        raise ValueError(action)
    if talk is None:
        return "nobody talks with this caller right now"
    there = talk["supervisor"]
    if there is not None and there["supervisor_id"] != who:
        return f"{there['supervisor_id']} follows this conversation already"
    if any(party["agent_id"] == who for party in talk["parties"]):
        return "you are in this conversation yourself"
    if action == "stop":
        talk["supervisor"] = None
    elif action == "take_over":
        return _take_over(talk)
    elif there is None:
        device, own = asked.get("device", ""), f"{talk['tenant']}-"
        if not device.startswith(own) or not device.removeprefix(own).isdigit():
            return f"there is no phone '{device}' to ring you at"
        talk["supervisor"] = {"supervisor_id": who, "mode": action, "up": False}
    else:
        talk["supervisor"] = {**there, "mode": action}
    return ""


def _take_over(talk: Json) -> str:
    there = talk["supervisor"]
    if there is None or not there["up"]:
        return "listen to it first: then you are on the line and can take it over"
    if talk["consulting"]:
        return "somebody else is being talked with: try again when that is over"
    party = {"agent_id": there["supervisor_id"], "up": True, "inside": True, "muted": False, "line": False}
    talk.update(supervisor=None, parties=[party], customer_in=True)
    return ""
