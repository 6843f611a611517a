"""What holds whatever happens: no dial outside the law, the strictest never laxer, promised times kept."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.errors import EventRefused
from core.lead import Lead, LeadEvent, advance_lead
from dialer.compliance import rules
from dialer.compliance.abandonment import Tally, bounds
from dialer.compliance.check import Allowed, Blocked, Dialing, LeadFacts, Past, Verdict, may_dial
from dialer.compliance.rules import Basis, Mode, Purpose, Scope
from dialer.compliance.strictest import strictest
from dialer.dnc import DoNotCall, NumberSet
from tests.unit.dialer.law_case import (
    BOGOTA,
    DAY_S,
    LONDON,
    MADRID,
    MIAMI,
    SHIPPED,
    SPANISH_MOBILE,
    abandonment,
    at,
    cap,
    hours,
    pack,
    registers,
    source,
    utc,
)

MODEST = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
NUMBERS = (MADRID, SPANISH_MOBILE, MIAMI, LONDON, BOGOTA)
START_S = at("2026-01-01 00:00")
moments = st.integers(0, 2 * 365 * 24 * 12).map(lambda step: START_S + step * 300.0)
near_changes = st.sampled_from(
    ["2026-03-08", "2026-03-29", "2026-10-25", "2026-11-01", "2026-12-25", "2027-01-01"]
).flatmap(lambda day: st.integers(-600, 1800).map(lambda minute: at(f"{day} 00:00") + minute * 60.0))
times = moments | near_changes
pack_names = st.lists(st.sampled_from(sorted(SHIPPED.packs)), min_size=1, max_size=3, unique=True)


@st.composite
def weeks(draw: st.DrawFn) -> rules.Week:
    week = {}
    for day in draw(st.sets(st.integers(0, 6), min_size=1)):
        start = draw(st.integers(0, 1425))
        week[day] = ((start, draw(st.integers(start + 1, 1440))),)
    return week


@st.composite
def pasts(draw: st.DrawFn, now_s: float) -> tuple[Past, ...]:
    found = []
    for _ in range(draw(st.integers(0, 9))):
        dialed_s = now_s - draw(st.integers(1, 10 * 86_400))
        kind = draw(st.sampled_from(["none", "talked", "abandoned"]))
        found.append(
            Past(
                draw(st.sampled_from(["7", "8"])),
                draw(st.sampled_from(NUMBERS)),
                dialed_s,
                dialed_s + 40,
                dialed_s + 15 if kind == "talked" else None,
                kind == "abandoned",
            )
        )
    return tuple(found)


@st.composite
def questions(draw: st.DrawFn) -> tuple[LeadFacts, str, Purpose, Mode, tuple[DoNotCall, ...], tuple[Past, ...], float]:
    now_s = draw(times)
    facts = LeadFacts(
        "7",
        draw(st.sampled_from(Basis)),
        draw(st.none() | st.integers(0, 900).map(lambda days: now_s - days * DAY_S)),
        draw(st.sampled_from(["", "form 12"])),
        draw(st.sampled_from(["", "", "Europe/Madrid", "America/New_York", "Nowhere/Land"])),
        draw(st.sampled_from(["", "", "FL", "CT", "MD"])),
    )
    listed = draw(st.sets(st.sampled_from(NUMBERS), max_size=2))
    lists = registers(now_s - draw(st.integers(0, 40)) * DAY_S, *listed) if draw(st.booleans()) else ()
    return (
        facts,
        draw(st.sampled_from(NUMBERS)),
        draw(st.sampled_from(Purpose)),
        draw(st.sampled_from(Mode)),
        lists,
        draw(pasts(now_s)),
        now_s,
    )


def ask(
    names: list[str],
    question: tuple[LeadFacts, str, Purpose, Mode, tuple[DoNotCall, ...], tuple[Past, ...], float],
    now_s: float | None = None,
) -> Verdict:
    facts, number, purpose, mode, lists, history, asked_s = question
    law = strictest([SHIPPED.packs[name] for name in names], purpose, mode)
    return may_dial(
        facts, number, Dialing("c", law, "+34911000000", lists), history, asked_s if now_s is None else now_s
    )


@MODEST
@given(pack_names, questions())
def test_the_strictest_is_never_laxer_than_any_of_its_packs(names: list[str], question: tuple) -> None:  # type: ignore[type-arg]
    together = ask(names, question)
    said = {block.rule for block in together.blocks} if isinstance(together, Blocked) else set()
    for name in names:
        alone = ask([name], question)
        if isinstance(alone, Blocked):
            # A country another pack is for is no reason of a law's own.
            own = {block.rule for block in alone.blocks} - {"place/no_pack"}
            assert own <= said
    if isinstance(together, Allowed):
        for name in names:
            one = strictest([SHIPPED.packs[name]], question[2], question[3]).at(together.party)
            assert together.terms.ring.value >= one.ring.value
            assert together.terms.drop_actions.value <= one.drop_actions.value
            assert together.terms.consent_age_s.value <= one.consent_age_s.value
            assert set(one.abandonment) <= set(together.terms.abandonment)
            assert set(one.agent_within) <= set(together.terms.agent_within)


@MODEST
@given(pack_names, questions())
def test_a_promised_time_is_kept(names: list[str], question: tuple) -> None:  # type: ignore[type-arg]
    verdict = ask(names, question)
    if isinstance(verdict, Allowed):
        return
    when_s = verdict.not_before_s
    if when_s is None:
        return
    assert when_s > question[6]
    fresh = tuple(replace(register, as_of_s=when_s) for register in question[4])
    assert isinstance(ask(names, (*question[:4], fresh, *question[5:]), when_s), Allowed)
    # And it is the first such time: a minute earlier somebody still says no.
    if when_s - 60 > question[6]:
        assert isinstance(ask(names, (*question[:4], fresh, *question[5:]), when_s - 60), Blocked)


@MODEST
@given(weeks(), weeks(), st.sampled_from(["Europe/Madrid", "America/New_York", "Asia/Kolkata"]), times)
def test_a_window_is_a_window_on_every_wall(first: rules.Week, second: rules.Week, zone: str, now_s: float) -> None:
    law = strictest([pack(hours(first, "a"), hours(second, "b"))], Purpose.SALES, Mode.POWER)
    verdict = may_dial(LeadFacts("7", time_zone=zone), MADRID, Dialing("c", law), (), now_s)
    local = utc(now_s).astimezone(ZoneInfo(zone))
    minute = local.hour * 60 + local.minute
    inside = all(any(a <= minute < b for a, b in week.get(local.weekday(), ())) for week in (first, second))
    assert isinstance(verdict, Allowed) is inside
    if isinstance(verdict, Blocked) and verdict.not_before_s is not None:
        later = may_dial(LeadFacts("7", time_zone=zone), MADRID, Dialing("c", law), (), verdict.not_before_s)
        assert isinstance(later, Allowed)


@MODEST
@given(st.data())
def test_no_sequence_of_events_dials_against_the_law(data: st.DataObject) -> None:
    """A hopper asks, dials when allowed, and anything happens: windows, lists, caps, rests, one hand at a time."""
    week = data.draw(weeks())
    most, within_s = data.draw(st.integers(1, 3)), data.draw(st.sampled_from([3600.0, DAY_S, 7 * DAY_S]))
    rest_s = data.draw(st.sampled_from([0.0, 7200.0, 3 * DAY_S]))
    dnc = DoNotCall("main", "tenant", 0.0, NumberSet(data.draw(st.sets(st.sampled_from(NUMBERS), max_size=1))))
    rest = rules.Rest(source("rest"), Scope(), "abandoned", rest_s)
    law = strictest(
        [pack(hours(week), cap(most, within_s), cap(most, within_s, per="number"), rest)], Purpose.SALES, Mode.POWER
    )
    leads = {name: Lead(name) for name in ("7", "8")}
    history: list[Past] = []
    now_s = data.draw(moments)
    for _ in range(data.draw(st.integers(1, 25))):
        now_s += data.draw(st.sampled_from([1.0, 60.0, 3600.0, 30_000.0]))
        name, number = data.draw(st.sampled_from(["7", "8"])), data.draw(st.sampled_from(NUMBERS[:3]))
        happens = data.draw(st.sampled_from(["dial", "dial", "dial", "end", "abandon", "opt_out"]))
        if happens == "opt_out":
            dnc = dnc.with_number(number)
        elif happens == "dial":
            verdict = may_dial(LeadFacts(name), number, Dialing("c", law, "", (dnc,)), tuple(history), now_s)
            if isinstance(verdict, Blocked):
                continue
            assert number not in dnc
            assert not any(past.ended_s is None and (past.lead_id == name or past.number == number) for past in history)
            for same in ("lead_id", "number"):
                mine = {"lead_id": name, "number": number}[same]
                recent = [p for p in history if getattr(p, same) == mine and p.dialed_s + within_s > now_s]
                assert len(recent) < most
                assert not any(
                    p.abandoned and (p.ended_s or 0) + rest_s > now_s for p in history if getattr(p, same) == mine
                )
            moved, _ = advance_lead(leads[name], LeadEvent.STAGE)
            leads[name], _ = advance_lead(moved, LeadEvent.DIAL)
            with pytest.raises(EventRefused):
                advance_lead(leads[name], LeadEvent.DIAL)
            history.append(Past(name, number, now_s))
        else:
            for index, past in enumerate(history):
                if past.ended_s is None and past.lead_id == name:
                    history[index] = replace(past, ended_s=now_s, abandoned=happens == "abandon")
                    leads[name], _ = advance_lead(leads[name], LeadEvent.RETRY)


@MODEST
@given(
    st.lists(st.tuples(st.integers(0, 6 * 86_400), st.booleans()), max_size=120),
    st.sampled_from([0, 1, 3, 10]),
    st.sampled_from([1, 2]),
)
def test_who_abandons_only_what_is_spare_never_breaks_a_cap(
    answers: list[tuple[int, bool]], percent: int, days: int
) -> None:
    """In no window, at no moment: and one more than what is spare would break it."""
    limits = (
        abandonment(percent, days),
        rules.Abandonment(source("day"), Scope(), Fraction(5, 100), rules.Window("day")),
    )
    tally = Tally(limits, START_S)
    for at_s, wants in sorted((START_S + seconds, wants) for seconds, wants in answers):
        spare = tally.spare(at_s)
        tally = tally.answered(at_s)
        if wants and spare > 0:
            tally = tally.abandoned(at_s)
        assert all(standing.holds for standing in tally.standing(at_s))
        now_spare = tally.spare(at_s)
        over = tally
        for _ in range(now_spare + 1):
            over = over.answered(at_s).abandoned(at_s)
        assert not all(standing.holds for standing in over.standing(at_s))


@MODEST
@given(times, st.sampled_from(["Europe/London", "America/New_York", "UTC"]))
def test_windows_follow_each_other_without_a_gap(now_s: float, zone: str) -> None:
    for window in (rules.Window("day", time_zone=zone), rules.Window("successive", 30 * DAY_S)):
        start, end = bounds(window, START_S, now_s)
        assert start <= now_s < end
        assert bounds(window, START_S, end)[0] == end
