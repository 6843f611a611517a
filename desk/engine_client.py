"""The engine, over its control socket: a snapshot and what changed since, requests, what it knows of one contact.

    GET  /acd/snapshot                 -> {epoch, seq, now_s, agents, queues, stays}
    GET  /acd/events?epoch=E&after=N   -> NDJSON {seq, kind, id, tenant, value}, {ping}; {reset}: ask anew
    POST /acd/do {fact, fields}        -> ok, or 409 {why}
    GET  /acd/explain/ID, /acd/contact/ID, /acd/setup
    GET  /acd/agents?tenant=T          -> {agents: [definition], queues, skills, devices: [name]}
    POST /acd/agents {change, tenant, agent_id, fields} -> {ok, warnings, account: of a phone that was made, or null},
                                          or 404, 409 {why}, 422 {why, faults}
    GET  /dialer/snapshot              -> {now_s, campaigns: [view]}; its changes come as kind `campaign`
    GET  /dialer/campaign/TENANT/ID    -> view + {decisions: [{since_s, at_s, times, count, why}], leads: {state: n}}
    GET  /dialer/why/TENANT/LEAD       -> why she was or was not dialed
    POST /dialer/do {fact, fields}     -> ok, or 409 {why}

The desk does what it can without it: who asks while it is away is told so.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx

log = logging.getLogger("centralita.desk")

Json = dict[str, Any]

ANSWERS_WITHIN_S = 5.0
ENROLS_WITHIN_S = 20.0
"""Asterisk may have to read its phones again."""
RELOADS_WITHIN_S = 60.0
"""All files are looked at, in a process of its own."""
SILENT_FOR_S = 15.0
"""The engine says something on the stream each 5 s: silent for longer, it hangs."""


class EngineAway(Exception):
    """The engine does not answer: it is being started again; try in a moment. `maybe_done`: it had the request."""

    def __init__(self, message: str, *, maybe_done: bool = False) -> None:
        super().__init__(message)
        self.maybe_done = maybe_done


class EngineRefused(Exception):
    """What was asked cannot be; the message is the engine's, for the person."""


class FieldsWrong(EngineRefused):
    """What is wrong with which field: `faults` [{field, what, hint}]."""

    def __init__(self, message: str, faults: list[Json]) -> None:
        super().__init__(message)
        self.faults = faults


class NotKnown(Exception):
    """The engine knows no such thing: it is over, or never was."""


class EngineClient:
    """`async with EngineClient(socket) as engine: ...`. Connects when asked something, anew after a failure."""

    def __init__(self, socket: Path) -> None:
        transport = httpx.AsyncHTTPTransport(uds=str(socket))
        self._http = httpx.AsyncClient(transport=transport, base_url="http://engine", timeout=ANSWERS_WITHIN_S)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._http.aclose()

    async def snapshot(self) -> Json:
        """With the campaigns in it. Raises EngineAway."""
        board = await self._get("/acd/snapshot")
        if "campaigns" not in board:
            # Taken later than the rest: what changed in between is told once more, and is the newest each time.
            try:
                board["campaigns"] = (await self._get("/dialer/snapshot")).get("campaigns", [])
            except NotKnown:
                board["campaigns"] = []
        return board

    async def setup(self) -> Json:
        """`{release_id, reasons: [...], queues: [...]}`: what people choose from. Raises EngineAway."""
        return await self._get("/acd/setup")

    async def explain(self, interaction_id: str) -> Json:
        """Raises EngineAway, NotKnown."""
        return await self._get(f"/acd/explain/{_part(interaction_id)}")

    async def contact(self, interaction_id: str) -> Json:
        """Raises EngineAway, NotKnown."""
        return await self._get(f"/acd/contact/{_part(interaction_id)}")

    async def campaign(self, tenant: str, campaign: str) -> Json:
        """Its view, its last pacing decisions, its leads by state. Raises EngineAway, NotKnown."""
        return await self._get(f"/dialer/campaign/{_part(tenant)}/{_part(campaign)}")

    async def why(self, tenant: str, lead_id: str) -> Json:
        """Raises EngineAway, NotKnown."""
        return await self._get(f"/dialer/why/{_part(tenant)}/{_part(lead_id)}")

    async def do(self, fact: str, fields: Mapping[str, Any]) -> None:
        """Asks the router. Raises EngineAway (it may or may not have been done), EngineRefused."""
        await self._ask("/acd/do", fact, fields)

    async def dial(self, fact: str, fields: Mapping[str, Any]) -> str:
        """Asks the dialer. What who asked should know beside that it is done; empty: nothing. Raises EngineAway (it may
        or may not have been done), EngineRefused."""
        return await self._ask("/dialer/do", fact, fields)

    async def write_campaign(self, tenant: str, campaign: str, text: str, replace: bool) -> Json:
        """`{file, problems}`: where it was written, and what it warns of. Raises EngineAway, EngineRefused."""
        body = {"tenant": tenant, "campaign": campaign, "text": text, "replace": replace}
        answer = await self._answer("POST", "/dialer/files", within_s=RELOADS_WITHIN_S, json=body)
        if answer.status_code in (409, 422):
            raise EngineRefused(str(_body(answer).get("why") or "the engine refused"))
        if answer.status_code >= 400:
            raise EngineAway(f"the engine answered {answer.status_code}", maybe_done=answer.status_code >= 500)
        return _body(answer)

    async def agents(self, tenant: str) -> list[Json]:
        """Everybody as she is defined, by id. Raises EngineAway."""
        return list((await self.roster(tenant))["agents"])

    async def roster(self, tenant: str) -> Json:
        """`{agents: [definition], queues, skills, devices: [name]}`: everybody, and what one may give an agent. Raises
        EngineAway."""
        try:
            found = await self._get(f"/acd/agents?tenant={_part(tenant)}")
            return {"queues": [], "skills": [], "devices": [], **found, "agents": list(found["agents"])}
        except (NotKnown, KeyError, TypeError):
            raise EngineAway("this engine does not tell its agents: start it again with this release") from None

    async def enrol(
        self, change: str, tenant: str, agent_id: str, fields: Mapping[str, Any]
    ) -> tuple[list[Json], Json | None]:
        """Adds, changes or removes an agent; warnings as [{field, what, hint}], and the SIP account of a phone that was
        made for her. Raises EngineAway (it may or may not have been done), EngineRefused, FieldsWrong, NotKnown."""
        body = {"change": change, "tenant": tenant, "agent_id": agent_id, "fields": dict(fields)}
        answer = await self._answer("POST", "/acd/agents", within_s=ENROLS_WITHIN_S, json=body)
        why = _why(answer)
        if answer.status_code == 404:
            raise NotKnown(why)
        if answer.status_code == 422:
            raise FieldsWrong(why or "the engine does not understand this request", _body(answer).get("faults") or [])
        if answer.status_code == 409:
            raise EngineRefused(why or "the engine refused")
        if answer.status_code >= 400:
            raise EngineAway(why or f"the engine answered {answer.status_code}", maybe_done=answer.status_code != 503)
        return list(_body(answer).get("warnings") or []), _body(answer).get("account")

    async def _ask(self, path: str, fact: str, fields: Mapping[str, Any]) -> str:
        body = {"fact": fact, "fields": dict(fields)}
        answer = await self._answer("POST", path, json=body)
        if answer.status_code == 409:
            raise EngineRefused(str(_body(answer).get("why") or "the engine refused"))
        if answer.status_code == 422:
            raise EngineRefused(str(_body(answer).get("why") or "the engine does not understand this request"))
        if answer.status_code == 404:
            raise EngineAway("this engine has no dialer: start it again with this release")
        if answer.status_code >= 400:
            why = _why(answer) or f"the engine answered {answer.status_code}"
            raise EngineAway(why, maybe_done=answer.status_code >= 500)
        return str(_body(answer).get("told") or "")

    async def events(self, epoch: str, after: int) -> AsyncIterator[Json]:
        """First `{"opened": true}`, then until the stream ends or `{"reset": true}` was given.

        Raises EngineAway: broken, or silent for too long."""
        timeout = httpx.Timeout(ANSWERS_WITHIN_S, read=SILENT_FOR_S)
        try:
            async with self._http.stream(
                "GET", "/acd/events", params={"epoch": epoch, "after": after}, timeout=timeout
            ) as answer:
                if answer.status_code != 200:
                    raise EngineAway(f"the engine answered {answer.status_code}")
                yield {"opened": True}
                async for line in answer.aiter_lines():
                    if line.strip():
                        yield _parsed(line)
        except (httpx.HTTPError, OSError) as failure:
            raise EngineAway(f"the engine's stream broke: {type(failure).__name__}") from None

    async def _get(self, path: str) -> Json:
        answer = await self._answer("GET", path)
        if answer.status_code == 404:
            raise NotKnown("the engine knows no such thing")
        if answer.status_code != 200:
            raise EngineAway(f"the engine answered {answer.status_code}")
        return _body(answer)

    async def _answer(self, method: str, path: str, within_s: float = ANSWERS_WITHIN_S, **more: Any) -> httpx.Response:
        try:
            async with asyncio.timeout(within_s):
                return await self._http.request(method, path, timeout=within_s, **more)
        except httpx.ConnectError:
            raise EngineAway("the engine is away: it is being started again") from None
        except (httpx.HTTPError, OSError, TimeoutError):
            raise EngineAway("the engine does not answer", maybe_done=True) from None


def _part(text: str) -> str:
    """One segment of a path, whatever somebody typed."""
    return "".join(
        c if (c.isalnum() and c.isascii()) or c in "-_.~" else "".join(f"%{b:02X}" for b in c.encode()) for c in text
    )


def _body(answer: httpx.Response) -> Json:
    try:
        body = answer.json()
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise EngineAway("the engine answered something else than JSON")
    return body


def _why(answer: httpx.Response) -> str:
    """The engine's own words about a failure; empty for none."""
    try:
        return str(_body(answer).get("why", ""))
    except EngineAway:
        return ""


def _parsed(line: str) -> Json:
    try:
        event = json.loads(line)
    except ValueError:
        event = None
    if not isinstance(event, dict):
        raise EngineAway("the engine's stream is damaged")
    return event
