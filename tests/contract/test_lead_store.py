"""What every store of leads promises the dialer: SQLite, PostgreSQL, memory."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from core.dialing import NumberListed
from core.lead import LeadState
from core.lead_record import LeadNumber, Promise
from core.lead_store import ASLEEP_S
from tests.contract.lead_stage import NOW_S, attempt, lead, save, staged_ids, staging, state_of

_MADRID, _CANARY = "Europe/Madrid", "Atlantic/Canary"


async def test_a_lead_comes_back_as_it_was_saved(store: Any) -> None:
    numbers = (
        LeadNumber("+34600111222", "mobile", "", "", 3),
        LeadNumber("+34911222333", "home", _MADRID, "invalid", 1),
    )
    ana = lead(
        "ana",
        numbers=numbers,
        name="Ana Ñúñez",
        language="es",
        region="MD",
        zone=_MADRID,
        basis="consent",
        consent_s=NOW_S - 5.5,
        proof="web/123",
        priority=7,
        rank=-1.25,
        fields={"saldo": "12,50 €", "ñ": ""},
        state=LeadState.WAITING,
        reason="busy",
        not_before_s=NOW_S + 60,
        attempts=4,
        next_number=1,
        agent_id="eva",
        outcome="busy",
        disposition="later",
        external_id="X-1",
        promise=Promise("promise", "2026-12-01", NOW_S + 86_400.0, NOW_S + 3 * 86_400.0, "120.50", "a1", "broken"),
    )
    await store.save([save(ana)])
    found = await store.lead("main", "ana", 0.0)
    assert found is not None
    assert found.record == ana
    assert await store.lead("main", "eva", 0.0) is None
    assert await store.lead("acme", "ana", 0.0) is None


async def test_nobody_gets_a_lead_twice(store: Any) -> None:
    await store.save([save(lead(f"lead{n}")) for n in range(5)])
    first = await store.stage(staging(3))
    assert [each.record.lead_id for each in first.leads] == ["lead0", "lead1", "lead2"]
    assert {each.record.state for each in first.leads} == {LeadState.STAGED}
    assert first.more
    second = await store.stage(staging(3))
    assert [each.record.lead_id for each in second.leads] == ["lead3", "lead4"]
    assert not second.more
    assert await staged_ids(store) == []


async def test_priority_goes_before_rank_and_rank_before_age(store: Any) -> None:
    await store.save(
        [
            save(lead("a")),
            save(lead("b", rank=-1.0)),
            save(lead("c", priority=5, rank=9.0)),
            save(lead("d", priority=-1, rank=-50.0)),
            save(lead("e", priority=5, rank=2.5)),
        ]
    )
    assert await staged_ids(store) == ["e", "c", "b", "a", "d"]


async def test_lists_give_in_proportion_to_their_weight_over_many_small_stagings(store: Any) -> None:
    for name in ("north", "south"):
        await store.save([save(lead(f"{name}{n:02d}", list_id=name)) for n in range(40)])
    got: list[str] = []
    for _ in range(20):
        got += await staged_ids(store, 2, lists={"north": 3, "south": 1})
    assert sum(each.startswith("north") for each in got) == 30
    assert sum(each.startswith("north") for each in got[:8]) == 6
    rest = await staged_ids(store, 100, lists={"north": 3, "south": 1})
    assert len(rest) == 40, "what one list has no more of, the other gives"


async def test_priority_goes_before_the_mix_of_lists(store: Any) -> None:
    await store.save([save(lead("low", list_id="north")), save(lead("high", list_id="south", priority=1))])
    assert await staged_ids(store, lists={"north": 100, "south": 1}) == ["high", "low"]


async def test_only_the_lists_of_the_campaign_and_its_tenant_are_touched(store: Any) -> None:
    await store.save([save(lead("a", list_id="other")), save(lead("b", tenant="acme")), save(lead("c"))])
    assert await staged_ids(store) == ["c"]
    assert await store.counts("main", ["spring", "other"]) == {LeadState.NEW: 1, LeadState.STAGED: 1}
    assert await store.counts("main", []) == {}


async def test_time_zones_that_are_closed_stay_where_they_are(store: Any) -> None:
    await store.save(
        [
            save(lead("canary", zone=_CANARY)),
            save(lead("either", zone=f"{_CANARY}|{_MADRID}")),
            save(lead("madrid", zone=_MADRID)),
            save(lead("unknown")),
        ]
    )
    assert await store.zones("main", ["spring"]) == [_CANARY, _MADRID]
    assert await staged_ids(store, zones_open=(_MADRID,)) == ["madrid", "unknown"]
    assert await staged_ids(store, zones_open=(_CANARY, _MADRID)) == ["canary", "either"]


async def test_where_the_day_ends_soonest_goes_first_among_equals(store: Any) -> None:
    await store.save(
        [
            save(lead("a", zone=_CANARY)),
            save(lead("b", zone=_MADRID)),
            save(lead("c", zone=_CANARY, rank=-1.0)),
            save(lead("d")),
        ]
    )
    assert await staged_ids(store, zones_open=(_MADRID, _CANARY)) == ["c", "b", "a", "d"]


async def test_who_waits_is_staged_when_her_time_has_come(store: Any) -> None:
    await store.save(
        [
            save(lead("later", state=LeadState.WAITING, not_before_s=NOW_S + 60)),
            save(lead("now", state=LeadState.WAITING, not_before_s=NOW_S)),
            save(lead("reopened", not_before_s=NOW_S - 1)),
            save(lead("done", state=LeadState.DONE)),
            save(lead("blocked", state=LeadState.BLOCKED)),
            save(lead("exhausted", state=LeadState.EXHAUSTED)),
        ]
    )
    staged = await store.stage(staging())
    assert [each.record.lead_id for each in staged.leads] == ["now", "reopened"]
    assert staged.next_s == NOW_S + 60
    later = await store.stage(staging(now_s=NOW_S + 60))
    assert [each.record.lead_id for each in later.leads] == ["later"]
    assert later.next_s == 0


async def test_callbacks_go_before_everybody_the_oldest_promise_first(store: Any) -> None:
    await store.save(
        [
            save(lead("urgent", priority=99)),
            save(lead("second", state=LeadState.CALLBACK, not_before_s=NOW_S - 1)),
            save(lead("first", state=LeadState.CALLBACK, not_before_s=NOW_S - 60, agent_id="eva")),
            save(lead("tomorrow", state=LeadState.CALLBACK, not_before_s=NOW_S + 86_400)),
            save(lead("asleep", state=LeadState.CALLBACK, not_before_s=NOW_S - 9, zone=_CANARY)),
        ]
    )
    staged = await store.stage(staging(2, zones_open=(_MADRID,)))
    assert [each.record.lead_id for each in staged.leads] == ["first", "second"]
    assert staged.more
    assert staged.leads[0].record.agent_id == "eva"
    assert (staged.next_s, staged.callback_s) == (NOW_S + 86_400, NOW_S + ASLEEP_S), "one sleeps: it is looked at again"
    awake = await store.stage(staging(2, promised=True, zones_open=(_MADRID, _CANARY)))
    assert [each.record.lead_id for each in awake.leads] == ["asleep"]
    assert awake.callback_s == NOW_S + 86_400
    assert await staged_ids(store, zones_open=(_MADRID,)) == ["urgent"]


async def test_those_alone_whose_promised_call_is_due(store: Any) -> None:
    await store.save(
        [
            save(lead("new")),
            save(lead("waited", state=LeadState.WAITING, not_before_s=NOW_S - 60)),
            save(lead("soon", state=LeadState.WAITING, not_before_s=NOW_S + 5)),
            save(lead("promised", state=LeadState.CALLBACK, not_before_s=NOW_S - 1)),
            save(lead("later", state=LeadState.CALLBACK, not_before_s=NOW_S + 60)),
        ]
    )
    staged = await store.stage(staging(10, promised=True))
    assert [each.record.lead_id for each in staged.leads] == ["promised"]
    assert (staged.promised, staged.more, staged.asked_s) == (True, False, NOW_S)
    assert (staged.next_s, staged.callback_s) == (NOW_S + 5, NOW_S + 60)
    assert await staged_ids(store) == ["new", "waited"]


async def test_what_is_taken_out_of_the_hopper_undialed_waits_again(store: Any) -> None:
    due = lead("promised", state=LeadState.CALLBACK, not_before_s=NOW_S - 60, agent_id="eva")
    await store.save([save(lead("a")), save(lead("b")), save(due)])
    await staged_ids(store)
    await store.unstage("main", ["a", "promised", "nobody"])
    assert await state_of(store, "a") is LeadState.WAITING
    assert await state_of(store, "promised") is LeadState.CALLBACK
    assert await state_of(store, "b") is LeadState.STAGED
    assert await staged_ids(store) == ["promised", "a"]


async def test_after_a_crash_whoever_is_marked_for_nobody_waits_again(store: Any) -> None:
    await store.save([save(lead(name)) for name in ("ours", "lost", "dialed", "done")])
    await staged_ids(store)
    await store.save([save(lead("dialed", state=LeadState.DIALING)), save(lead("done", state=LeadState.DONE))])
    assert await store.unstage_unknown({("main", "ours")}) == 2
    assert await state_of(store, "ours") is LeadState.STAGED
    assert await state_of(store, "done") is LeadState.DONE
    assert await staged_ids(store) == ["dialed", "lost"]


async def test_saving_again_or_something_older_changes_nothing(store: Any) -> None:
    new, old = lead("ana", state=LeadState.DONE, reason="sold"), lead("ana", state=LeadState.WAITING)
    tried = attempt("t1", "ana", "+34600111222", NOW_S)
    await store.save([save(new, 20), save(replace(tried, state="completed"), 20)])
    answer = await store.save([save(old, 19), save(tried, 20)])
    assert answer.saved == (("lead:ana", 19), ("attempt:t1", 20))
    found = await store.lead("main", "ana", 0.0)
    assert found is not None
    assert (found.record.state, found.record.reason) == (LeadState.DONE, "sold")
    assert [each.record.state for each in await store.by_number("main", new.numbers[0].number, 0.0)] == [LeadState.DONE]


async def test_the_dialer_does_not_write_what_a_list_says(store: Any) -> None:
    numbers = (LeadNumber("+34600000001", "mobile"), LeadNumber("+34600000002", "home"))
    ana = lead("ana", name="Ana", numbers=numbers, priority=3)
    await store.save([save(ana)])
    in_hand = replace(
        ana,
        name="somebody else",
        priority=0,
        numbers=(replace(numbers[1], label="x", dead="invalid", attempts=2), LeadNumber("+34600000009")),
        state=LeadState.WAITING,
        attempts=2,
    )
    await store.save([save(in_hand)])
    found = await store.lead("main", "ana", 0.0)
    assert found is not None
    assert found.record == replace(
        ana,
        state=LeadState.WAITING,
        attempts=2,
        next_number=1,
        numbers=(numbers[0], replace(numbers[1], dead="invalid", attempts=2)),
    )


async def test_history_is_all_of_the_lead_and_the_recent_one_of_her_numbers_in_all_campaigns(store: Any) -> None:
    ana = lead("ana", numbers=(LeadNumber("+34600000001"), LeadNumber("+34600000002")))
    tries = [
        attempt("old", "ana", "+34600000001", NOW_S - 900),
        attempt("gone", "ana", "+34600000077", NOW_S - 50, ended_s=NOW_S - 20, cause=17, why="busy"),
        attempt(
            "other",
            "eva",
            "+34600000002",
            NOW_S - 60,
            campaign="c2",
            list_id="winter",
            answered_s=NOW_S - 55.5,
            verdict="human",
            evidence="so",
            greeted_s=NOW_S - 54.5,
        ),
        attempt("stranger", "eva", "+34600000003", NOW_S - 60),
        attempt("long ago", "eva", "+34600000002", NOW_S - 900),
        attempt("foreign", "ana", "+34600000001", NOW_S - 60, tenant="acme"),
    ]
    await store.save([save(ana), *map(save, tries)])
    staged = await store.stage(staging(history_s=600))
    assert staged.leads[0].history == (tries[0], tries[2], tries[1])
    everything = await store.lead("main", "ana", 0.0)
    assert everything is not None
    assert [each.attempt_id for each in everything.history] == ["long ago", "old", "other", "gone"]
    ever = await store.lead("main", "ana", float("-inf"))
    assert ever == everything


async def test_what_an_agent_filled_in_comes_back_field_by_field(store: Any) -> None:
    answers = {"offer": "12m", "pay_on": "2026-12-01", "ñ": 'a «quoted» \\ "word" \'n more'}
    tried = attempt("a", "ana", "+34600000001", NOW_S, answers=answers, script="opening/short")
    await store.save([save(lead("ana", numbers=(LeadNumber("+34600000001"),))), save(tried, 1)])
    await store.save([save(replace(tried, answers={}), 1)])
    found = await store.lead("main", "ana", 0.0)
    assert found is not None
    assert found.history == (tried,)
    await store.save([save(replace(tried, answers={"offer": "24m"}), 2)])
    mended = await store.lead("main", "ana", 0.0)
    assert mended is not None
    assert mended.history[0].answers == {"offer": "24m"}


async def test_a_promise_goes_with_how_far_the_dialer_is_and_survives_an_unstaging(store: Any) -> None:
    first = lead("ana", state=LeadState.WAITING, not_before_s=NOW_S - 1.0)
    await store.save([save(first)])
    promised = replace(
        first, name="somebody else", promise=Promise("appointment", "2026-12-01T17:30", NOW_S + 60.0, NOW_S)
    )
    await store.save([save(promised)])
    assert await staged_ids(store) == ["ana"]
    assert await store.unstage_unknown([]) == 1
    found = await store.lead("main", "ana", 0.0)
    assert found is not None
    assert (found.record.promise, found.record.name) == (promised.promise, first.name)
    await store.save([save(replace(promised, promise=None))])
    gone = await store.lead("main", "ana", 0.0)
    assert gone is not None
    assert gone.record.promise is None


async def test_leads_are_found_by_any_of_their_numbers(store: Any) -> None:
    shared = LeadNumber("+34600000002")
    await store.save(
        [
            save(lead("ana", numbers=(LeadNumber("+34600000001"), shared))),
            save(lead("eva", numbers=(shared,), list_id="winter")),
            save(lead("zoe", numbers=(shared,), tenant="acme")),
        ]
    )
    assert sorted(each.record.lead_id for each in await store.by_number("main", "+34600000002", 0.0)) == ["ana", "eva"]
    assert [each.record.lead_id for each in await store.by_number("main", "+34600000001", 0.0)] == ["ana"]
    for none in ("anonymous", "+0034600000001", "+34600000001" * 3, "+٣٤٦٠٠٠٠٠٠٠١"):
        assert list(await store.by_number("main", none, 0.0)) == []


async def test_numbers_are_listed_and_unlisted(store: Any) -> None:
    mine = NumberListed("main", "+34600000001", "", True, "agent", "asked")
    campaign = NumberListed("main", "+34600000002", "c1", True, "caller")
    await store.save([save(mine, 10), save(campaign, 11), save(replace(mine, tenant="acme"), 12)])
    await store.save([save(replace(campaign, listed=False), 13), save(replace(mine, listed=False), 9)])
    assert [each async for each in store.listed()] == [replace(mine, tenant="acme"), mine]


async def _states(store: Any, *lead_ids: str) -> list[tuple[str, str]]:
    found = [await store.lead("main", lead_id, 0.0) for lead_id in lead_ids]
    return [(each.record.state.value, each.record.reason) for each in found if each is not None]


async def test_who_waits_and_may_not_be_called_any_more_waits_no_longer(store: Any) -> None:
    first, second = "+34600000001", "+34600000002"
    here, both = (LeadNumber(first),), (LeadNumber(first), LeadNumber(second))
    waits = {"state": LeadState.WAITING, "reason": "busy", "not_before_s": NOW_S + 3600}
    await store.save(
        [
            save(lead("hers", numbers=both, **{**waits, "reason": "abandoned"})),
            save(lead("new", numbers=here, list_id="winter")),
            save(lead("promised", numbers=here, state=LeadState.CALLBACK, reason="callback", not_before_s=NOW_S + 60)),
            save(lead("both", numbers=both, **waits)),
            save(lead("dead", numbers=(LeadNumber(first), replace(LeadNumber(second), dead="invalid")), **waits)),
            save(lead("sold", numbers=here, state=LeadState.DONE, reason="sold")),
            save(lead("held", numbers=here, state=LeadState.DIALING)),
            save(lead("other", numbers=(LeadNumber("+34600000003"),), **waits)),
            save(lead("elsewhere", numbers=here, tenant="acme", **waits)),
        ]
    )
    names = ("hers", "new", "promised", "both", "dead", "sold", "held", "other")
    said = NumberListed("main", first, by="caller", lead_id="hers")
    await store.save([save(said, 10)])
    blocked = ("blocked", "rule do_not_call/main")
    assert await _states(store, *names) == [
        *(("done", "do_not_call"), blocked, blocked, ("waiting", "busy"), blocked),
        *(("done", "sold"), ("dialing", ""), ("waiting", "busy")),
    ]
    elsewhere = await store.lead("acme", "elsewhere", 0.0)
    assert elsewhere.record.state is LeadState.WAITING
    assert (await store.counts("main", ["spring", "winter"]))[LeadState.WAITING] == 2
    assert await staged_ids(store, lists={"spring": 1, "winter": 1}, now_s=NOW_S + 7200) == ["both", "other"]


async def test_who_may_be_called_again_waits_again_but_who_asked_herself_does_not(store: Any) -> None:
    number = "+34600000001"
    await store.save([save(lead(name, numbers=(LeadNumber(number),))) for name in ("hers", "another")])
    said = NumberListed("main", number, by="caller", lead_id="hers")
    await store.save([save(said, 10)])
    await store.save([save(replace(said, listed=False, by="admin", lead_id=""), 11)])
    assert await _states(store, "hers", "another") == [("done", "do_not_call"), ("waiting", "")]
    assert await staged_ids(store) == ["another"]


async def test_a_word_that_is_old_settles_nobody(store: Any) -> None:
    """Saved anew after a crash, when she has consented since."""
    number = "+34600000001"
    said = NumberListed("main", number, by="caller", lead_id="hers")
    await store.save([save(lead("hers", numbers=(LeadNumber(number),))), save(said, 10)])
    await store.save([save(lead("hers", numbers=(LeadNumber(number),)))])
    await store.save([save(said, 10)])
    assert await _states(store, "hers") == [("new", "")]


async def test_a_campaigns_own_list_settles_who_said_so_alone(store: Any) -> None:
    number = "+34600000001"
    await store.save([save(lead(name, numbers=(LeadNumber(number),))) for name in ("hers", "another")])
    await store.save([save(NumberListed("main", number, "c1", by="caller", lead_id="hers"), 10)])
    assert await _states(store, "hers", "another") == [("done", "do_not_call"), ("new", "")]


async def test_a_number_of_no_known_shape_is_kept_all_the_same(store: Any) -> None:
    odd = lead("odd", numbers=(LeadNumber("anonymous"), LeadNumber("")))
    await store.save([save(odd), save(attempt("t", "odd", "anonymous", NOW_S))])
    found = await store.lead("main", "odd", 0.0)
    assert found is not None
    assert found.record == odd
    assert len(found.history) == 1


@pytest.mark.parametrize("most", [0, -1])
async def test_staging_nobody_is_nothing(store: Any, most: int) -> None:
    await store.save([save(lead("a"))])
    assert (await store.stage(staging(most))).leads == ()
    assert (await store.stage(staging(5, lists={}))).leads == ()
    assert await state_of(store, "a") is LeadState.NEW


async def test_new_rules_free_whom_the_old_ones_held_back_and_nobody_else(store: Any) -> None:
    later_s = NOW_S + 3600
    held = {
        "hours": lead("hours", state=LeadState.WAITING, reason="rule es/hours", not_before_s=later_s),
        "place": lead("place", state=LeadState.BLOCKED, reason="rule place/no_pack"),
        "cap": lead("cap", state=LeadState.EXHAUSTED, reason="rule campaign/lead_ever"),
    }
    others = (
        lead("busy", state=LeadState.WAITING, reason="busy", not_before_s=later_s),
        lead("told", state=LeadState.WAITING, reason="other/later", not_before_s=later_s),
        lead("call", state=LeadState.CALLBACK, reason="callback", not_before_s=later_s),
        lead("listed", state=LeadState.BLOCKED, reason="do_not_call/own"),
        lead("done", state=LeadState.DONE, reason="rule es/hours"),
        lead("elsewhere", list_id="autumn", state=LeadState.WAITING, reason="rule es/hours", not_before_s=later_s),
        replace(lead("theirs", state=LeadState.WAITING, reason="rule es/hours", not_before_s=later_s), tenant="acme"),
    )
    await store.save([save(each) for each in (*held.values(), *others)])
    assert await staged_ids(store) == []
    told = await store.stage(staging(100, law_id="new"))
    assert sorted(each.record.lead_id for each in told.leads) == sorted(held)
    assert told.law_id == "new"
    await store.unstage("main", ["hours"])
    assert await staged_ids(store) == ["hours"]
    for each in others:
        found = await store.lead(each.tenant, each.lead_id, 0.0)
        assert found is not None
        assert (found.record.state, found.record.not_before_s) == (each.state, each.not_before_s)
