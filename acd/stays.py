"""A contact's wait: at the door, in its place, and out in exactly one of `StayEnd`'s ways."""

from __future__ import annotations

from dataclasses import replace

import msgspec

from acd import callbacks, counters, ewt, offers, queues, virtual, wrap_up
from acd.capacity import hindrance
from acd.floor import Floor
from acd.order import step_at
from acd.records import Stay
from acd.setup import QueueSetup
from acd.skills import Requirement, RequirementInvalid
from acd.turn import Turn
from core.decisions import Considered, Noted, StayEnded
from core.events import QueueLeft
from core.queue_facts import QueueJoined, QueuePosition, StayGivenUp
from core.stay import StayEnd, StayEvent, StayState

SPARED_S = 30.0
"""The least time that who comes back from a phone that vanished is not offered to that agent again."""
_AT_THE_DOOR = {"closed": StayEnd.CLOSED, "no_agents": StayEnd.OVERFLOWED, "full": StayEnd.OVERFLOWED}
"""What an outcome told to the flow is to the count of stays."""

_GIVEN_UP = {end.value: end for end in StayEnd if end is not StayEnd.ANSWERED}


def spared_s(queue: QueueSetup) -> float:
    """How long who has been at an agent's phone is not offered to her again, at the most."""
    return max(queue.refused_again_s, SPARED_S)


def join(floor: Floor, turn: Turn, fact: QueueJoined) -> None:
    if fact.stay_id in floor.stays:
        return
    floor.last_number += 1
    stay = Stay(
        stay_id=fact.stay_id,
        interaction_id=fact.interaction_id,
        tenant=fact.tenant,
        queue=fact.queue,
        joined_s=turn.now_s,
        number=floor.last_number,
        channel=fact.channel,
        priority=fact.priority,
        skills=_checked(floor, turn, fact),
        value=min(max(fact.value, 0.0), 100.0),
        preferred_agent=fact.preferred_agent if fact.queue else "",
        agent_id=fact.agent_id,
        waited_before_s=max(fact.waited_s, 0.0),
        language=fact.language,
        node=fact.node,
        purpose=fact.purpose,
        excluded=tuple(fact.excluded_agents),
        mode=fact.mode,
    )
    turn.stay(stay, new=True)
    floor.admit(stay)
    wanted = floor.agents.get((stay.tenant, stay.preferred_agent or stay.agent_id))
    if wanted is not None:
        wrap_up.take_back(floor, turn, wanted, stay)
    if fact.queue:
        counters.offered(floor, turn, stay)
    if stay.in_person:
        _in_person(floor, turn, stay)
        return
    queue = floor.setup.queues.get(stay.queue_key)
    if queue is None:
        turn.decide(Noted("queue", f"there is no queue {stay.queue}: add it, or change the flow"))
        leave(floor, turn, stay, "no_agents")
        return
    ewt.joined(floor, stay)
    stay.refused = dict.fromkeys(fact.spared_agents, turn.now_s + spared_s(queue))
    stay.step = step_at(stay, queue, turn.now_s)
    if stay.mode == "live" and (why := turned_away(floor, stay, queue, turn.now_s)):
        leave(floor, turn, stay, why)
        return
    stay.patience_ends_s = _patience(floor, stay, queue, turn.now_s)
    announce = queue.announcements
    tells = announce.position or announce.ewt or queue.callback is not None
    if tells and (announce.first_s or announce.every_s):
        stay.told_s = turn.now_s + (announce.first_s or announce.every_s)
    _seek(floor, turn, stay)


def _checked(floor: Floor, turn: Turn, fact: QueueJoined) -> str:
    """The flow's requirement. Better served by anybody than by nobody: one that cannot be read is left out."""
    try:
        asked = Requirement.parse(fact.skills)
    except RequirementInvalid as invalid:
        turn.decide(Noted("skills", f"'{fact.skills}' is left out: {invalid}"))
        return ""
    if unknown := [name for name in asked.names if floor.setup.skills and name not in floor.setup.skills]:
        turn.decide(Noted("skills", f"nobody can have {', '.join(unknown)}: add it to the skills, or change the flow"))
    return asked.text


def turned_away(floor: Floor, stay: Stay, queue: QueueSetup, now_s: float) -> str:
    """Why it cannot wait here, in the flow's word; empty when it can. It may be here already, or not yet."""
    if not queues.is_open(floor, stay.queue_key, now_s):
        return "closed"
    present = floor.present.get(stay.queue_key, {})
    if queue.max_waiting and len(present) - (stay.stay_id in present) >= queue.max_waiting:
        return "full"
    if stay.channel not in floor.free:
        return "no_agents"
    return "no_agents" if _nobody(floor, stay, queue) else ""


def turned_away_there(floor: Floor, stay: Stay, queue: QueueSetup, now_s: float) -> str:
    """The same for another queue than the one it waits in."""
    there = msgspec.structs.replace(stay, queue=queue.queue, step=step_at(stay, queue, now_s))
    return turned_away(floor, there, queue, now_s)


def _nobody(floor: Floor, stay: Stay, queue: QueueSetup) -> bool:
    return queue.no_agents == "leave" and not floor.could_ever(stay) & floor.logged_in


def _patience(floor: Floor, stay: Stay, queue: QueueSetup, now_s: float) -> float:
    """Until when only the agent it prefers is good enough; 0 when waiting for her makes no sense: she cannot serve it,
    or is on a break, or about to be."""
    if not stay.preferred_agent or queue.patience_s <= 0:
        return 0.0
    hers = floor.mask(stay.tenant, (stay.preferred_agent,))
    if not hers & floor.ready & floor.fit.may_serve(stay, stay.step) & ~floor.barred(stay, now_s):
        return 0.0
    if floor.agents[stay.tenant, stay.preferred_agent].pending:
        return 0.0
    return now_s + queue.patience_s


def _in_person(floor: Floor, turn: Turn, stay: Stay) -> None:
    """One agent is wanted, at once or not at all: whoever transfers or consults is waiting for the answer."""
    number = floor.numbers.get((stay.tenant, stay.agent_id))
    if number is None:
        why = f"there is no agent {stay.agent_id}"
    elif 1 << number & floor.barred(stay, turn.now_s):
        why = f"{stay.agent_id} works on this contact already"
    else:
        agent, person = floor.roster[number], floor.people[number]
        why = hindrance(agent, person, stay.channel, floor.setup, turn.now_s, stay.interaction_id)
        if why in ("", "resting"):
            offers.make(floor, turn, stay, number, (Considered(stay.agent_id),), {}, "", "")
            return
    turn.decide(Noted("in_person", why))
    leave(floor, turn, stay, "no_agents")


def back(floor: Floor, turn: Turn, stay: Stay) -> None:
    """Nobody took what was offered: back to its place, with its waited time."""
    turn.move_stay(stay, StayEvent.RETURNED)
    if stay.in_person:
        turn.say(QueueLeft(stay.interaction_id, stay.stay_id, StayEnd.OVERFLOWED.value))
        end(floor, turn, stay, StayEnd.OVERFLOWED)
    elif stay.queue_key not in floor.setup.queues:
        drain(floor, turn, stay)
    else:
        advance(floor, turn, stay)


def advance(floor: Floor, turn: Turn, stay: Stay) -> None:
    """Does what has become due for one who waits, and seeks an agent for it."""
    now_s, queue = turn.now_s, floor.queue_setup(stay)
    turn.stay(stay)
    if queue.max_wait_s and not stay.first and now_s >= stay.joined_s + queue.max_wait_s:
        _overflow(floor, turn, stay, queue)
        return
    step = step_at(stay, queue, now_s)
    relaxed, stay.step = step != stay.step, step
    if stay.refused:
        stay.refused = {who: until_s for who, until_s in stay.refused.items() if until_s > now_s}
    if stay.patience_ends_s <= now_s:
        stay.patience_ends_s = 0.0
    if stay.mode == "live" and 0.0 < stay.told_s <= now_s:
        every_s = queue.announcements.every_s
        stay.told_s = now_s + every_s if every_s > 0 else 0.0
        turn.say(_announced(floor, stay, queue, now_s))
    floor.unplace(stay.stay_id)
    _seek(floor, turn, stay)
    if relaxed:
        counters.reordered(floor, turn, stay)
        asks = floor.fit.requirement(stay, step).text or "nothing in particular"
        turn.decide(Noted("relaxed", f"stay {stay.stay_id} asks for {asks} from step {step} on"))


def _announced(floor: Floor, stay: Stay, queue: QueueSetup, now_s: float) -> QueuePosition:
    """What she is told. Whether a callback is offered goes by the expected wait, said or not; while nobody can say, by
    how long she has waited."""
    announce, found = queue.announcements, queues.position(floor, stay, now_s)
    long_s = found.ewt_s if found.ewt_s >= 0 else now_s - stay.began_s
    return replace(
        found,
        position=found.position if announce.position else 0,
        ewt_s=found.ewt_s if announce.ewt else -1.0,
        ewt_low_s=found.ewt_low_s if announce.ewt else -1.0,
        ewt_high_s=found.ewt_high_s if announce.ewt else -1.0,
        callback=queue.callback is not None and long_s >= queue.callback.min_ewt_s,
    )


def _seek(floor: Floor, turn: Turn, stay: Stay) -> None:
    """Takes its place; an agent who could have it at once is looked for when the event is handled. Who becomes free
    in this very event looks for it herself."""
    if not virtual.seeks(floor, stay, turn.now_s):
        return
    if virtual.is_called_first(stay) and stay.look_s <= turn.now_s:
        callbacks.look(floor, turn, stay)
        if stay.called:
            return
    if floor.place(stay, turn.now_s).agents & floor.idle:
        turn.seeking[stay.stay_id] = stay


def given_up(floor: Floor, turn: Turn, fact: StayGivenUp) -> None:
    stay = floor.stays.get(fact.stay_id)
    if stay is None:
        return
    how = _GIVEN_UP.get(fact.outcome)
    if how is None:
        turn.decide(Noted("stay", f"'{fact.outcome}' is no way to give up a stay: counted as lost"))
        how = StayEnd.LOST
    short_s = floor.queue_setup(stay).service_level.short_abandon_s
    if how is StayEnd.ABANDONED and turn.now_s - stay.began_s <= short_s:
        how = StayEnd.SHORT_ABANDONED
    turn.stay(stay)
    offers.withdraw_from(floor, turn, stay, "the customer left")
    end(floor, turn, stay, how)


def leave(floor: Floor, turn: Turn, stay: Stay, outcome: str) -> None:
    """Out by our doing: closed, full, no_agents."""
    turn.stay(stay)
    turn.say(QueueLeft(stay.interaction_id, stay.stay_id, outcome))
    end(floor, turn, stay, _AT_THE_DOOR[outcome])


def _overflow(floor: Floor, turn: Turn, stay: Stay, queue: QueueSetup) -> None:
    """On to another queue, where its interaction joins with the time it has waited; or to the flow. A queue that would
    turn it away is none: who has waited long in an open queue is not to hear that we are closed."""
    why, target = f"it waited {queue.max_wait_s:g} s", floor.setup.queues.get((stay.tenant, queue.overflow_to))
    if target is not None and (no := turned_away_there(floor, stay, target, turn.now_s)):
        why, target = f"{why}, and {target.queue} would turn it away: {no}", None
    turn.decide(Noted("overflowed", why))
    send_on(floor, turn, stay, target.queue if target is not None else "")


def send_on(floor: Floor, turn: Turn, stay: Stay, target: str) -> None:
    """`target`: a queue there is, or empty."""
    turn.stay(stay)
    again_s = stay.again_s if stay.mode == "virtual" else 0.0
    turn.say(QueueLeft(stay.interaction_id, stay.stay_id, StayEnd.OVERFLOWED.value, target, again_s))
    end(floor, turn, stay, StayEnd.OVERFLOWED)


def drain(floor: Floor, turn: Turn, stay: Stay) -> None:
    """Its queue was removed."""
    target = floor.setup.fallbacks.get(stay.queue_key, "")
    turn.decide(Noted("overflowed", f"queue {stay.queue} was removed"))
    send_on(floor, turn, stay, target if (stay.tenant, target) in floor.setup.queues else "")


def deserted(floor: Floor, turn: Turn, queue_key: tuple[str, str]) -> None:
    """Somebody logged out: who can be served by nobody any more does not wait on."""
    queue = floor.setup.queues.get(queue_key)
    if queue is None:
        return
    closed = not queues.is_open(floor, queue_key, turn.now_s)
    for stay in tuple(floor.present.get(queue_key, {}).values()):
        if stay.state is not StayState.WAITING or stay.first:
            continue  # who is called back waits for another day, until her promise expires
        if floor.placed[stay.stay_id][4].agents & floor.logged_in:
            continue
        if stay.patience_ends_s > turn.now_s:
            # It is she who left.
            turn.stay(stay).patience_ends_s = 0.0
            floor.unplace(stay.stay_id)
            _seek(floor, turn, stay)
        if not floor.could_ever(stay) & floor.logged_in and (closed or queue.no_agents == "leave"):
            leave(floor, turn, stay, "closed" if closed else "no_agents")


def end(floor: Floor, turn: Turn, stay: Stay, how: StayEnd, agent_id: str = "") -> None:
    """The one way out of the records."""
    turn.move_stay(stay, StayEvent.ENDED)
    waited_s = turn.now_s - stay.began_s
    target_s = floor.queue_setup(stay).service_level.within_s
    in_target = how is StayEnd.ANSWERED and waited_s <= target_s
    counters.ended(floor, turn, stay, how, in_target, late=waited_s > target_s)
    turn.decide(
        StayEnded(
            interaction_id=stay.interaction_id,
            stay_id=stay.stay_id,
            tenant=stay.tenant,
            queue=stay.queue,
            how=how.value,
            waited_s=waited_s,
            agent_id=agent_id,
            in_target=in_target,
            virtual=bool(stay.first),
            virtual_s=virtual.virtual_s(stay, turn.now_s),
            purpose=stay.purpose,
        )
    )
    floor.dismiss(stay)
