"""Supervisors who move callers and give them priority, for `desk/fake_floor.py`: refused for what the engine refuses it
for, as far as the fake knows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core.queue_facts import MOST_PRIORITY

Json = dict[str, Any]


def why_not(stay: Mapping[str, Any] | None, asked: Json, queues: Mapping[tuple[str, str], Json]) -> str:
    """Empty when it can be. Raises ValueError: no such request."""
    if stay is None or any(stay[name] != asked[name] for name in ("tenant", "interaction_id")):
        return "nobody waits here any more: the contact was served, moved or has left"
    if asked["action"] == "prioritise":
        within = 0 <= asked["priority"] <= MOST_PRIORITY
        return "" if within else f"a priority is a number from 0 to {MOST_PRIORITY}"
    if asked["action"] != "move":
        raise ValueError(asked["action"])
    target = asked["queue"]
    queue = queues.get((stay["tenant"], target))
    if queue is None:
        return f"there is no queue {target}"
    if target == stay["queue"]:
        return f"this contact waits in {target} already"
    return "" if queue["open"] else f"queue {target} is closed: open it first"


def moved(stay: Json, queue: str, now_s: float) -> Json:
    """The stay that follows it in the other queue."""
    stem, _, number = str(stay["stay_id"]).rpartition(".s")
    waited_s = now_s - stay["joined_s"] + stay["waited_before_s"]
    fresh = {"stay_id": f"{stem}.s{int(number) + 1}", "queue": queue, "joined_s": now_s, "waited_before_s": waited_s}
    return {**stay, **fresh, "state": "waiting", "offer_id": "", "agent_id": ""}
