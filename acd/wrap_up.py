"""Conversation, wrap-up, and the end of an assignment."""

from __future__ import annotations

from acd import counters, ewt, offers, presence
from acd.floor import Floor
from acd.masks import bits
from acd.records import Agent, Assignment, Kept, Stay
from acd.setup import Disposition, QueueSetup
from acd.turn import Refused, Turn
from core.agent_facts import WrapUpActed
from core.assignment import AssignmentEvent, AssignmentState
from core.decisions import WorkEnded
from core.talk_facts import TalkChanged, TalkEnded

NOT_GIVEN = "not_given"
_HANDED_OVER = ("transferred", "agent_hung_up", "taken_over", "vanished")
_NOBODY = "machine"
"""It was nobody: nothing is to be written down."""
_TALKING = (AssignmentState.ACTIVE, AssignmentState.HELD, AssignmentState.CONSULTING)


def talk_changed(floor: Floor, turn: Turn, fact: TalkChanged) -> None:
    agent, work = find(floor, fact.interaction_id, fact.agent_id)
    if agent is not None and work is not None:
        turn.agent(agent)
        turn.move_assignment(agent, work, AssignmentEvent(fact.what))


def talk_ended(floor: Floor, turn: Turn, fact: TalkEnded) -> None:
    agent, work = find(floor, fact.interaction_id, fact.agent_id)
    if agent is None or work is None:
        return
    if work.state is AssignmentState.OFFERED:
        offers.give_up(floor, turn, agent, work, "rejected")
        return
    over(floor, turn, agent, work, fact.how)


def over(floor: Floor, turn: Turn, agent: Agent, work: Assignment, how: str) -> None:
    """Her part of the conversation has ended: wrap-up begins."""
    turn.agent(agent)
    if not turn.move_assignment(agent, work, AssignmentEvent.ENDED):
        return
    work.how = how
    counters.handled(floor, turn, agent)
    if how in _HANDED_OVER:
        _inherit(floor, turn, work)
    queue = _queue(floor, agent, work)
    if queue is not None and queue.wrap_up_s > 0 and work.purpose != "consult" and how != _NOBODY:
        work.ends_s = turn.now_s + queue.wrap_up_s
    else:
        finish(floor, turn, agent, work)


def _inherit(floor: Floor, turn: Turn, left: Assignment) -> None:
    """Whoever was consulted and is still there has the customer now: she will wrap up as the first would have."""
    for number in bits(floor.working.get(left.interaction_id, 0)):
        agent = floor.roster[number]
        work = agent.assignments[left.interaction_id]
        if work is not left and work.purpose == "consult" and work.state in _TALKING:
            turn.agent(agent)
            work.purpose, work.queue = "transfer", work.queue or left.queue


def take_back(floor: Floor, turn: Turn, agent: Agent, stay: Stay) -> None:
    """Her customer comes back before her wrap-up is over: it ends, for there will be another, which goes on from what
    she has written if it is she who takes the customer. `stay` is the turn's."""
    work = agent.assignments.get(stay.interaction_id)
    if work is not None and work.state is AssignmentState.WRAP_UP:
        turn.agent(agent)
        stay.kept = Kept(agent.agent_id, work.queue, work.disposition, work.notes, work.callback_at_s)
        _finish(floor, turn, agent, work)


def go_on(work: Assignment, kept: Kept) -> None:
    """She has her customer again, and what she had written, as far as it suits the queue of now."""
    work.notes, work.callback_at_s = kept.notes, kept.callback_at_s
    if work.queue == kept.queue:
        work.disposition = kept.disposition


def acted(floor: Floor, turn: Turn, fact: WrapUpActed) -> None:
    """Takes all that is given, or refuses all of it. Raises Refused."""
    agent = floor.agents.get((fact.tenant, fact.agent_id))
    work = agent.assignments.get(fact.interaction_id) if agent is not None else None
    if agent is None or work is None:
        raise Refused("the wrap-up of this contact is over")
    if work.state is AssignmentState.OFFERED:
        raise Refused("take the contact first")
    queue = _queue(floor, agent, work)
    wrapping = work.state is AssignmentState.WRAP_UP
    disposition = _disposition(queue, fact.disposition) if fact.disposition else work.disposition
    if fact.extend_s:
        most_s = queue.wrap_up_extend_s if queue is not None else 0.0
        if not wrapping:
            raise Refused("wrap-up has not begun: it can be extended when the conversation is over")
        if fact.extend_s < 0 or work.extended_s + fact.extend_s > most_s:
            raise Refused(f"wrap-up may be extended by {max(0.0, most_s - work.extended_s):g} s more")
    if fact.finish and not wrapping:
        raise Refused("the conversation is still going on: hang up or transfer it first")
    if fact.finish and queue is not None and queue.disposition_required and queue.dispositions and not disposition:
        raise Refused(f"choose a disposition first: {_choices(queue.dispositions)}")
    if fact.callback_at_s and fact.callback_at_s <= turn.now_s:
        raise Refused("the callback's time has passed: choose a later one")
    turn.agent(agent)
    work.disposition = disposition
    work.notes += bool(fact.text)
    work.callback_at_s = fact.callback_at_s or work.callback_at_s
    work.extended_s += fact.extend_s
    work.ends_s += fact.extend_s
    if fact.finish:
        finish(floor, turn, agent, work)


def _disposition(queue: QueueSetup | None, wanted: str) -> str:
    """Its path, given by path or digits."""
    choices = queue.dispositions if queue is not None else ()
    found = next((choice for choice in choices if wanted in (choice.path, choice.digits)), None)
    if found is None:
        known = f"choose one of {_choices(choices)}" if choices else "this queue has none"
        raise Refused(f"there is no disposition '{wanted}': {known}")
    if not found.leaf:
        below = tuple(choice for choice in choices if choice.path.startswith(f"{found.path}/"))
        raise Refused(f"'{found.path}' needs one more step: choose one of {_choices(below)}")
    return found.path


def _choices(choices: tuple[Disposition, ...]) -> str:
    return ", ".join(choice.path for choice in choices if choice.leaf)


def finish(floor: Floor, turn: Turn, agent: Agent, work: Assignment) -> None:
    """Wrap-up is over, by her or by the clock. `agent` is the turn's."""
    queue = _queue(floor, agent, work)
    if not work.disposition and queue is not None and queue.dispositions:
        work.disposition = NOT_GIVEN
    _finish(floor, turn, agent, work)


def rest_s(floor: Floor, agent: Agent) -> float:
    """Of hers between two contacts."""
    own = floor.person(agent.key).rest_s
    return own if own is not None else floor.setup.rest_s


def _finish(floor: Floor, turn: Turn, agent: Agent, work: Assignment) -> None:
    wrap_up_s = turn.now_s - work.since_s
    turn.move_assignment(agent, work, AssignmentEvent.FINISHED)
    worked_s = work.talk_s + work.hold_s + work.consult_s + wrap_up_s
    agent.occupied_s += worked_s
    agent.idle_since_s = turn.now_s
    agent.rest_until_s = turn.now_s + rest_s(floor, agent)
    if _queue(floor, agent, work) is not None:
        ewt.worked(floor, turn, (agent.tenant, work.queue), worked_s)
    close(floor, turn, agent, work, wrap_up_s)
    presence.work_over(floor, turn, agent)


def close(floor: Floor, turn: Turn, agent: Agent, work: Assignment, wrap_up_s: float = 0.0) -> None:
    """The assignment is done: told, and taken off her. `agent` is the turn's."""
    turn.decide(
        WorkEnded(
            interaction_id=work.interaction_id,
            tenant=agent.tenant,
            agent_id=agent.agent_id,
            queue=work.queue,
            how=work.how,
            ring_s=work.ring_s,
            talk_s=work.talk_s,
            hold_s=work.hold_s,
            consult_s=work.consult_s,
            wrap_up_s=wrap_up_s,
            disposition=work.disposition,
            callback_at_s=work.callback_at_s,
        )
    )
    floor.release(agent, work)


def due(floor: Floor, turn: Turn, agent: Agent) -> None:
    """What the clock ends: ringing nobody reports on, and wrap-up."""
    for work in tuple(agent.assignments.values()):
        if not 0.0 < work.ends_s <= turn.now_s:
            continue
        if work.state is AssignmentState.OFFERED:
            offers.rang_out(floor, turn, agent, work)
        elif work.state is AssignmentState.WRAP_UP:
            turn.agent(agent)
            finish(floor, turn, agent, work)


def find(floor: Floor, interaction_id: str, agent_id: str) -> tuple[Agent | None, Assignment | None]:
    """Her work on an interaction. Interactions belong to one tenant, so her id alone says who she is."""
    working = floor.working.get(interaction_id, 0)
    for number in floor.by_name.get(agent_id, ()):
        if working >> number & 1:
            agent = floor.roster[number]
            return agent, agent.assignments.get(interaction_id)
    return None, None


def _queue(floor: Floor, agent: Agent, work: Assignment) -> QueueSetup | None:
    return floor.setup.queues.get((agent.tenant, work.queue)) if work.queue else None
