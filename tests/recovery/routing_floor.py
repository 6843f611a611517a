"""Agents at work on a whole system: what tests of outages ask of them, and what the board says."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import httpx

from bench.sip_phones import Callers
from tests.system_fixture import System

Agents = dict[str, dict[str, Any]]
Stays = list[dict[str, Any]]


class Floor:
    """Phones, callers and what the board says. Stays come by their place in the queue."""

    def __init__(self, running: System, callers: Callers) -> None:
        self.running, self.callers = running, callers

    async def do(self, agent: str, action: str, **more: str) -> None:
        transport = httpx.AsyncHTTPTransport(uds=str(self.running.home.control_socket), verify=False)
        fields = {"tenant": "main", "agent_id": agent, "action": action, **more}
        async with httpx.AsyncClient(transport=transport, base_url="http://engine", timeout=30) as client:
            answer = await client.post("/acd/do", json={"fact": "AgentActed", "fields": fields})
        assert answer.json() == {"ok": True}, answer.text

    async def enrols(self, agent: str, **fields: Any) -> None:
        """An agent whom no file declares."""
        transport = httpx.AsyncHTTPTransport(uds=str(self.running.home.control_socket), verify=False)
        asked = {"change": "add", "tenant": "main", "agent_id": agent, "fields": fields}
        async with httpx.AsyncClient(transport=transport, base_url="http://engine", timeout=60) as client:
            answer = await client.post("/acd/agents", json=asked)
        assert answer.json()["ok"], answer.text

    async def board(self) -> tuple[dict[str, Any], Agents, Stays]:
        snapshot = await self.running.ask("GET", "/acd/snapshot")
        agents = {agent["agent_id"]: agent for agent in snapshot["agents"]}
        waiting = sorted((stay for stay in snapshot["stays"]), key=lambda stay: stay["position"])
        return snapshot, agents, waiting

    async def until(
        self, what: Callable[[Agents, Stays], object], within_s: float = 45.0
    ) -> tuple[dict[str, Any], Agents, Stays]:
        """The first board for which `what` holds; AssertionError says what the agents were doing instead."""
        loop = asyncio.get_running_loop()
        until_s = loop.time() + within_s
        while True:
            snapshot, agents, waiting = await self.board()
            if what(agents, waiting):
                return snapshot, agents, waiting
            assert loop.time() < until_s, f"not within {within_s} s: {looks(agents)}, {len(waiting)} wait"
            await asyncio.sleep(0.05)


def looks(agents: Agents) -> dict[str, str]:
    return {name: agent["looks"] for name, agent in agents.items()}
