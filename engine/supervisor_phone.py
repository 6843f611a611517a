"""A supervisor calls in to follow an agent's conversation: whether she may, and which one it is.

Who supervises by phone stands in `config/agents.yaml` (`supervises: yes`), or an admin said so on the desk: nobody logs
in there at a phone.
She reaches the agents of her own tenant. The rest is `engine/supervision.py`, as when the desk asks.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from acd.setup import AgentSetup, Setup
from core.commands import AskAgent
from core.talk_facts import SupervisorCalled
from engine import supervision
from engine.interaction import Interaction

_TALKS = ("active", "held", "consulting")
_NO_SUPERVISOR = "you do not supervise by phone: `supervises: yes` in config/agents.yaml lets you"
_NO_AGENT = "there is no agent with this number"
_CODES = {
    _NO_SUPERVISOR: "not_supervisor",
    _NO_AGENT: "no_agent",
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
    named, tenant = command.value.casefold(), supervisor.tenant
    agents = (each for (whose, _), each in sorted(setup.agents.items()) if whose == tenant)
    agent = next((each for each in agents if named and named in (each.agent_id.casefold(), each.code)), None)
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
