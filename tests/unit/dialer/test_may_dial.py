"""Who may be dialed when: the shipped packs as people meet them."""

from __future__ import annotations

from math import inf

import pytest

from dialer.compliance import check, rules
from dialer.compliance.check import Allowed, Blocked, Dialing, History, LeadFacts, Past, may_dial
from dialer.compliance.rules import Basis, Mode, Purpose, Scope
from dialer.dnc import DoNotCall, NumberSet
from tests.unit.dialer.law_case import (
    ALL_DAY,
    BOGOTA,
    BUENOS_AIRES,
    DAY_S,
    LONDON,
    MADRID,
    MIAMI,
    NEW_YORK,
    SPANISH_MOBILE,
    at,
    campaign,
    cap,
    hours,
    lead,
    pack,
    registers,
    source,
)

MONDAY_NOON = at("2026-11-23 12:00", "Europe/Madrid")
ANY = pack(hours(ALL_DAY))


def blocked(verdict: Allowed | Blocked) -> list[str]:
    return [] if isinstance(verdict, Allowed) else [block.rule for block in verdict.blocks]


def ask(
    number: str, dialing: Dialing, now_s: float, facts: LeadFacts | None = None, history: History = ()
) -> Allowed | Blocked:
    return may_dial(facts or lead(), number, dialing, history, now_s)


def until(verdict: Allowed | Blocked) -> float | None:
    assert isinstance(verdict, Blocked)
    return verdict.not_before_s


# -- hours ------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("local", "opens"),
    [
        ("2026-11-23 08:59", "2026-11-23 09:00"),
        ("2026-11-23 21:00", "2026-11-24 09:00"),
        ("2026-11-21 12:00", "2026-11-23 09:00"),  # a Saturday
        ("2026-12-08 12:00", "2026-12-09 09:00"),  # the Immaculate Conception
        ("2026-12-24 21:30", "2026-12-28 09:00"),  # Christmas, Boxing Day in Catalonia, a weekend
    ],
)
def test_spanish_sales_keep_the_hours(local: str, opens: str) -> None:
    now_s = at(local, "Europe/Madrid")
    verdict = ask(MADRID, campaign("es", lists=registers(now_s)), now_s)
    assert blocked(verdict) == ["es/commercial_hours"]
    assert until(verdict) == at(opens, "Europe/Madrid")


def test_a_phone_does_not_ring_into_the_night() -> None:
    closing = at("2026-11-23 21:00", "Europe/Madrid")
    dialing = campaign("es", lists=registers(closing))
    assert blocked(ask(MADRID, dialing, closing - 15.1)) == []
    verdict = ask(MADRID, dialing, closing - 15)
    assert blocked(verdict) == ["es/commercial_hours"]
    assert "it must ring 15 s, and then it is Mon 21:00 in Europe/Madrid" in getattr(verdict, "why", "")
    assert until(verdict) == at("2026-11-24 09:00", "Europe/Madrid")


def test_a_regions_holiday_counts_for_who_lives_there() -> None:
    holiday = at("2026-09-11 12:00", "Europe/Madrid")  # Catalonia's day
    dialing = campaign("es", lists=registers(holiday))
    assert blocked(ask(MADRID, dialing, holiday, lead(region="MD"))) == []
    assert blocked(ask(MADRID, dialing, holiday, lead(region="CT"))) == ["es/commercial_hours"]
    assert blocked(ask(MADRID, dialing, holiday)) == ["es/commercial_hours"], "who knows where she lives?"


def test_a_mobile_of_two_time_zones_is_called_when_both_are_awake() -> None:
    nine_in_madrid = at("2026-11-23 09:00", "Europe/Madrid")
    dialing = campaign("es", lists=registers(nine_in_madrid))
    verdict = ask(SPANISH_MOBILE, dialing, nine_in_madrid)
    assert "08:00 in Atlantic/Canary" in getattr(verdict, "why", "")
    assert until(verdict) == nine_in_madrid + 3600
    assert blocked(ask(SPANISH_MOBILE, dialing, nine_in_madrid, lead(time_zone="Europe/Madrid"))) == []


def test_and_when_neither_is_asleep() -> None:
    half_past_nine_in_madrid = at("2026-11-23 20:30", "Atlantic/Canary")
    dialing = campaign("es", lists=registers(half_past_nine_in_madrid))
    verdict = ask(SPANISH_MOBILE, dialing, half_past_nine_in_madrid)
    assert "it is Mon 21:30 in Europe/Madrid" in getattr(verdict, "why", "")
    assert until(verdict) == at("2026-11-24 09:00", "Atlantic/Canary")


def test_a_states_own_hours_hold_by_region_and_by_number() -> None:
    half_past_eight = at("2026-11-23 20:30", "America/New_York")
    dialing = campaign("us", identity="+12125550123", lists=registers(half_past_eight))
    assert blocked(ask(NEW_YORK, dialing, half_past_eight)) == []
    assert blocked(ask(MIAMI, dialing, half_past_eight)) == ["us/florida_hours"]
    assert blocked(ask(NEW_YORK, dialing, half_past_eight, lead(region="fl"))) == ["us/florida_hours"]


def test_colombian_saturdays_and_holidays() -> None:
    dialing = campaign("co", purpose=Purpose.COLLECTIONS)
    for local, free in (
        ("2026-11-21 14:59", True),
        ("2026-11-21 15:00", False),
        ("2026-11-22 12:00", False),
        ("2026-11-16 12:00", False),  # independence of Cartagena, moved to Monday
        ("2026-11-20 07:00", True),
    ):
        assert (blocked(ask(BOGOTA, dialing, at(local, "America/Bogota"))) == []) is free, local


def test_nobody_is_called_where_the_clock_is_unknown() -> None:
    dialing = campaign("strict-zero", ANY)
    assert blocked(ask(MADRID, dialing, MONDAY_NOON, lead(time_zone="Mars/Olympus"))) == ["place/no_time_zone"]


# -- days on which clocks change --------------------------------------------------------------------
def test_hours_are_those_of_the_wall_on_days_when_clocks_change() -> None:
    week = dict.fromkeys(range(7), ((9 * 60, 21 * 60),))
    dialing = campaign(pack(hours(week)))
    for night in ("2026-03-28 23:00", "2026-10-24 23:00"):  # Europe springs forward, falls back
        now_s = at(night, "Europe/Madrid")
        opens = until(ask(MADRID, dialing, now_s))
        assert opens == at(f"{night[:8]}{int(night[8:10]) + 1} 09:00", "Europe/Madrid")
    assert until(ask(MADRID, dialing, at("2026-03-28 23:00", "Europe/Madrid"))) == at("2026-03-29 07:00")


def test_an_hour_that_does_not_exist_opens_with_the_one_after_it() -> None:
    dialing = campaign(pack(hours({6: ((2 * 60, 4 * 60),)})))
    now_s = at("2026-03-29 00:30", "Europe/Madrid")
    assert until(ask(MADRID, dialing, now_s)) == at("2026-03-29 01:00"), "3:00 summer time"


def test_an_hour_that_happens_twice_is_open_twice() -> None:
    dialing = campaign(pack(hours({6: ((2 * 60, 2 * 60 + 30),)})))
    between = at("2026-10-25 00:45")  # 2:45 summer time
    assert until(ask(MADRID, dialing, between)) == at("2026-10-25 01:00"), "2:00 once more, winter time"


# -- numbers ----------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("number", "rule"),
    [
        ("+112", "number/invalid"),
        ("+34112", "number/emergency"),
        ("+1911", "number/emergency"),
        ("+34803123456", "number/premium"),
        ("+19005550100", "number/premium"),
        ("911234567", "number/invalid"),
        ("+34 911234567", "number/invalid"),
        ("+٣٤911234567", "number/invalid"),
        ("", "number/invalid"),
        ("+349112345678901", "number/invalid"),
    ],
)
def test_numbers_no_campaign_dials(number: str, rule: str) -> None:
    verdict = ask(number, campaign("strict-zero", "es", "us"), MONDAY_NOON)
    assert blocked(verdict) == [rule]
    assert until(verdict) is None


def test_a_country_whose_law_nobody_named_is_not_called() -> None:
    verdict = ask("+33142685300", campaign("es"), MONDAY_NOON)
    assert blocked(verdict) == ["place/no_pack"]
    assert "no rule pack of this campaign is for FR (named: es)" in getattr(verdict, "why", "")


# -- do-not-call ------------------------------------------------------------------------------------
def test_own_lists_hold_whatever_the_basis() -> None:
    mine = DoNotCall("main", "tenant", 0.0).with_number(MADRID)
    dialing = campaign("es", lists=(*registers(MONDAY_NOON), mine))
    assert blocked(ask(MADRID, dialing, MONDAY_NOON)) == ["do_not_call/main"]
    again = campaign("es", lists=(*registers(MONDAY_NOON), mine.without(MADRID)))
    assert blocked(ask(MADRID, again, MONDAY_NOON)) == []


def test_a_register_must_be_at_hand_and_fresh() -> None:
    noon = at("2026-11-24 12:00", "America/Argentina/Buenos_Aires")
    assert blocked(ask(BUENOS_AIRES, campaign("ar"), noon)) == ["ar/no_llame"]
    for age_days, said in ((30, []), (31, ["ar/no_llame"])):
        fresh = campaign("ar", lists=registers(noon - age_days * DAY_S))
        assert blocked(ask(BUENOS_AIRES, fresh, noon)) == said


def test_who_is_in_a_register_is_called_with_consent_alone() -> None:
    dialing = campaign("es", lists=registers(MONDAY_NOON, MADRID))
    assert blocked(ask(MADRID, dialing, MONDAY_NOON)) == []
    assert blocked(ask(MADRID, dialing, MONDAY_NOON, lead(basis=Basis.RELATIONSHIP))) == ["es/lista_robinson"]
    old = lead(consent_s=MONDAY_NOON - 731 * DAY_S)
    assert blocked(ask(MADRID, dialing, MONDAY_NOON, old)) == ["es/lista_robinson", "es/commercial_basis"]


# -- basis ------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("facts", "why"),
    [
        ({"basis": Basis.CONTRACT}, "the lead's basis is contract, consent is needed"),
        ({"proof": " "}, "there is no record of the consent"),
        ({"consent_s": None}, "the consent has no date"),
        ({"consent_s": MONDAY_NOON + 1}, "the consent is dated in the future"),
        ({"consent_s": MONDAY_NOON - 731 * DAY_S}, "the consent is older than 730 days and was not renewed"),
    ],
)
def test_a_machine_may_speak_to_who_agreed_to_it(facts: dict[str, object], why: str) -> None:
    dialing = campaign("es", mode=Mode.AGENTLESS, lists=registers(MONDAY_NOON))
    assert blocked(ask(MADRID, dialing, MONDAY_NOON)) == []
    verdict = ask(MADRID, dialing, MONDAY_NOON, lead(**facts))
    assert why in getattr(verdict, "why", "")


def test_rules_depend_on_the_purpose() -> None:
    nobody = lead(basis=Basis.NONE, consent_s=None, proof="")
    sales = ask(MADRID, campaign("es", lists=registers(MONDAY_NOON)), MONDAY_NOON, nobody)
    survey = ask(MADRID, campaign("es", purpose=Purpose.SURVEY), MONDAY_NOON, nobody)
    assert blocked(sales) == ["es/commercial_basis"]
    assert blocked(survey) == []


# -- identity ---------------------------------------------------------------------------------------
def test_spain_sees_no_mobile_and_nobody_sees_nothing() -> None:
    for identity, said in (("+34622000000", ["es/no_mobile_identity"]), ("", ["es/no_mobile_identity"])):
        dialing = campaign("es", identity=identity, lists=registers(MONDAY_NOON))
        assert blocked(ask(MADRID, dialing, MONDAY_NOON)) == said
    begins = rules.Identity(source("prefix"), Scope(), prefixes=("+34400",))
    dialing = campaign("es", pack(begins), lists=registers(MONDAY_NOON))
    assert blocked(ask(MADRID, dialing, MONDAY_NOON)) == ["test/prefix"]


# -- how often --------------------------------------------------------------------------------------
def test_seven_calls_in_seven_days_and_none_after_a_conversation() -> None:
    now_s = at("2026-11-23 12:00", "America/New_York")
    dialing = campaign("us", purpose=Purpose.COLLECTIONS)
    tries = tuple(Past("7", NEW_YORK, now_s - (6 - n) * DAY_S, now_s - (6 - n) * DAY_S + 30) for n in range(7))
    assert blocked(ask(NEW_YORK, dialing, now_s + 60, history=tries[1:])) == []
    verdict = ask(NEW_YORK, dialing, now_s + 60, history=tries)
    assert blocked(verdict) == ["us/seven_in_seven"]
    assert until(verdict) == tries[0].dialed_s + 7 * DAY_S
    talked = (Past("7", NEW_YORK, now_s, now_s + 200, conversation_s=now_s + 20),)
    verdict = ask(NEW_YORK, dialing, now_s + 300, history=talked)
    assert blocked(verdict) == ["us/after_a_conversation"]
    assert until(verdict) == now_s + 20 + 7 * DAY_S


def test_who_was_abandoned_rests_three_days_unless_an_agent_is_there() -> None:
    now_s = at("2026-11-23 12:00", "Europe/London")
    past = (Past("7", LONDON, now_s - 3600, now_s - 3590, abandoned=True),)
    for mode, said in ((Mode.PREDICTIVE, ["uk/after_an_abandoned_call"]), (Mode.PREVIEW, [])):
        dialing = campaign("uk", mode=mode, lists=registers(now_s))
        assert blocked(ask(LONDON, dialing, now_s, history=past)) == said
    strict = campaign("uk", "strict-zero", mode=Mode.PREVIEW, lists=registers(now_s))
    verdict = ask(LONDON, strict, now_s, history=past)
    assert blocked(verdict) == ["strict-zero/after_an_abandoned_call"]
    assert until(verdict) == now_s - 3590 + 3 * DAY_S


def test_a_number_is_capped_across_campaigns_and_leads() -> None:
    dialing = campaign(pack(cap(2, DAY_S, per="number")))
    others = (Past("8", MADRID, MONDAY_NOON - 50, MONDAY_NOON - 40), Past("9", MADRID, MONDAY_NOON - 30, MONDAY_NOON))
    assert blocked(ask(MADRID, dialing, MONDAY_NOON, history=others)) == ["test/cap"]
    assert blocked(ask(MADRID, campaign(pack(cap(2, DAY_S))), MONDAY_NOON, history=others)) == []


def test_a_cap_that_was_passed_long_ago_is_free_when_enough_are_old() -> None:
    """A history from another dialer may hold more than the cap allows."""
    dialing = campaign(pack(cap(2, DAY_S)))
    times = [MONDAY_NOON - hour * 3600.0 for hour in (20, 10, 5, 1)]
    verdict = ask(MADRID, dialing, MONDAY_NOON, history=tuple(Past("7", MADRID, time, time + 9) for time in times))
    assert isinstance(verdict, Blocked)
    assert verdict.blocks[0].not_before_s == verdict.not_before_s == MONDAY_NOON + 19 * 3600
    assert "the lead had 4 attempts within 24 hours" in verdict.why


def test_a_cap_for_ever_is_told_without_a_time() -> None:
    dialing = campaign(pack(cap(2, inf)))
    times = (MONDAY_NOON - 90 * DAY_S, MONDAY_NOON - 60.0)
    verdict = ask(MADRID, dialing, MONDAY_NOON, history=tuple(Past("7", MADRID, time, time + 9) for time in times))
    assert isinstance(verdict, Blocked)
    assert verdict.not_before_s is None
    assert "the lead had 2 attempts in all, at most 2 are allowed" in verdict.why


def test_a_rest_holds_to_its_last_second() -> None:
    dialing = campaign(pack(rules.Rest(source("rest"), Scope(), "abandoned", 3600.0)))
    past = (Past("7", MADRID, MONDAY_NOON - 60, MONDAY_NOON, abandoned=True),)
    assert blocked(ask(MADRID, dialing, MONDAY_NOON + 3599, history=past)) == ["test/rest"]
    assert blocked(ask(MADRID, dialing, MONDAY_NOON + 3600, history=past)) == []


def test_a_cap_for_ever_never_ends() -> None:
    dialing = campaign(pack(cap(1, float("inf"))))
    verdict = ask(MADRID, dialing, MONDAY_NOON, history=(Past("7", MADRID, 5.0, 9.0),))
    assert until(verdict) is None
    assert "at most 1 are allowed" in getattr(verdict, "why", "")


def test_nobody_is_dialed_twice_at_once() -> None:
    on = Past("7", "+34912222222", MONDAY_NOON - 5)
    dialing = campaign("es", lists=registers(MONDAY_NOON))
    assert blocked(ask(MADRID, dialing, MONDAY_NOON, history=(on,))) == ["lead/in_progress"]
    other = Past("8", MADRID, MONDAY_NOON - 5)
    assert blocked(ask(MADRID, dialing, MONDAY_NOON, history=(other,))) == ["number/in_progress"]


# -- together ---------------------------------------------------------------------------------------
def test_every_reason_is_given_and_what_time_does_not_heal_comes_first() -> None:
    sunday = at("2026-11-22 12:00", "Europe/Madrid")
    mine = DoNotCall("main", "campaign", 0.0, NumberSet([MADRID]))
    past = tuple(Past("7", MADRID, sunday - n * 60, sunday - n * 60 + 9) for n in range(3))
    dialing = campaign("es", identity="+34622000000", lists=(*registers(sunday), mine))
    verdict = ask(MADRID, dialing, sunday, lead(basis=Basis.NONE), past)
    assert blocked(verdict) == [
        "do_not_call/main",
        "es/commercial_basis",
        "es/no_mobile_identity",
        "es/calls_a_day",
        "es/commercial_hours",
    ]
    assert isinstance(verdict, Blocked)
    assert verdict.not_before_s is None
    assert verdict.source.pack == "do_not_call"
    assert "TRLGDCU" in verdict.why


def test_a_rest_that_ends_at_night_ends_in_the_morning() -> None:
    rest = rules.Rest(source("rest"), Scope(), "conversation", 30 * 3600.0)
    dialing = campaign("es", pack(rest), lists=registers(MONDAY_NOON))
    talked = (Past("7", MADRID, MONDAY_NOON + 3600 * 6, MONDAY_NOON + 3600 * 7, MONDAY_NOON + 3600 * 6),)
    verdict = ask(MADRID, dialing, MONDAY_NOON + 3600 * 8, history=talked)
    assert until(verdict) == at("2026-11-25 09:00", "Europe/Madrid")


def test_windows_that_never_meet_are_said_to_never_open() -> None:
    dialing = campaign(pack(hours({0: ((540, 600),)}, "monday"), hours({1: ((540, 600),)}, "tuesday")))
    assert until(ask(MADRID, dialing, MONDAY_NOON)) is None


@pytest.mark.parametrize(
    ("seconds", "said"), [(DAY_S, "24 hours"), (3600.0, "1 hour"), (5400.0, "1.5 hours"), (2 * DAY_S, "2 days")]
)
def test_one_hour_is_one(seconds: float, said: str) -> None:
    assert (check._length(seconds), check.in_days(DAY_S)) == (said, "1 day")
