"""How things look when they are new on the floor in memory (`desk/fake_floor.py`): the shapes are the engine's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

Json = dict[str, Any]
Key = tuple[str, str]

_TODAY = (
    *("offered", "answered", "in_target", "abandoned", "short_abandoned", "callback"),
    *("voicemail", "left_by_key", "overflowed", "closed", "lost"),
)
_REASONS = (("break", "Descanso", "Break"), ("lunch", "Comida", "Lunch"), ("training", "Formación", "Training"))
DISPOSITIONS: Sequence[Json] = (
    {"path": "sold", "title": {"es": "Venta", "en": "Sold"}, "leaf": False},
    {"path": "sold/new", "title": {"es": "Cliente nuevo", "en": "New customer"}, "leaf": True},
    {"path": "sold/more", "title": {"es": "Ampliación", "en": "Upgrade"}, "leaf": True},
    {"path": "not_now", "title": {"es": "Ahora no", "en": "Not now"}, "leaf": True},
    {"path": "wrong", "title": {"es": "Equivocado", "en": "Wrong number"}, "leaf": True},
)
"""Of every queue."""


def queue_view(tenant: str, queue: str, title: str) -> Json:
    return {
        "tenant": tenant,
        "queue": queue,
        "title": title or queue.title(),
        "open": True,
        "forced": "",
        "waiting": 0,
        "virtual": 0,
        "longest_wait_s": 0.0,
        "waits_since_s": 0.0,
        "ewt_s": -1.0,
        "ewt_low_s": -1.0,
        "ewt_high_s": -1.0,
        "logged_in": 0,
        "available": 0,
        "today": {**dict.fromkeys(_TODAY, 0), "service_level": None},
    }


def agent_view(tenant: str, agent_id: str, name: str, device: str, queues: Sequence[str]) -> Json:
    """Who has never logged in."""
    return {
        "tenant": tenant,
        "agent_id": agent_id,
        "name": name or agent_id.title(),
        "presence": "logged_out",
        "reason": "",
        "since_s": 0.0,
        "looks": "logged_out",
        "looks_since_s": 0.0,
        "pending": "",
        "pending_reason": "",
        "device": device,
        "line": False,
        "reachable": True,
        "skills": {"language.es": 10},
        "queues": list(queues),
        "assignments": [],
        "handled": 0,
        "over_limit": False,
        "breaks_at_s": {},
        "breaks_due_s": {},
    }


def stay_view(tenant: str, interaction_id: str, queue: str, now_s: float) -> Json:
    return {
        "tenant": tenant,
        "stay_id": f"{interaction_id}.s1",
        "interaction_id": interaction_id,
        "queue": queue,
        "state": "waiting",
        "joined_s": now_s,
        "waited_before_s": 0.0,
        "priority": 0,
        "position": 0,
        "counted": True,
        "step": 0,
        "offer_id": "",
        "agent_id": "",
        "channel": "call",
        "purpose": "serve",
        "mode": "live",
        "called": False,
        "again_s": 0.0,
    }


def offer_view(stay: Mapping[str, Any], offer_id: str, now_s: float) -> Json:
    """An agent's assignment, as it begins."""
    return {
        "interaction_id": stay["interaction_id"],
        "stay_id": stay["stay_id"],
        "queue": stay["queue"],
        "state": "offered",
        "since_s": now_s,
        "offer_id": offer_id,
        "channel": "call",
        "purpose": "serve",
        "waited_s": now_s - stay["joined_s"],
        "disposition": "",
        "wrap_up_ends_s": 0.0,
        "extended_s": 0.0,
    }


def talk_view(tenant: str, interaction_id: str, queue: str, agent_id: str, now_s: float) -> Json:
    return {
        "tenant": tenant,
        "interaction_id": interaction_id,
        "queue": queue,
        "began_s": now_s,
        "customer_in": True,
        "conference": False,
        "consulting": False,
        "parties": [{"agent_id": agent_id, "up": True, "inside": True, "muted": False, "line": False}],
        "supervisor": None,
        "led_through_a_flow": False,
        "recording": True,
        "recording_paused": False,
    }


def contact_card(tenant: str, caller: str, name: str, queue: str, now_s: float) -> Json:
    return {
        "tenant": tenant,
        "caller": caller,
        "caller_name": name,
        "called": "+34911222333",
        "language": "es",
        "opened_s": now_s,
        "path": ["reception.welcome", "reception.menu", f"reception.{queue}"],
        "variables": {"customer_id": "4711", "plan": "Fibra 600"},
        "tags": ["vip"],
        "notes": [],
    }


def setup_view(agents: Mapping[Key, Json], queues: Mapping[Key, Json]) -> Json:
    """What people choose from."""
    tenants = sorted({tenant for tenant, _ in [*agents, *queues]})
    return {
        "release_id": "r1",
        "reasons": [
            {"tenant": t, "reason": r, "title": {"es": es, "en": en}, "chosen": True, "limit_s": 300.0}
            for t in tenants
            for r, es, en in _REASONS
        ],
        "queues": [
            {
                "tenant": tenant,
                "queue": queue,
                "title": view["title"],
                "disposition_required": True,
                "dispositions": list(DISPOSITIONS),
                "wrap_up_s": 30.0,
                "wrap_up_extend_s": 60.0,
                "service_level": {"target": 80.0, "within_s": 20.0},
                "script": {"es": "Saluda y confirma el nombre.", "en": "Greet and confirm the name."},
            }
            for (tenant, queue), view in queues.items()
        ],
        "flows": [
            {"tenant": t, "flow": "survey", "title": {"es": "Encuesta de satisfacción", "en": "Satisfaction survey"}}
            for t in tenants
        ],
        "agents": [
            {"tenant": tenant, "agent_id": agent_id, "name": view["name"], "device": view["device"]}
            for (tenant, agent_id), view in agents.items()
        ],
    }


def explained(stays: Sequence[Json], agents: Sequence[Json], now_s: float) -> Json:
    """Why a contact waits, given its stays: nobody is asked, and nothing changes with time."""
    if not stays:
        return {"stays": [], "offers": [], "now": None}
    stay = stays[-1]
    members = [(each, "" if stay["queue"] in each["queues"] else "other_queue") for each in agents]
    outlook = {
        "waited_s": now_s - stay["joined_s"],
        "position": stay["position"],
        "waiting": 1,
        "queue": stay["queue"],
        "requirement": "",
        "step": 0,
        "score": 0.0,
        "parts": {"ageing": 0.0},
        "at_s": now_s,
        "next_s": 0.0,
        "called_from_s": 0.0,
        "agent_id": stay["agent_id"],
        "agents": [
            {"agent_id": agent["agent_id"], "excluded": why or ("" if agent["presence"] == "ready" else "logged_out")}
            for agent, why in members
        ],
    }
    began = {"queue": stay["queue"], "agent_id": "", "joined_s": 0.0, "changes": [], "how": ""}
    return {"stays": [began], "offers": [], "now": {"now": outlook, "later": outlook, "later_s": 10.0}}
