"""Timers. When a record needs attention again follows from the record itself, so no handler arms or cancels any:
after each event the records it touched are asked (`arm`).

Timer ids: `acd:agent:<tenant>/<agent>`, `acd:stay:<stay>`, `acd:queue:<tenant>/<queue>`.
"""

from __future__ import annotations

from math import inf

from acd import order, presence, queues, stays, virtual, wrap_up
from acd.floor import Floor
from acd.records import Agent, Queue, Stay
from acd.turn import Turn
from core.agent import Presence
from core.assignment import AssignmentState
from core.commands import CancelTimer, StartTimer
from core.events import TimerFired
from core.routing import ROUTER
from core.stay import StayState

PREFIX = "acd:"
_TIMED = (AssignmentState.OFFERED, AssignmentState.WRAP_UP)


def fired(floor: Floor, turn: Turn, fact: TimerFired) -> None:
    """Does what is due for the record the timer is about."""
    _, kind, row_id = fact.timer_id.split(":", 2)
    turn.armed_before.setdefault(fact.timer_id, floor.armed.pop(fact.timer_id, None))
    if kind == "stay":
        stay = floor.stays.get(row_id)
        if stay is not None and stay.state is StayState.WAITING:
            stays.advance(floor, turn, stay)
        return
    tenant, _, name = row_id.partition("/")
    if kind == "agent" and (agent := floor.agents.get((tenant, name))) is not None:
        turn.agent(agent)
        wrap_up.due(floor, turn, agent)
        presence.due(floor, turn, agent)
    elif kind == "queue" and (tenant, name) in floor.setup.queues:
        turn.queue(floor.queue((tenant, name)))
        if not queues.is_open(floor, (tenant, name), turn.now_s):
            stays.deserted(floor, turn, (tenant, name))


def arm(floor: Floor, turn: Turn) -> None:
    """Arms and cancels the timers of everything this event touched."""
    now_s = turn.now_s
    agents, stays_, queues_ = turn.agents, turn.stays, turn.queues
    if turn.everything:
        agents = {agent.row_id: agent for agent in floor.agents.values()} | agents
        stays_ = floor.stays | stays_
        queues_ = {queue.row_id: queue for queue in map(floor.queue, floor.setup.queues)} | queues_
    armed = floor.armed
    for row_id, agent in agents.items():
        timer_id, due_s = f"acd:agent:{row_id}", agent_due_s(floor, agent, now_s)
        if armed.get(timer_id, inf) != due_s:
            _set(floor, turn, timer_id, due_s)
    for stay_id, stay in stays_.items():
        timer_id, due_s = f"acd:stay:{stay_id}", stay_due_s(floor, stay, now_s)
        if armed.get(timer_id, inf) != due_s:
            _set(floor, turn, timer_id, due_s)
    for row_id, queue in queues_.items():
        timer_id, due_s = f"acd:queue:{row_id}", queue_due_s(floor, queue, now_s)
        if armed.get(timer_id, inf) != due_s:
            _set(floor, turn, timer_id, due_s)


def agent_due_s(floor: Floor, agent: Agent, now_s: float) -> float:
    """When she needs attention; infinite for never."""
    due_s = agent.rest_until_s if agent.rest_until_s > now_s and not agent.gone else inf
    for work in agent.assignments.values():
        if work.ends_s and work.state in _TIMED:
            due_s = min(due_s, work.ends_s)
    if agent.presence is Presence.NOT_READY:
        for at_s in (presence.limit_ends_s(floor, agent), presence.retried_s(agent)):
            if at_s:
                due_s = min(due_s, at_s)
    return due_s


def stay_due_s(floor: Floor, stay: Stay, now_s: float) -> float:
    if stay.state is not StayState.WAITING or stay.stay_id not in floor.stays:
        return inf
    queue = floor.queue_setup(stay)
    due_s = order.step_changes_at(stay, queue, now_s) if queue.relaxations else inf
    if queue.max_wait_s and not stay.first:
        due_s = min(due_s, stay.joined_s + queue.max_wait_s)
    if stay.patience_ends_s > now_s:
        due_s = min(due_s, stay.patience_ends_s)
    if stay.refused:
        due_s = min(due_s, *stay.refused.values())
    if stay.told_s and stay.mode == "live":
        due_s = min(due_s, stay.told_s)
    return min(due_s, virtual.due_s(floor, stay, now_s)) if stay.mode == "virtual" else due_s


def queue_due_s(floor: Floor, queue: Queue, now_s: float) -> float:
    return queues.hours_change_at(floor, queue.key, now_s)


def _set(floor: Floor, turn: Turn, timer_id: str, due_s: float) -> None:
    """To another time than it is armed for, infinite for never."""
    turn.armed_before.setdefault(timer_id, floor.armed.get(timer_id))
    if due_s == inf:
        del floor.armed[timer_id]
        turn.outcome.commands.append(CancelTimer(ROUTER, timer_id))
    else:
        floor.armed[timer_id] = due_s
        turn.outcome.commands.append(StartTimer(ROUTER, timer_id, due_s))
