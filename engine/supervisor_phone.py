"""A supervisor calls in: to follow an agent's conversation, to open or close a queue, to set an agent's presence.
Whether she may, and which one it is.

Who supervises by phone stands in `config/agents.yaml` (`supervises: yes`), or an admin said so on the desk: nobody logs
in there at a phone.
She reaches the agents of her own tenant. The rest is `engine/supervision.py`, as when the desk asks.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from acd.setup import AgentSetup, Setup
from core.agent_facts import AgentActed, AgentAction
from core.commands import AskAgent
from core.decisions import FloorSteered
from core.events import AgentAnswered
from core.queue_facts import QueueActed, QueueAction
from core.talk_facts import SupervisorCalled
from engine import supervision
from engine.interaction import Interaction, Turn

_TALKS = ("active", "held", "consulting")
_NO_SUPERVISOR = "you do not supervise by phone: `supervises: yes` in config/agents.yaml lets you"
_NO_AGENT = "there is no agent with this number"
_NO_QUEUE = "there is no such queue"
_QUEUES: Mapping[str, QueueAction] = {"open_queue": "open", "close_queue": "close", "queue_by_hours": "by_hours"}
_PRESENCE: Mapping[str, AgentAction] = {
    "force_ready": "ready",
    "force_not_ready": "not_ready",
    "force_log_out": "log_out",
}
STEERS = _QUEUES.keys() | _PRESENCE.keys()
_CODES = {
    _NO_SUPERVISOR: "not_supervisor",
    _NO_AGENT: "no_agent",
    _NO_QUEUE: "no_queue",
    supervision.NOBODY: "nobody",
    supervision.YOURSELF: "yourself",
    supervision.ELSEWHERE: "elsewhere",
    supervision.RUNG: "rung",
}


@dataclass(frozen=True, slots=True)
class Followed:
    """What came of it. `why` not, in words; `values`: what her flow and the audit log may want to know."""

    why: str
    values: Mapping[str, str]


def follow(
    command: AskAgent,
    supervisor: AgentSetup,
    setup: Setup,
    interaction: Interaction,
    device: str,
    work: Callable[[str, str], list[dict[str, Any]]],
    act: Callable[[SupervisorCalled], str],
) -> Followed:
    """`work(tenant, agent_id)`: an agent's assignments, as the control socket shows them; `act` lends her leg to the
    conversation, or says why not."""
    agent, tenant = _named(command.value, supervisor.tenant, setup), supervisor.tenant
    talks = [each for each in work(tenant, agent.agent_id) if each["state"] in _TALKS] if agent is not None else []
    conversation = str(talks[0]["interaction_id"]) if talks else ""
    if not supervisor.supervises:
        why = _NO_SUPERVISOR
    elif agent is None:
        why = _NO_AGENT
    elif not conversation:
        why = supervision.NOBODY
    else:
        leg = interaction.customer
        called = SupervisorCalled(
            conversation, supervisor.agent_id, leg.leg_id, interaction.interaction_id, leg.node, device
        )
        why = act(called)
    told = {
        "followed": agent.agent_id if agent is not None else "",
        "conversation": conversation,
        "device": device,
        "refusal": _CODES.get(why, "taken" if why.endswith(supervision.TAKEN) else "other") if why else "",
    }
    return Followed(why, told)


def steer(
    command: AskAgent,
    supervisor: AgentSetup,
    setup: Setup,
    device: str,
    act: Callable[[QueueActed | AgentActed], str],
) -> Followed:
    """`act` tells the router, or says why not."""
    tenant, named = supervisor.tenant, command.value
    asked: QueueActed | AgentActed | None = None
    if command.action in _QUEUES:
        if (tenant, named) in setup.queues:
            asked = QueueActed(tenant, named, _QUEUES[command.action])
        subject, missing = f"queue {named}", _NO_QUEUE
    else:
        agent = _named(named, tenant, setup)
        if agent is not None:
            named = agent.agent_id
            asked = AgentActed(tenant, named, _PRESENCE[command.action], by="supervisor")
        subject, missing = f"agent {named}", _NO_AGENT
    why = missing if supervisor.supervises else _NO_SUPERVISOR
    if supervisor.supervises and asked is not None:
        why = act(asked)
    action = {**_QUEUES, **_PRESENCE}[command.action]
    refusal = _CODES.get(why, "other") if why else ""
    return Followed(why, {"steered": subject, "action": action, "device": device, "refusal": refusal})


def write_down(turn: Turn, event: AgentAnswered) -> None:
    """Whoever was known and wanted to steer the floor is in the audit log, whatever came of it."""
    told = event.values
    if not told.get("steered"):
        return
    turn.decisions.append(
        FloorSteered(
            tenant=turn.interaction.tenant,
            supervisor_id=told["agent_id"],
            asked="QueueActed" if told["steered"].startswith("queue ") else "AgentActed",
            subject=told["steered"],
            action=told["action"],
            device=told["device"],
            refused=event.why,
        )
    )


def _named(named: str, tenant: str, setup: Setup) -> AgentSetup | None:
    """An agent by her name or her code."""
    named = named.casefold()
    agents = (each for (whose, _), each in sorted(setup.agents.items()) if whose == tenant)
    return next((each for each in agents if named and named in (each.agent_id.casefold(), each.code)), None)
