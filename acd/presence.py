"""Presence: what an agent chooses. Pause and logout asked for during work are pending and taken when it ends."""

from __future__ import annotations

from collections.abc import Iterator

from acd import stays
from acd.capacity import VOICE
from acd.floor import Floor
from acd.records import Agent
from acd.setup import NotReadyReason
from acd.turn import Refused, Turn
from core.agent import PRESENCE_TABLE, Presence, PresenceEvent
from core.agent_facts import (
    AgentActed,
    AgentKept,
    DeviceChanged,
    PhoneUsed,
)
from core.assignment import AssignmentState
from core.decisions import Moved, Noted
from core.line_facts import LineChanged, LineReleased, LineRingback

RETRY_S = 30.0
"""Who could not be rung is tried again after this, unless her phone is known to be gone."""
KEYING_S = 60.0
"""Who calls from her phone during wrap-up has so long to key its result."""
KEYED_S = 5.0
"""Once she has hung up, wrap-up that would have ended meanwhile ends after this."""
BACK_WITHIN_S = 300.0
"""Who was taken off because her phone was gone is ready again by itself when it is back this soon."""


def acted(floor: Floor, turn: Turn, fact: AgentActed) -> None:
    """Raises Refused."""
    agent = floor.agents.get((fact.tenant, fact.agent_id))
    if agent is None:
        raise Refused(f"there is no agent {fact.agent_id}")
    match fact.action:
        case "log_in":
            _log_in(floor, turn, agent, fact.device)
        case "log_out":
            _log_out(floor, turn, agent)
        case "ready":
            _ready(floor, turn, agent)
        case "not_ready":
            _not_ready(floor, turn, agent, fact)


def _log_in(floor: Floor, turn: Turn, agent: Agent, wanted: str) -> None:
    if agent.removed:
        raise Refused(f"agent {agent.agent_id} is not configured any more")
    there = agent.presence is not Presence.LOGGED_OUT
    device = wanted or (agent.device if there else floor.person(agent.key).device)
    if there and device == agent.device:
        return
    _check_phone(floor, agent, device, chosen=bool(wanted))
    other = floor.devices.get(device) if device else None
    if other is not None and floor.roster[other] is not agent:
        who = floor.people[other].name or floor.people[other].agent_id
        raise Refused(f"{who} is logged in at {device}: she logs out first, or you choose another phone")
    if there and (agent.line_leg_id or any(work.channel == VOICE for work in agent.assignments.values())):
        raise Refused(f"you are logged in at {agent.device}: end what you do there, then move")
    turn.agent(agent)
    floor.devices.pop(agent.device, None)
    agent.device = device
    agent.reachable = device not in floor.down
    agent.on_phone = floor.in_use.get(device, ())
    if device:
        floor.devices[device] = floor.numbers[agent.key]
    if there:
        return
    agent.logged_in_s = agent.idle_since_s = turn.now_s
    agent.occupied_s, agent.ronas, agent.breaks_s = 0.0, 0, {}
    agent.pending = agent.pending_reason = ""
    _move(turn, agent, PresenceEvent.LOG_IN, "login")


def _check_phone(floor: Floor, agent: Agent, device: str, chosen: bool) -> None:
    """There is such a phone, and it is her tenant's; as far as it is known which there are."""
    own = f"{agent.tenant}-"
    known = floor.setup.devices
    if not device or not known or (device in known and device.startswith(own)):
        return
    phone = device.removeprefix(own)
    if chosen:
        raise Refused(f"there is no phone {phone}: choose another")
    raise Refused(f"your phone {phone} is not configured any more: choose another")


def _log_out(floor: Floor, turn: Turn, agent: Agent) -> None:
    if agent.presence is Presence.LOGGED_OUT:
        return
    turn.agent(agent)
    if agent.assignments:
        agent.pending, agent.pending_reason = "log_out", ""
    else:
        _leave(floor, turn, agent)


def _ready(floor: Floor, turn: Turn, agent: Agent) -> None:
    if agent.presence is Presence.LOGGED_OUT:
        raise Refused("log in first")
    if agent.removed:
        raise Refused(f"agent {agent.agent_id} is not configured any more: finish what you do, you are then logged out")
    turn.agent(agent)
    agent.pending = agent.pending_reason = ""
    agent.ronas = 0
    _move(turn, agent, PresenceEvent.READY, "")


def _not_ready(floor: Floor, turn: Turn, agent: Agent, fact: AgentActed) -> None:
    if agent.presence is Presence.LOGGED_OUT:
        raise Refused("log in first")
    if fact.by != "system":
        _check_reason(floor, fact)
    turn.agent(agent)
    if agent.assignments and agent.presence is Presence.READY:
        agent.pending, agent.pending_reason = "not_ready", fact.reason
    else:
        agent.pending = agent.pending_reason = ""
        _move(turn, agent, PresenceEvent.NOT_READY, fact.reason)


def _check_reason(floor: Floor, fact: AgentActed) -> None:
    known = {key[1]: reason for key, reason in floor.setup.reasons.items() if key[0] == fact.tenant}
    forced = fact.by == "supervisor"
    may = {name for name, reason in known.items() if reason.chosen or (forced and not reason.system)}
    choices = ", ".join(sorted(may))
    if fact.reason and known and fact.reason not in known:
        raise Refused(f"'{fact.reason}' is no reason to be not ready: choose one of {choices}")
    if fact.reason in known and fact.reason not in may:
        if known[fact.reason].system:
            raise Refused(f"'{fact.reason}' is given by the system alone: choose one of {choices}")
        raise Refused(f"'{fact.reason}' is given by supervisors alone: choose one of {choices}")


def taken_off(floor: Floor, turn: Turn, agent: Agent, reason: str) -> None:
    """Not ready by the system. A pause she asked for is no longer pending; a logout is."""
    turn.agent(agent)
    if agent.pending == "not_ready":
        agent.pending = agent.pending_reason = ""
    if agent.presence is Presence.READY:
        _move(turn, agent, PresenceEvent.NOT_READY, reason)


def work_over(floor: Floor, turn: Turn, agent: Agent) -> None:
    """Takes what is pending, once she has no work left. `agent` is the turn's."""
    if agent.assignments:
        return
    pending, reason = agent.pending, agent.pending_reason
    agent.pending = agent.pending_reason = ""
    if pending == "log_out" or (agent.removed and agent.presence is not Presence.LOGGED_OUT):
        _leave(floor, turn, agent)
    elif pending == "not_ready":
        _move(turn, agent, PresenceEvent.NOT_READY, reason)


def _leave(floor: Floor, turn: Turn, agent: Agent) -> None:
    number = floor.numbers[agent.key]
    _move(turn, agent, PresenceEvent.LOG_OUT, "")
    floor.devices.pop(agent.device, None)
    agent.device = ""
    floor.refresh(number, turn.now_s)
    for key in [key for key, members in floor.members.items() if members >> number & 1]:
        stays.deserted(floor, turn, key)
    _release_line(turn, agent)


def _release_line(turn: Turn, agent: Agent) -> None:
    """Nobody is put through to who has logged out. Whom she is kept for is still being dialed, and may answer."""
    if agent.line_leg_id and not agent.kept_for and agent.presence is Presence.LOGGED_OUT:
        turn.say(LineReleased(agent.line_interaction_id, agent.line_leg_id))


def _move(turn: Turn, agent: Agent, event: PresenceEvent, reason: str) -> None:
    before, was = agent.presence, agent.reason
    if before is Presence.NOT_READY and was:
        agent.breaks_s[was] = agent.breaks_s.get(was, 0.0) + turn.now_s - agent.since_s
    agent.presence, transition = PRESENCE_TABLE.advance(agent.row_id, before, event)
    if transition is not None:
        turn.decide(Moved(transition))
    if transition is not None or reason != was:
        agent.since_s = turn.now_s
        agent.reason, agent.limit_told = reason, False
        if reason:
            turn.decide(Noted("not_ready", f"{agent.row_id}: {reason}"))


def device_changed(floor: Floor, turn: Turn, fact: DeviceChanged) -> None:
    if fact.reachable is (fact.device in floor.down):
        floor.down ^= {fact.device}
        for person, agent in zip(floor.people, floor.roster, strict=True):
            if person.device == fact.device and not agent.device:
                turn.shown(agent)  # of who is at no phone, boards show her own
    number = floor.devices.get(fact.device)
    if number is None:
        return
    agent = floor.roster[number]
    back = fact.reachable and _was_unreachable(agent) and turn.now_s - agent.since_s <= BACK_WITHIN_S
    if agent.reachable == fact.reachable and not back:
        return
    turn.agent(agent).reachable = fact.reachable
    if back:
        turn.decide(Noted("ready", f"{agent.row_id}: her phone is back"))
        _move(turn, agent, PresenceEvent.READY, "")


def phone_used(floor: Floor, turn: Turn, fact: PhoneUsed) -> None:
    """A result that is keyed at the phone is not cut off by the end of wrap-up; it is not prolonged beyond the call."""
    using = tuple(one for one in floor.in_use.get(fact.device, ()) if one != fact.interaction_id)
    using = (*using, fact.interaction_id) if fact.used else using
    if using:
        floor.in_use[fact.device] = using
    else:
        floor.in_use.pop(fact.device, None)
    number = floor.devices.get(fact.device)
    if number is None or floor.roster[number].on_phone == using:
        return
    agent = turn.agent(floor.roster[number])
    agent.on_phone = using
    for work in agent.assignments.values():
        if work.state is not AssignmentState.WRAP_UP:
            continue
        if fact.used and not fact.rung:
            work.ends_s = max(work.ends_s, turn.now_s + KEYING_S)
        elif not using and (queue := floor.setup.queues.get((agent.tenant, work.queue))) is not None:
            own_s = work.since_s + queue.wrap_up_s + work.extended_s
            work.ends_s = min(work.ends_s, max(own_s, turn.now_s + KEYED_S))


def _was_unreachable(agent: Agent) -> bool:
    return agent.presence is Presence.NOT_READY and agent.reason == "unreachable"


def line_changed(floor: Floor, turn: Turn, fact: LineChanged) -> None:
    agent = floor.agents.get((fact.tenant, fact.agent_id))
    if agent is None or (not fact.up and agent.line_leg_id != fact.leg_id):
        return
    turn.agent(agent)
    agent.line_leg_id = fact.leg_id if fact.up else ""
    agent.line_interaction_id = fact.interaction_id if fact.up else ""
    agent.line_node = fact.node if fact.up else ""


def kept(floor: Floor, turn: Turn, fact: AgentKept) -> None:
    agent = floor.agents.get((fact.tenant, fact.agent_id))
    if agent is None or fact.kept is (fact.interaction_id in agent.kept_for):
        return
    turn.agent(agent)
    others = tuple(one for one in agent.kept_for if one != fact.interaction_id)
    agent.kept_for = (*others, fact.interaction_id) if fact.kept else others
    if agent.line_interaction_id not in ("", fact.interaction_id):
        turn.say(LineRingback(agent.line_interaction_id, agent.line_leg_id, fact.interaction_id, fact.kept))
    if not fact.kept:
        _release_line(turn, agent)


def reason_of(floor: Floor, agent: Agent) -> NotReadyReason | None:
    return floor.setup.reasons.get((agent.tenant, agent.reason)) if agent.reason else None


def limit_ends_s(floor: Floor, agent: Agent) -> float:
    """When her present reason's time is over; 0 when it has no limit, or she was told."""
    if agent.presence is not Presence.NOT_READY or agent.limit_told:
        return 0.0
    reason = reason_of(floor, agent)
    return agent.since_s + reason.limit_s if reason is not None and reason.limit_s > 0 else 0.0


def retried_s(agent: Agent) -> float:
    """When who could not be rung, though her phone seems to be there, is ready again; 0 for others."""
    return agent.since_s + RETRY_S if _was_unreachable(agent) and agent.reachable else 0.0


def due(floor: Floor, turn: Turn, agent: Agent) -> None:
    """Ready again after a failed ringing. The limit of her reason: she is not moved, it is written down and shown."""
    if 0.0 < retried_s(agent) <= turn.now_s:
        turn.agent(agent)
        turn.decide(Noted("ready", f"{agent.row_id}: her phone is tried again"))
        _move(turn, agent, PresenceEvent.READY, "")
    if 0.0 < limit_ends_s(floor, agent) <= turn.now_s:
        turn.agent(agent).limit_told = True
        turn.decide(Noted("over_limit", f"{agent.row_id}: {agent.reason} since {turn.now_s - agent.since_s:.0f} s"))


def breaks_due_s(floor: Floor, agent: Agent, now_s: float) -> dict[str, float]:
    """Reason -> seconds of it that are due to her by now (a screen break: five minutes per hour worked)."""
    worked_s = now_s - agent.logged_in_s
    return {
        name: round(max(0.0, worked_s * per_hour_s / 3600.0 - taken_s), 1)
        for name, per_hour_s, taken_s in _hourly(floor, agent, now_s)
    }


def breaks_at_s(floor: Floor, agent: Agent, now_s: float) -> dict[str, float]:
    """Reason -> when an hour's share of it will be due, or has been since."""
    return {
        name: round(agent.logged_in_s + (taken_s / per_hour_s + 1.0) * 3600.0, 1)
        for name, per_hour_s, taken_s in _hourly(floor, agent, now_s)
    }


def _hourly(floor: Floor, agent: Agent, now_s: float) -> Iterator[tuple[str, float, float]]:
    """Each reason that is due by the hour: its name, seconds per hour, seconds taken since login."""
    if agent.presence is Presence.LOGGED_OUT:
        return
    for (tenant, name), reason in floor.setup.reasons.items():
        if tenant == agent.tenant and reason.per_hour_s > 0:
            taken_s = agent.breaks_s.get(name, 0.0)
            if agent.presence is Presence.NOT_READY and agent.reason == name:
                taken_s += now_s - agent.since_s
            yield name, reason.per_hour_s, taken_s
