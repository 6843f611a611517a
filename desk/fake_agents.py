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
    "phone": None,
    "skills": {},
    "queues": "all",
    "languages": [],
    "capacity": 100,
    "units": {},
    "auto_answer": False,
    "rest_s": None,
    "supervises": False,
}


class FakeAgents:
    """`enrolled`: what was said of each, by (tenant, id)."""

    def __init__(self, floor: Floor) -> None:
        self._floor = floor
        self.enrolled: dict[tuple[str, str], Json] = {}
        self.phones = 0

    def known(self, request: Request) -> Response:
        tenant = request.query_params["tenant"]
        names = sorted(name for owner, name in self._floor.agents if owner == tenant)
        queues = sorted(queue for owner, queue in self._floor.queues if owner == tenant)
        there = {"queues": queues, "skills": ["billing", "language.es"], "devices": ["1003", "1004"]}
        return JSONResponse({"agents": [self._shown(tenant, name) for name in names], **there})

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
        faults = [{"field": "queues", "what": f"there is no queue '{each}'", "hint": ""} for each in wrong]
        faults += _no_keys(fields)
        if faults:
            return _no(422, "; ".join(fault["what"] for fault in faults), faults)
        before = self.enrolled.get(key, {})
        said = {**before, **fields}
        self.enrolled[key] = {name: value for name, value in said.items() if value is not None}
        taken = bool(before.get("phone")) and "phone" in fields and not (fields["phone"] or fields.get("device"))
        account = self._phone(*key, taken, change)
        if change == "add":
            serves = sorted(known) if self.enrolled[key].get("queues", "all") == "all" else queues
            self._floor.add_agent(key[1], self.enrolled[key].get("name", ""), key[0], serves)
        return JSONResponse({"ok": True, "warnings": [], "account": account})

    def _phone(self, tenant: str, name: str, taken: bool, change: str) -> Json | None:
        """Her own phone, if she is to have one; its account when it is new."""
        said = self.enrolled[tenant, name]
        if change == "new_phone":
            said["phone"] = "own"
        elif taken:
            said.pop("device", None)
        if said.get("phone") != "own" or (change != "new_phone" and "device" in said):
            return None
        self.phones += 1
        said["device"] = f"{name}-{self.phones:04}"
        username, password = f"{tenant}-{said['device']}", f"secret-{self.phones}"
        return {"username": username, "password": password, "server": "192.0.2.1", "port": 5060, "tls_port": None}

    def _shown(self, tenant: str, name: str) -> Json:
        said = self.enrolled.get((tenant, name))
        plain = {**_FIELDS, **{key: value for key, value in (said or {}).items() if key != "pin"}}
        declared = "" if said is not None else _place(name)
        return {**plain, "tenant": tenant, "agent_id": name, "declared": declared, "has_pin": "pin" in (said or {})}


def _no_keys(fields: Json) -> list[Json]:
    """What is wrong with her code and her PIN."""
    code, pin = fields.get("code") or "1", fields.get("pin") or "1234"
    keys, four = 'use 0-9, * and # (in quotes: "*")', "write secret:NAME for a generated one, or 4 to 16 digits"
    found = [] if code.isdecimal() else [{"field": "code", "what": f"'{code}' are not keys of a phone", "hint": keys}]
    good = pin.isdecimal() and len(pin) > 3
    return found if good else [*found, {"field": "pin", "what": "this is no PIN", "hint": four}]


def _place(name: str) -> str:
    return f"config/agents.yaml:{2 + len(name)}"


def _no(status: int, why: str, faults: list[Json] | None = None) -> Response:
    return JSONResponse({"ok": False, "why": why, "faults": faults or []}, status)
