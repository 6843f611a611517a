"""Agents over the control socket: everybody as she is defined, and those whom no file declares added, changed, removed.

GET  /acd/agents?tenant=main                          {agents: [definition, no PINs], queues, skills, devices: [name]}
POST /acd/agents {change, tenant, agent_id, fields}   {ok, warnings, account}, or {ok, why, faults}: 404 no such agent,
                                                      409 refused, 422 what is wrong with which field, 503 not durable

`change`: add, change, new_phone or remove. `account`: {username, password, server, port, tls_port} of a phone that was
made for her now, else null; it is told here and nowhere else.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from acd.enrolled import Fault
from engine.asking import answer, refused
from engine.enrolled import Change, Enrolled, NotEnrolled, shown
from store.errors import StoreError

_MOST_BYTES = 64 * 1024
_STATUS = {"gone": 404, "refused": 409, "wrong": 422}


class Asked(msgspec.Struct):
    change: Change
    tenant: str
    agent_id: str
    fields: dict[str, Any] = msgspec.field(default_factory=dict)


@dataclass(slots=True)
class EnrolledApi:
    enrolled: Enrolled
    _at_work: set[asyncio.Task[Response]] = field(default_factory=set)

    def routes(self) -> list[Route]:
        return [
            Route("/acd/agents", self.known, methods=["GET"]),
            Route("/acd/agents", self.put, methods=["POST"]),
        ]

    async def known(self, request: Request) -> Response:
        found = await self.enrolled.roster(request.query_params.get("tenant", "main"))
        there = {"queues": found.queues, "skills": found.skills, "devices": found.devices}
        return answer({"agents": [shown(each) for each in found.agents], **there})

    async def put(self, request: Request) -> Response:
        if int(request.headers.get("content-length") or 0) > _MOST_BYTES:
            return refused(422, "the request is too long")
        try:
            asked = msgspec.json.decode(await request.body(), type=Asked)
        except (msgspec.DecodeError, msgspec.ValidationError, UnicodeDecodeError) as error:
            return refused(422, str(error))
        # Whoever asked may go away: what was begun is brought to its end.
        task = asyncio.create_task(self._put(asked), name="enrol")
        self._at_work.add(task)
        task.add_done_callback(self._at_work.discard)
        return await asyncio.shield(task)

    async def _put(self, asked: Asked) -> Response:
        try:
            written = await self.enrolled.put(asked.change, asked.tenant, asked.agent_id, asked.fields)
        except NotEnrolled as why:
            return answer({"ok": False, "why": str(why), "faults": _plain(why.faults)}, _STATUS[why.kind])
        except (TimeoutError, StoreError):
            return refused(503, "nothing was changed: the journal does not reach the disk: free space on its disk")
        account = asdict(written.account) if written.account is not None else None
        return answer({"ok": True, "warnings": _plain(written.warnings), "account": account})


def _plain(faults: Iterable[Fault]) -> list[dict[str, str]]:
    return [{"field": fault.field, "what": fault.what, "hint": fault.hint} for fault in faults]
