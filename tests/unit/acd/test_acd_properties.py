"""What holds whatever happens: random shifts of calls, chats, agents, phones, configuration and restarts."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from acd import order
from acd.router import Router
from acd.setup import Relaxation, Setup
from acd.strategies import STRATEGIES
from core.agent_facts import (
    AgentActed,
    AgentKept,
    DeviceChanged,
    PhoneUsed,
    WrapUpActed,
)
from core.errors import EventRefused
from core.line_facts import LineChanged
from core.offer_facts import (
    OfferAccepted,
    OfferFailed,
    OfferMade,
    OfferRefused,
    OfferRinging,
)
from core.queue_facts import (
    QueueActed,
    QueueJoined,
    StayActed,
    StayGivenUp,
)
from core.talk_facts import TalkChanged, TalkEnded
from tests.unit.acd.shift import Shift, agent, check, queue, setup

AGENTS = ("ana", "bea", "cai", "dan")
QUEUES = ("sales", "support", "billing")
REQUIREMENTS = ("", "es >= 3", "es or en >= 5", "not trainee", "vip")

levels = st.dictionaries(st.sampled_from(("es", "en", "vip", "trainee")), st.integers(0, 10), max_size=3)
people = st.builds(
    lambda skills, queues, rest_s, **more: {"skills": skills, "queues": queues, "rest_s": rest_s, **more},
    skills=levels,
    queues=st.none() | st.sets(st.sampled_from(QUEUES), min_size=1),
    rest_s=st.sampled_from((None, 0.0, 7.0)),
)
lines = st.builds(
    lambda **more: more,
    skills=st.sampled_from(REQUIREMENTS),
    strategy=st.sampled_from(sorted(STRATEGIES)),
    relaxations=st.sampled_from(((), (Relaxation(20.0, "es"), Relaxation(60.0, "", priority=2)))),
    ageing=st.sampled_from((1.0, 0.5, 2.0)),
    priority=st.integers(0, 2),
    wrap_up_s=st.sampled_from((0.0, 10.0)),
    max_waiting=st.sampled_from((0, 0, 3)),
    max_wait_s=st.sampled_from((0.0, 90.0)),
    no_agents=st.sampled_from(("wait", "wait", "leave")),
    refused_again_s=st.sampled_from((0.0, 30.0)),
    rona_after=st.sampled_from((1, 2)),
    overflow_to=st.sampled_from(("", "support")),
)


@st.composite
def setups(draw: st.DrawFn) -> Setup:
    return setup(
        [agent(name, **draw(people)) for name in AGENTS],
        [queue(name, **draw(lines)) for name in QUEUES],
        rest_s=draw(st.sampled_from((0.0, 5.0))),
        fallbacks={("main", "billing"): "sales"},
    )


small = st.integers(0, 7)
pauses = st.sampled_from((0.0, 0.0, 1.0, 4.0, 31.0))
happenings = st.lists(st.tuples(st.integers(0, 21), small, small, pauses), min_size=20, max_size=80)


def happen(shift: Shift, what: int, one: int, two: int) -> None:
    """One of the things that may happen, about the `one`-th and `two`-th of whatever there is."""
    name, line = AGENTS[one % 4], QUEUES[two % 3]
    ringing = [offer for offers in shift.offers.values() for offer in offers]
    offer = ringing[one % len(ringing)] if ringing else None
    offer_id, rings_for = (offer.offer_id, offer.interaction_id) if offer else (f"c{one}.o{two}", f"c{one}")
    stay_id = f"c{one + 1}" if what % 2 else (sorted(shift.router._floor.stays) or ["nobody"])[0]
    match what:
        case 0 | 1:
            shift.logs_in(name)
        case 2 | 3 | 4:
            shift.calls(line, priority=one % 3, skills=REQUIREMENTS[(one + two) % 5], waited_s=float(one))
        case 5:
            shift.calls(line, channel=("chat", "email", "call")[one % 3], preferred_agent=AGENTS[two % 4])
        case 6 | 7 | 8:
            shift.do(OfferAccepted(rings_for, offer_id))
        case 9:
            shift.do(OfferFailed(rings_for, offer_id, ("rejected", "rona", "unreachable")[two % 3]))
        case 10:
            shift.do(StayGivenUp(stay_id, stay_id, ("abandoned", "left_by_key", "lost", "nonsense")[two % 4]))
        case 11 | 12:
            for work in tuple(shift.router.assignments(("main", name)).values())[:1]:
                shift.do(TalkEnded(work.interaction_id, name))
        case 13:
            for work in tuple(shift.router.assignments(("main", name)).values())[:1]:
                shift.do(
                    TalkChanged(work.interaction_id, name, ("hold", "resume", "consult", "consult_ended")[two % 4])
                )
        case 14:
            action = ("log_out", "not_ready", "ready", "log_in")[two % 4]
            shift.do(AgentActed("main", name, action, "lunch", device=("", "main-ana")[one // 4]))
        case 15:
            shift.do(DeviceChanged(f"main-{name}", bool(two % 2)))
            shift.do(PhoneUsed(f"c{two}", f"main-{name}", used=one < 3))
        case 16:
            shift.do(LineChanged(f"l{one}", "main", name, f"leg{one}", bool(two % 2)))
            shift.do(AgentKept(f"c{two}", "main", name, kept=one < 4))
        case 17:
            for work in tuple(shift.router.assignments(("main", name)).values())[:1]:
                shift.do(WrapUpActed(work.interaction_id, "main", name, finish=bool(two % 2), extend_s=float(two // 4)))
            shift.do(OfferRefused("main", name, offer_id))
        case 18:
            shift.do(QueueActed("main", line, ("open", "close", "by_hours")[one % 3]))
            shift.do(OfferRinging(rings_for, offer_id))
        case 19:
            _sends_on(shift, name, AGENTS[two % 4], line, ("transfer", "consult", "serve")[one % 3])
        case 20:
            _moves(shift, one, line)
        case 21:
            _prioritises(shift, one, two)


def _sends_on(shift: Shift, name: str, to: str, line: str, purpose: str) -> None:
    """Her conversation goes to another agent or queue, or a new caller wants somebody in person."""
    shift._count += 1
    stay_id = f"c{shift._count}"
    works = list(shift.router.assignments(("main", name)))
    interaction_id = works[0] if works else stay_id
    if purpose == "transfer":
        shift.do(TalkEnded(interaction_id, name, "transferred"))
    if shift._count % 2:
        shift.do(QueueJoined(interaction_id, stay_id, "main", agent_id=to, purpose=purpose))  # type: ignore[arg-type]
    else:
        excluded = (name,) if shift._count % 4 else ()
        more = {"purpose": purpose, "preferred_agent": to, "excluded_agents": excluded}
        shift.do(QueueJoined(interaction_id, stay_id, "main", line, **more))  # type: ignore[arg-type]


def _one_who_waits(shift: Shift, one: int) -> StayActed:
    """A wish about the `one`-th of those who wait, or about nobody."""
    there = sorted(shift.router._floor.stays)
    stay = shift.router.stay(there[one % len(there)]) if there else None
    return StayActed(stay.interaction_id if stay else "i", stay.stay_id if stay else "nobody", "main", "prioritise")


def _moves(shift: Shift, one: int, line: str) -> None:
    """A supervisor sends somebody to another queue: all the time she has waited is counted there."""
    wish = replace(_one_who_waits(shift, one), action="move", queue=line)
    before = shift.router.stay(wish.stay_id)
    if shift.do(wish).refused:
        return
    assert before is not None
    assert shift.router.stay(wish.stay_id) is None
    assert wish.stay_id not in shift.offers
    assert shift.ends[wish.stay_id] == ["overflowed"]
    shift._count += 1
    again = f"c{shift._count}"
    hers = {"channel": before.channel, "priority": before.priority, "skills": before.skills}
    hers |= {"preferred_agent": before.preferred_agent, "excluded_agents": before.excluded, "purpose": before.purpose}
    waited_s = shift.now_s - before.began_s
    shift.do(QueueJoined(wish.interaction_id, again, "main", line, waited_s=waited_s, **hers))  # type: ignore[arg-type]
    now = shift.router.stay(again)
    assert now is not None, "whom the other queue would turn away is not sent there"
    assert now.began_s == pytest.approx(before.began_s)


def _prioritises(shift: Shift, one: int, priority: int) -> None:
    wish = replace(_one_who_waits(shift, one), priority=priority * 3)
    if not shift.do(wish).refused:
        stay = shift.router.stay(wish.stay_id)
        assert stay is not None
        assert stay.priority == priority * 3


def live(shift: Shift, day: list[tuple[int, int, int, float]], checked: bool = True) -> None:
    for what, one, two, after_s in day:
        shift.passes(after_s)
        try:
            happen(shift, what, one, two)
        except EventRefused:
            assert what == 13, "only a conversation's own events may be refused"
        if checked:
            check(shift)


EXAMPLES = int(os.environ.get("EXAMPLES", "15"))
"""Of each property; more of them, now and then, find more."""
many = settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


@many
@given(setups(), happenings)
def test_whatever_happens_the_floor_is_in_order(made: Setup, day: list[tuple[int, int, int, float]]) -> None:
    shift = Shift(made)
    live(shift, day)
    for stay_id in tuple(shift.router._floor.stays):
        shift.do(StayGivenUp(stay_id, stay_id))
    assert all(len(ends) == 1 for ends in shift.ends.values())
    assert shift.ends.keys() == shift.joined.keys()


@many
@given(setups(), happenings, happenings)
def test_after_a_restart_everything_goes_on_as_it_would_have(
    made: Setup, before: list[tuple[int, int, int, float]], after: list[tuple[int, int, int, float]]
) -> None:
    went_on, died = Shift(made), Shift(made)
    live(went_on, before, checked=False)
    live(died, before, checked=False)
    assert died.rows == went_on.rows
    died.router = Router(made)
    # Phones tell again how they are, and recovery who calls from them.
    died.router._floor.down = set(went_on.router._floor.down)
    died.router._floor.in_use = dict(went_on.router._floor.in_use)
    died.timers.clear()
    outcome = died.heed(died.router.restore(died.rows, died.now_s, lambda _: True))
    assert not outcome.facts
    assert died.timers == went_on.timers
    check(died)
    went_on.log.clear()
    died.log.clear()
    live(went_on, after, checked=False)
    live(died, after, checked=False)
    assert [(o.facts, o.commands, o.decisions, o.refused) for o in died.log] == [
        (o.facts, o.commands, o.decisions, o.refused) for o in went_on.log
    ]


@many
@given(setups(), happenings, setups(), st.sets(st.sampled_from(QUEUES)), st.sets(st.sampled_from(AGENTS)), happenings)
def test_a_new_setup_moves_nobody_who_may_stay(
    made: Setup,
    before: list[tuple[int, int, int, float]],
    then: Setup,
    closed: set[str],
    left: set[str],
    after: list[tuple[int, int, int, float]],
) -> None:
    shift = Shift(made)
    live(shift, before, checked=False)
    waited = {stay.stay_id: (stay.began_s, stay.number) for stay in shift.router.stays() if stay.queue not in closed}
    then = replace(
        then,
        queues={key: value for key, value in then.queues.items() if key[1] not in closed},
        agents={key: value for key, value in then.agents.items() if key[1] not in left},
    )
    shift.heed(shift.router.change_setup(then, shift.now_s))
    check(shift)
    now = {stay.stay_id: (stay.began_s, stay.number) for stay in shift.router.stays()}
    assert waited.items() <= now.items()
    live(shift, [step for step in after if step[0] != 14])


class Broken(Exception):
    """What a bug raises."""


@many
@given(setups(), happenings, st.tuples(st.integers(2, 21), small, small, st.just(0.0)), st.integers(0, 6))
def test_what_raises_leaves_no_trace(
    made: Setup, before: list[tuple[int, int, int, float]], last: tuple[int, int, int, float], fails_at: int
) -> None:
    shift = Shift(made)
    live(shift, before, checked=False)
    floor, handle, left = shift.router._floor, shift.router.handle, [fails_at]

    def now() -> tuple[object, ...]:
        rows = {aggregate: shift.router.save(aggregate) for aggregate in shift.rows}
        return rows, dict(floor.armed), set(floor.stays)

    def handled(fact: Any, now_s: float) -> object:
        """What happens may be several facts, each of which is handled or not."""
        nonlocal untouched
        untouched = now()
        return handle(fact, now_s)

    untouched = now()

    def breaking(was: Callable[..., object]) -> Callable[..., object]:
        def call(*arguments: object) -> object:
            left[0] -= 1
            if left[0] < 0:
                raise Broken
            return was(*arguments)

        return call

    with pytest.MonkeyPatch.context() as patch:
        for name in ("refresh", "place", "release", "dismiss"):
            patch.setattr(floor, name, breaking(getattr(floor, name)))
        # The way back is tried without what breaks.
        patch.setattr(floor, "index", lambda now_s: None)
        patch.setattr(shift.router, "handle", handled)
        try:
            happen(shift, *last[:3])
        except (Broken, EventRefused):
            pass
        else:
            return
    floor.index(shift.now_s)
    assert now() == untouched
    check(shift)
    live(shift, before[:10])


@many
@given(
    st.lists(st.tuples(people, st.booleans()), min_size=1, max_size=4),
    st.lists(lines, min_size=3, max_size=3),
    people,
    st.lists(st.tuples(small, small, st.sampled_from((0.0, 3.0, 40.0))), min_size=1, max_size=12),
    st.integers(0, 3),
)
def test_one_more_agent_never_lowers_how_many_are_served_in_one_instant(
    there: list[tuple[dict[str, Any], bool]],
    queues: list[dict[str, Any]],
    one_more: dict[str, Any],
    callers: list[tuple[int, int, float]],
    channel: int,
) -> None:
    """Everybody becomes ready in the same instant: at a restart."""

    def served(everybody: dict[str, dict[str, Any]]) -> int:
        made = setup(
            [agent(name, **more) for name, more in everybody.items()],
            [queue(name, **more) for name, more in zip(QUEUES, queues, strict=True)],
        )
        asleep = replace(made, agents={key: replace(who, queues=frozenset()) for key, who in made.agents.items()})
        shift = Shift(replace(asleep, queues={k: replace(q, no_agents="wait") for k, q in made.queues.items()}))
        shift.logs_in(*sorted(everybody))
        for one, two, after_s in callers:
            shift.passes(after_s)
            kind = ("call", "call", "chat", "chat")[channel]
            shift.calls(QUEUES[one % 3], priority=two % 3, skills=REQUIREMENTS[two % 5], channel=kind)
        outcome = shift.router.change_setup(made, shift.now_s)
        return len({fact.stay_id for fact in outcome.facts if isinstance(fact, OfferMade)})

    # Lots are drawn by name: she comes between the others, who keep theirs.
    agents = {f"agent-{2 * n + 1}": more for n, (more, _) in enumerate(there)}
    at = sum(here for _, here in there)
    assert served({**agents, f"agent-{2 * at}": one_more}) >= served(agents)


@many
@given(lines, st.lists(st.tuples(st.integers(0, 2), st.sampled_from((0.0, 1.0, 9.0))), min_size=2, max_size=15))
def test_equals_are_not_overtaken(line: dict[str, Any], callers: list[tuple[int, float]]) -> None:
    more = {**line, "max_waiting": 0, "max_wait_s": 0.0, "no_agents": "wait", "skills": "", "relaxations": ()}
    shift = Shift(setup([agent("ana")], [queue(**more)]))
    for priority, after_s in callers:
        shift.passes(after_s)
        shift.calls(priority=priority)
    kinds = {f"c{n}": priority for n, (priority, _) in enumerate(callers, start=1)}
    shift.logs_in("ana")
    served = []
    while shift.offers:
        (stay_id,) = shift.offers
        served.append(stay_id)
        shift.answers(stay_id)
        shift.passes(5.0)
        shift.hangs_up(stay_id)
        shift.passes(20.0)
    assert sorted(served) == sorted(kinds)
    for kind in set(kinds.values()):
        alike = [int(stay_id[1:]) for stay_id in served if kinds[stay_id] == kind]
        assert alike == sorted(alike)


@many
@given(st.integers(0, 3), st.sampled_from((1.0, 2.0)), st.sampled_from(sorted(STRATEGIES)), st.integers(1, 2))
def test_nobody_starves_while_there_is_ageing(priority: int, ageing: float, strategy: str, every: int) -> None:
    """However many with a higher priority keep coming, more than can be served."""
    lines = [queue(name, ageing=ageing, strategy=strategy, priority=n) for n, name in enumerate(("low", "high"))]
    shift = Shift(setup([agent("ana", None)], lines))
    shift.logs_in("ana")
    shift.calls("high")
    waits = shift.calls("low")
    bound_s = ((priority + 1) * order.PRIORITY + order.URGENCY) / ageing
    for _ in range(int(bound_s / 10.0) * every + 10):
        for _ in range(every):
            shift.calls("high", priority=priority)
        (stay_id,) = shift.offers
        if stay_id == waits:
            break
        shift.answers(stay_id)
        shift.passes(10.0)
        shift.hangs_up(stay_id)
    assert waits in shift.offers
    # Only who came before `bound_s` had passed may have been served first; each of them takes ten seconds.
    assert shift.now_s - shift.joined[waits] <= bound_s * every + 20.0


def story() -> str:
    """A fixed day with every strategy, as the words of what came of it."""
    queues = [queue(name, strategy=name, skills="es >= 2 or en") for name in sorted(STRATEGIES)]
    agents = [agent(f"a{n}", None, skills={"es": n % 5, "en": n % 3}) for n in range(9)]
    shift = Shift(setup(agents, queues), seed=7)
    shift.logs_in(*(who.agent_id for who in agents))
    for n in range(120):
        stay_id = shift.calls(queues[n * 7 % len(queues)].queue, priority=n % 3)
        shift.passes(1.5)
        for waiting in sorted(shift.offers)[: 1 + n % 4]:
            (shift.answers if n % 5 else shift.does_not_answer)(waiting)
        if n % 3:
            shift.hangs_up(f"c{1 + n // 2}")
        if n % 11 == 0:
            shift.logs_in(f"a{n % 9}")
        assert stay_id
    return repr([(o.facts, o.commands, o.decisions, sorted(o.changed)) for o in shift.log])


def test_the_same_events_with_the_same_seed_come_to_the_same_under_any_hash_seed() -> None:
    program = "from tests.unit.acd.test_acd_properties import story; import hashlib; "
    program += "print(hashlib.sha256(story().encode()).hexdigest())"
    root = Path(__file__).parents[3]
    told = {
        subprocess.run(
            [sys.executable, "-c", program],
            cwd=root,
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(root)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(told) == 1
