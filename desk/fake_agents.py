"""Who is an agent, as the engine in memory has it: those of `add_agent` stand in a file, others come over the API."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from desk.fake_floor import Floor

Json = dict[str, Any]
_FIELDS: Json = {
    "name": "",
    "code": None,
    "device": None,
    "skills": {},
    "queues": "all",
    "languages": [],
    "capacity": 100,
    "units": {},
    "auto_answer": False,
    "rest_s": None,
}


class FakeAgents:
    """`enrolled`: what was said of each, by (tenant, id)."""

    def __init__(self, floor: Floor) -> None:
        self._floor = floor
        self.enrolled: dict[tuple[str, str], Json] = {}

    def known(self, request: Request) -> Response:
        tenant = request.query_params["tenant"]
        names = sorted(name for owner, name in self._floor.agents if owner == tenant)
        return JSONResponse({"agents": [self._shown(tenant, name) for name in names]})

    async def put(self, request: Request) -> Response:
        asked = await request.json()
        key, change, fields = (asked["tenant"], asked["agent_id"]), asked["change"], asked["fields"]
        if key not in self.enrolled and key in self._floor.agents:
            return _no(409, f"{_place(key[1])} declares {key[1]}: change her there, then `centralita reload`")
        if change == "add" and key in self.enrolled:
            return _no(409, f"there is an agent {key[1]} already: change her, or choose another id")
        if change != "add" and key not in self.enrolled:
            return _no(404, f"there is no agent {key[1]} in this tenant")
        if change == "remove":
            del self.enrolled[key]
            self._floor.remove_agent(key[1], key[0])
            return JSONResponse({"ok": True, "warnings": []})
        queues = fields.get("queues") or []
        known = {queue for owner, queue in self._floor.queues if owner == key[0]}
        wrong = [queue for queue in queues if queues != "all" and queue not in known]
        if wrong:
            faults = [{"field": "queues", "what": f"there is no queue '{each}'", "hint": ""} for each in wrong]
            return _no(422, "; ".join(fault["what"] for fault in faults), faults)
        said = {**self.enrolled.get(key, {}), **fields}
        self.enrolled[key] = {name: value for name, value in said.items() if value is not None}
        if change == "add":
            serves = sorted(known) if self.enrolled[key].get("queues", "all") == "all" else queues
            self._floor.add_agent(key[1], self.enrolled[key].get("name", ""), key[0], serves)
        return JSONResponse({"ok": True, "warnings": []})

    def _shown(self, tenant: str, name: str) -> Json:
        said = self.enrolled.get((tenant, name))
        plain = {**_FIELDS, **{key: value for key, value in (said or {}).items() if key != "pin"}}
        declared = "" if said is not None else _place(name)
        return {**plain, "tenant": tenant, "agent_id": name, "declared": declared, "has_pin": "pin" in (said or {})}


def _place(name: str) -> str:
    return f"config/agents.yaml:{2 + len(name)}"


def _no(status: int, why: str, faults: list[Json] | None = None) -> Response:
    return JSONResponse({"ok": False, "why": why, "faults": faults or []}, status)
