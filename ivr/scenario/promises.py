"""What the world answers in a scenario, as written under `given:`."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from core.commands import AskAgent, AskQueueStatus, JoinQueue, SendHttp, Transfer
from core.events import AgentAnswered, HttpReplied, QueueStatusGiven
from core.leg_commands import StartRecording
from ivr.replies import value_at

HTTP_S, QUEUE_S, TRANSFER_S, RECORDING_S = 0.3, 20.0, 8.0, 8.0
"""How long things take unless told."""


@dataclass(frozen=True, slots=True)
class WebReply:
    """`url` may hold `*` or `…` for anything. `body`: parsed JSON, or None when the reply is not JSON."""

    url: str
    method: str = ""
    status: int = 200
    body: Any = None
    error: str = ""
    after_s: float = HTTP_S

    def fits(self, command: SendHttp) -> bool:
        if self.method and self.method != command.method:
            return False
        pattern = ".*".join(map(re.escape, re.split(r"\*|…", self.url)))
        return re.fullmatch(pattern, command.url) is not None


ANA: Mapping[str, str] = {
    "agent_id": "ana",
    "name": "Ana",
    "presence": "ready",
    "reason": "",
    "looks": "ready",
    "pending": "",
    "queue_count": "1",
    "language": "es",
}
"""Whom an `agent` node finds, unless told otherwise."""


@dataclass(frozen=True, slots=True)
class AgentReply:
    """What an agent's request comes to; `values` stand over those of `ANA`."""

    ok: bool = True
    why: str = ""
    values: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class QueueReply:
    """What a queue says of itself, as `QueueStatusGiven`."""

    status: Literal["open", "closed", "no_agents"] = "open"
    waiting: int = 0
    ewt_s: float = 0.0
    longest_wait_s: float = 0.0
    agents_ready: int = 0
    agents_logged_in: int = 1


@dataclass
class Given:
    """The promises of one scenario. Of several web replies that fit, each is used once and the last for ever."""

    web: Sequence[WebReply] = ()
    queues: Mapping[str, tuple[str, float]] = field(default_factory=dict)
    statuses: Mapping[str, QueueReply] = field(default_factory=dict)
    agents: Mapping[str, Sequence[AgentReply]] = field(default_factory=dict)
    """Action -> replies, each used once and the last for ever."""
    transfers: Mapping[str, tuple[str, float]] = field(default_factory=dict)
    recordings: Sequence[tuple[float, str]] = ()
    rejected: Collection[str] = ()
    surprises: list[str] = field(default_factory=list)
    """What the flow asked for and nothing was promised about."""

    def __post_init__(self) -> None:
        self._used: set[int] = set()
        self._recorded = 0
        self._asked: Counter[str] = Counter()

    def http(self, command: SendHttp) -> tuple[HttpReplied, float]:
        fitting = [index for index, reply in enumerate(self.web) if reply.fits(command)]
        if not fitting:
            self.surprises.append(f"{command.method} {command.url}: no reply is given for it under `http`")
            return _failed(command, "no reply is given in this test"), HTTP_S
        index = next((index for index in fitting if index not in self._used), fitting[-1])
        self._used.add(index)
        return _replied(command, self.web[index]), self.web[index].after_s

    def queue(self, command: JoinQueue) -> tuple[str, float]:
        return self.queues.get(command.queue, ("answered", QUEUE_S))

    def queue_status(self, command: AskQueueStatus) -> QueueStatusGiven:
        now = self.statuses.get(command.queue, QueueReply())
        return QueueStatusGiven(
            interaction_id=command.interaction_id,
            request_id=command.request_id,
            status=now.status,
            waiting=now.waiting,
            ewt_s=now.ewt_s,
            longest_wait_s=now.longest_wait_s,
            agents_ready=0 if now.status == "no_agents" else now.agents_ready,
            agents_logged_in=0 if now.status == "no_agents" else now.agents_logged_in,
        )

    def agent(self, command: AskAgent) -> AgentAnswered:
        replies = self.agents.get(command.action) or (AgentReply(),)
        reply = replies[min(self._asked[command.action], len(replies) - 1)]
        self._asked[command.action] += 1
        values = {**ANA, **reply.values} if reply.ok else dict(reply.values)
        return AgentAnswered(command.interaction_id, command.request_id, reply.ok, reply.why, values)

    def transfer(self, command: Transfer) -> tuple[str, float]:
        return self.transfers.get(command.target, ("answered", TRANSFER_S))

    def recording(self, command: StartRecording) -> tuple[float, str]:
        if not self.recordings:
            return min(RECORDING_S, float(command.max_s)), "silence" if command.silence_s else "digit"
        length, ended_by = self.recordings[min(self._recorded, len(self.recordings) - 1)]
        self._recorded += 1
        return min(length, float(command.max_s)), ended_by if length < command.max_s else "limit"


def _replied(command: SendHttp, reply: WebReply) -> HttpReplied:
    if reply.error:
        return _failed(command, reply.error)
    if not 200 <= reply.status < 300 or not command.mapping:
        return HttpReplied(command.interaction_id, command.request_id, reply.status)
    try:
        values = {variable: value_at(reply.body, path) for variable, path in command.mapping.items()}
    except ValueError as failure:
        return _failed(command, str(failure))
    return HttpReplied(command.interaction_id, command.request_id, reply.status, values)


def _failed(command: SendHttp, why: str) -> HttpReplied:
    return HttpReplied(command.interaction_id, command.request_id, 0, {}, why)
