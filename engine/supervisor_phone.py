"""A supervisor calls in: to follow an agent's conversation, to open or close a queue, to set an agent's presence, to
move who has waited longest or have her served first. Whether she may, and which one it is.

Who supervises by phone stands in `config/agents.yaml` (`supervises: yes`), or an admin said so on the desk: nobody logs
in there at a phone.
She reaches the agents of her own tenant. The rest is `engine/supervision.py`, as when the desk asks.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from math import inf
from typing import Any

from acd.records import Stay
from acd.setup import AgentSetup, Key, Setup
from core.agent_facts import AgentActed, AgentAction
from core.commands import AskAgent
from core.decisions import FloorSteered
from core.events import AgentAnswered
from core.queue_facts import MOST_PRIORITY, QueueActed, QueueAction, StayActed, StayAction
from core.talk_facts import SupervisorCalled
from engine import supervision
from engine.interaction import Interaction, Turn

_TALKS = ("active", "held", "consulting")
_NO_SUPERVISOR = "you do not supervise by phone: `supervises: yes` in config/agents.yaml lets you"
_NO_AGENT = "there is no agent with this number"
_NO_QUEUE = "there is no such queue"
_NOBODY_WAITS = "nobody waits in this queue whom that could serve"
_QUEUES: Mapping[str, QueueAction] = {"open_queue": "open", "close_queue": "close", "queue_by_hours": "by_hours"}
_PRESENCE: Mapping[str, AgentAction] = {
    "force_ready": "ready",
    "force_not_ready": "not_ready",
    "force_log_out": "log_out",
}
_WAITS: Mapping[str, StayAction] = {"prioritise_longest": "prioritise", "move_longest": "move"}
STEERS = _QUEUES.keys() | _PRESENCE.keys() | _WAITS.keys()
_CODES = {
    _NO_SUPERVISOR: "not_supervisor",
    _NO_AGENT: "no_agent",
    _NO_QUEUE: "no_queue",
    _NOBODY_WAITS: "nobody_waits",
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


Steering = QueueActed | AgentActed | StayActed
Longest = Callable[[Key, float], Stay | None]
"""Who has waited longest on the line in a queue, of those with a priority below that."""


def steer(
    command: AskAgent,
    supervisor: AgentSetup,
    setup: Setup,
    device: str,
    act: Callable[[Steering], str],
    longest: Longest,
) -> Followed:
    """`act` tells the router, or says why not."""
    kind, subject, asked = _asked(command, supervisor, setup, longest)
    why = asked if isinstance(asked, str) else ""
    if not supervisor.supervises:
        why = _NO_SUPERVISOR
    elif not isinstance(asked, str):
        why = act(asked)
    action = {**_QUEUES, **_PRESENCE, **_WAITS}[command.action]
    refusal = _CODES.get(why, "other") if why else ""
    told = {"steered": subject, "asked": kind, "action": action, "device": device, "refusal": refusal}
    return Followed(why, told)


def _asked(
    command: AskAgent, supervisor: AgentSetup, setup: Setup, longest: Longest
) -> tuple[str, str, Steering | str]:
    """What it is called, whom or what it is about, and the request, or why there can be none."""
    tenant, named = supervisor.tenant, command.value
    if command.action in _PRESENCE:
        agent = _named(named, tenant, setup)
        if agent is None:
            return "AgentActed", f"agent {named}", _NO_AGENT
        forced = AgentActed(tenant, agent.agent_id, _PRESENCE[command.action], by="supervisor")
        return "AgentActed", f"agent {agent.agent_id}", forced
    kind, subject = "StayActed" if command.action in _WAITS else "QueueActed", f"queue {named}"
    if (tenant, named) not in setup.queues:
        return kind, subject, _NO_QUEUE
    if command.action in _QUEUES:
        return kind, subject, QueueActed(tenant, named, _QUEUES[command.action])
    first = command.action == "prioritise_longest"
    # Who came back through no fault of her own has more than anybody may give: it would be taken from her.
    stay = longest((tenant, named), MOST_PRIORITY if first else inf)
    if stay is None:
        return kind, subject, _NOBODY_WAITS
    steered = StayActed(stay.interaction_id, stay.stay_id, tenant, _WAITS[command.action], by=supervisor.agent_id)
    steered = replace(steered, priority=MOST_PRIORITY) if first else replace(steered, queue=command.to)
    return kind, f"interaction {stay.interaction_id}", steered


def write_down(turn: Turn, event: AgentAnswered) -> None:
    """Whoever was known and wanted to steer the floor is in the audit log, whatever came of it."""
    told = event.values
    if not told.get("steered"):
        return
    turn.decisions.append(
        FloorSteered(
            tenant=turn.interaction.tenant,
            supervisor_id=told["agent_id"],
            asked=told["asked"],
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
