"""An agent works with her phone alone: what she keys becomes a request to the router, and its answer.

Who she is: the agent whose held line this is, the agent at the device the call came from, or an agent code with its
PIN. Wrong PINs are counted per agent and per phone, so that nobody tries them all.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from acd.setup import AgentSetup, Setup
from core.agent_facts import AgentActed, WrapUpActed
from core.commands import AskAgent
from core.events import AgentAnswered
from core.line_facts import LineChanged
from core.routing import RouterFact
from core.talk_facts import SupervisorCalled
from engine import supervisor_phone
from engine.interaction import Interaction

WRONG_PINS = 5
"""Wrong PINs in a row before an agent, or a phone, has to wait."""
LOCKED_S = 300.0
_MOST_COUNTED = 10_000
_WHO = "this phone is no agent's: key an agent code and its PIN"
_WRONG = "the agent code or its PIN is wrong"

Act = Callable[[RouterFact | SupervisorCalled], str]


@dataclass(slots=True)
class Throttle:
    """Wrong tries by whatever they were about; the oldest are forgotten."""

    _wrong: dict[tuple[str, ...], tuple[int, float]] = field(default_factory=dict)

    def locked(self, about: tuple[str, ...], now_s: float) -> bool:
        tries, until_s = self._wrong.get(about, (0, 0.0))
        if tries >= WRONG_PINS and now_s >= until_s:
            del self._wrong[about]
            return False
        return tries >= WRONG_PINS

    def wrong(self, about: tuple[str, ...], now_s: float) -> None:
        tries, _ = self._wrong.pop(about, (0, 0.0))
        self._wrong[about] = (tries + 1, now_s + LOCKED_S)
        if len(self._wrong) > _MOST_COUNTED:
            del self._wrong[next(iter(self._wrong))]

    def right(self, about: tuple[str, ...]) -> None:
        self._wrong.pop(about, None)


class AgentPhone:
    """`agent_at(device)`: who is logged in there, as (tenant, agent_id); `view(tenant, agent_id, now_s)`: her view as
    the control socket gives it."""

    def __init__(
        self,
        agent_at: Callable[[str], tuple[str, str] | None],
        view: Callable[[str, str, float], Mapping[str, Any]],
        longest: supervisor_phone.Longest,
    ) -> None:
        self._agent_at = agent_at
        self._longest = longest
        self._view = view
        self._throttle = Throttle()

    def answer(
        self,
        command: AskAgent,
        interaction: Interaction,
        setup: Setup,
        devices: Collection[str],
        act: Act,
        now_s: float,
    ) -> AgentAnswered:
        """`act` hands a request to the router, or to a conversation, and returns its refusal; `devices`: our own phones
        by name."""
        device = interaction.entry if interaction.entry in devices else ""
        agent = _on_her_line(command, interaction, setup) or self._who(
            command, interaction.tenant, setup, device, now_s
        )
        if isinstance(agent, str):
            return AgentAnswered(command.interaction_id, command.request_id, False, agent)
        told: Mapping[str, str] = {}
        if command.action == "supervise":
            followed = supervisor_phone.follow(
                command,
                agent,
                setup,
                interaction,
                device,
                lambda tenant, agent_id: self._work(tenant, agent_id, now_s),
                act,
            )
            why, told = followed.why, followed.values
        elif command.action in supervisor_phone.STEERS:
            steered = supervisor_phone.steer(command, agent, setup, device, act, self._longest)
            why, told = steered.why, steered.values
        else:
            why = self._act(command, agent, setup, interaction, device, act, now_s)
        view = self._view(agent.tenant, agent.agent_id, now_s)
        values = {
            "agent_id": agent.agent_id,
            "name": agent.name or agent.agent_id,
            **{name: str(view.get(name, "")) for name in ("presence", "reason", "looks", "pending")},
            "language": agent.languages[0] if agent.languages else "",
            "queue_count": str(len(view.get("queues", ()))),
            **told,
        }
        return AgentAnswered(command.interaction_id, command.request_id, not why, why, values)

    def _who(self, command: AskAgent, tenant: str, setup: Setup, device: str, now_s: float) -> AgentSetup | str:
        """The agent, or why nobody is taken for one."""
        if not command.agent_id:
            key = self._agent_at(device) if device else None
            agent = setup.agents.get(key) if key is not None else None
            return _WHO if agent is None or agent.tenant != tenant else agent
        tries = [("agent", tenant, command.agent_id)] + ([("phone", tenant, device)] if device else [])
        if any(self._throttle.locked(about, now_s) for about in tries):
            return f"too many wrong PINs: try again in {LOCKED_S / 60:.0f} minutes"
        named = {command.agent_id.casefold()}
        agent = next((each for each in _agents(setup, tenant) if {each.agent_id.casefold(), each.code} & named), None)
        pin = agent.pin if agent is not None else ""
        if not hmac.compare_digest(pin.encode(), command.pin.encode()) or agent is None or not pin:
            for about in tries:
                self._throttle.wrong(about, now_s)
            return _WRONG
        for about in tries:
            self._throttle.right(about)
        return agent

    def _act(
        self,
        command: AskAgent,
        agent: AgentSetup,
        setup: Setup,
        interaction: Interaction,
        device: str,
        act: Act,
        now_s: float,
    ) -> str:
        tenant, agent_id = agent.tenant, agent.agent_id
        match command.action:
            case "log_in":
                return act(AgentActed(tenant, agent_id, "log_in", device=device))
            case "log_out" | "ready":
                return act(AgentActed(tenant, agent_id, command.action))
            case "not_ready":
                reason = _reason(setup, tenant, command.value)
                return act(AgentActed(tenant, agent_id, "not_ready", reason))
            case "finish_wrap_up" | "disposition":
                return self._write_down(command, agent, act, now_s)
            case "hold_line":
                line = LineChanged(command.interaction_id, tenant, agent_id, command.leg_id, up=True)
                return act(replace(line, node=interaction.customer.node))
            case _:
                return ""

    def _work(self, tenant: str, agent_id: str, now_s: float) -> list[dict[str, Any]]:
        return list(self._view(tenant, agent_id, now_s).get("assignments", ()))

    def _write_down(self, command: AskAgent, agent: AgentSetup, act: Act, now_s: float) -> str:
        work = self._work(agent.tenant, agent.agent_id, now_s)
        wrapping = [each for each in work if each["state"] == "wrap_up"]
        if command.action == "finish_wrap_up":
            if not wrapping:
                return "there is no wrap-up to finish"
            return act(WrapUpActed(wrapping[0]["interaction_id"], agent.tenant, agent.agent_id, finish=True))
        talked = wrapping or [each for each in work if each["state"] != "offered"]
        if not talked:
            return "there is no contact to give a disposition to"
        talked_in = talked[0]["interaction_id"]
        return act(WrapUpActed(talked_in, agent.tenant, agent.agent_id, disposition=command.value))


def _on_her_line(command: AskAgent, interaction: Interaction, setup: Setup) -> AgentSetup | None:
    """Who said who she is when she opened this line."""
    line = interaction.line
    if command.agent_id or line is None or not line.agent_id:
        return None
    return setup.agents.get((interaction.tenant, line.agent_id))


def _agents(setup: Setup, tenant: str) -> Iterator[AgentSetup]:
    return (agent for (whose, _), agent in sorted(setup.agents.items()) if whose == tenant)


def _reason(setup: Setup, tenant: str, value: str) -> str:
    """A not-ready reason by its name or by the digits that stand for it."""
    for (whose, name), reason in setup.reasons.items():
        if whose == tenant and value and reason.digits == value:
            return name
    return value
