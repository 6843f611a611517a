"""Who gets whom. After every event, nobody waits whom a free agent could serve.

That holds before the event too, so only what the event freed has to be looked at: agents who became free, and stays
that came, came back, or were relaxed. Contacts are taken in the one order over all queues (acd/order.py); each gets
the agent its queue's strategy puts first among those free. Contacts of `best_match` queues that follow one another in
that order are taken together (acd/batch.py).

Adding an agent never lowers how many are served in one instant: take the contacts in order, with free agents S in one
world and S plus x in the other. A strategy's key looks at no other agent, so the choice from S plus x is x or the
choice from S; after each contact the second world's free agents are again the first's plus at most one. A largest
assignment of several differs by one chain of exchanges that begins at x, so the same holds after them.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable
from heapq import heapify, heappop, heappush, nsmallest

from acd import callbacks, offers, virtual
from acd.batch import SHOWN, Batch, together
from acd.floor import Floor, Group, Place
from acd.masks import bits
from acd.records import Stay
from acd.strategies import strategy_of
from acd.strategies.strategy import Score, Sought
from acd.turn import Turn
from core.decisions import Considered
from core.stay import StayState


def settle(floor: Floor, turn: Turn) -> None:
    """Files the agents this event changed, and matches what it freed."""
    newly = 0
    for agent in turn.agents.values():
        if agent.removed and agent.gone:
            floor.index(turn.now_s)
            turn.everything = True
            break
        number = floor.numbers[agent.key]
        if floor.refresh(number, turn.now_s):
            newly |= 1 << number
    if newly or turn.seeking or turn.everything:
        _match(floor, turn, newly)


def _match(floor: Floor, turn: Turn, newly: int) -> None:
    now_s = turn.now_s
    seeking = {stay_id for stay_id in turn.seeking if stay_id in floor.placed}
    heads, alone = _heads(floor, turn, newly, seeking)
    heapify(heads)
    several: list[Stay] = []
    batch = Batch(floor, now_s)
    while True:
        # Who is free but not newly so can only be for those who seek.
        going = heads and (seeking or turn.everything or newly & floor.idle)
        if batch and not (going and batch.takes(heads[0][3])):
            for stay, group, chosen, passed in batch.settle():
                _give(floor, turn, stay, group, chosen, [floor.placed[passed.stay_id]] if passed else heads)
            for place in batch.put_by:
                heappush(heads, place)
            batch.put_by.clear()
            continue
        if not going:
            break
        head, _, _, stay_id, group = heappop(heads)
        waiting, at = group.waiting, len(group.waiting)
        seeking.discard(stay_id)
        if stay_id not in alone:
            at = bisect_left(waiting, floor.placed[stay_id])
        found = group.agents & floor.free.get(group.channel, 0)
        if not found:
            continue
        stay = floor.stays[stay_id]
        if virtual.is_called_first(stay):
            at += 1
            following = waiting[at] if at < len(waiting) else None
            callbacks.call(floor, turn, stay, (found & ~floor.barred(stay, now_s)).bit_count())
            if following is not None:
                heappush(heads, _head(floor, following, now_s))
            continue
        everybody = found
        found &= ~floor.barred(stay, now_s)
        if found and together(floor, stay):
            batch.add(stay, group, found, -head, found == everybody)
            at += 1
            if at < len(waiting) and batch.follows(follower := _head(floor, waiting[at], now_s)):
                heappush(heads, follower)
            continue
        chosen = _choose(floor, stay, found, now_s) if found else []
        if chosen:
            floor.unplace(stay_id)  # what follows in the group is now where it was
        else:
            at += 1
        if at < len(waiting):
            heappush(heads, _head(floor, waiting[at], now_s))
        if chosen:
            _give(floor, turn, stay, group, chosen, heads)
            if floor.queue_setup(stay).strategy == "ring_several":
                several.append(stay)
    for stay in several:
        _ring_more(floor, turn, stay)


def _heads(floor: Floor, turn: Turn, newly: int, seeking: set[str]) -> tuple[list[Place], set[str]]:
    """Who is first in each group that this event may have freed an agent for, and who seeks alone: whose group is not
    among those."""
    groups: Iterable[Group]
    if turn.everything:
        groups = floor.groups.values()
    elif newly & newly - 1:
        groups = dict.fromkeys(group for n in bits(newly) for group in floor.reach[n])
    else:
        groups = floor.reach[newly.bit_length() - 1] if newly else ()
    heads = [head for group in groups if (head := group.head) is not None]
    looked_at = {head[4] for head in heads} if seeking else ()
    alone = {stay_id for stay_id in seeking if floor.placed[stay_id][4] not in looked_at}
    heads += [floor.placed[stay_id] for stay_id in seeking if stay_id in alone]
    return (heads if floor.even else [_head(floor, place, turn.now_s) for place in heads]), alone


def _head(floor: Floor, place: Place, now_s: float) -> Place:
    """As it compares with places in other groups: sort keys do as they are, when all queues age evenly."""
    return place if floor.even else (place[0] - place[4].ageing * now_s, *place[1:])


def _give(
    floor: Floor, turn: Turn, stay: Stay, group: Group, chosen: list[tuple[Score, int]], heads: list[Place]
) -> None:
    bit = 1 << chosen[0][1]
    follows = heads[0] if heads else None
    if follows is not None and not follows[4].agents & bit:
        follows = min((head for head in heads if head[4].agents & bit), default=None)
    offers.make(
        floor,
        turn,
        stay,
        chosen[0][1],
        considered=tuple(Considered(floor.roster[n].agent_id, "", score) for score, n in chosen),
        excluded=_excluded(floor, stay, group, turn.now_s),
        ahead_of=follows[3] if follows else "",
        requirement=floor.fit.requirement(stay, stay.step).text,
    )


def _choose(floor: Floor, stay: Stay, found: int, now_s: float) -> list[tuple[Score, int]]:
    """The best few, best first."""
    queue = floor.queue_setup(stay)
    key = strategy_of(queue.strategy).key
    sought = Sought(stay, queue, floor.fit.requirement(stay, stay.step), now_s, floor.seed)
    roster, people = floor.roster, floor.people
    scored = [(key(roster[n], people[n], sought), n) for n in bits(found)]
    return scored if len(scored) == 1 else nsmallest(SHOWN, scored)


def _excluded(floor: Floor, stay: Stay, group: Group, now_s: float) -> dict[str, int]:
    members = floor.members.get(stay.queue_key, 0)
    able, free = group.agents, floor.free.get(group.channel, 0)
    # While she is patient her group is the agent she prefers: the others could serve her all the same.
    asked = floor.fit.may_serve(stay, stay.step) if now_s < stay.patience_ends_s else able
    counts = {
        "logged_out": able & ~floor.logged_in,
        "not_ready": able & floor.logged_in & ~floor.ready,
        "busy": able & floor.ready & ~free,
        "refused_before": able & free & floor.barred(stay, now_s),
        "preferred": asked & ~able,
        "skill": members & ~asked,
    }
    return {why: who.bit_count() for why, who in counts.items() if who}


def _ring_more(floor: Floor, turn: Turn, stay: Stay) -> None:
    """Rings whoever is left over, for a contact whose queue wants several phones to ring."""
    if stay.state is not StayState.OFFERED:
        return
    queue = floor.queue_setup(stay)
    group = floor.group(stay, turn.now_s)
    wanted = int(strategy_of(queue.strategy).option(queue, "agents"))
    while len(stay.offers) < wanted:
        found = group.agents & floor.free.get(group.channel, 0) & ~floor.barred(stay, turn.now_s)
        if not found:
            return
        best = _choose(floor, stay, found, turn.now_s)
        considered = tuple(Considered(floor.roster[n].agent_id, "", score) for score, n in best)
        offers.make(floor, turn, stay, best[0][1], considered, {}, "", floor.fit.requirement(stay, stay.step).text)
