"""Which script a lead gets: always the same, in shares, whatever happens in between."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.stats import chisquare

from core.dialing import AttemptWanted
from core.lead_record import LeadNumber, LeadRecord
from dialer.compliance.rules import Mode
from dialer.records import Tried
from dialer.script_test import drawn
from dialer.setup import CampaignSetup, Retry, Script, ScriptTest
from tests.unit.dialer.house import House, campaign, record

TEST = ScriptTest(
    "opening", (Script("classic", 1, {"es": "Le llamo"}), Script("short", 1, {"es": "Hola"})), goal=("sold",)
)


def setup(test: ScriptTest | None = TEST, **more: object) -> CampaignSetup:
    return campaign(script_test=test, **more)


def lead(number: int, **more: object) -> LeadRecord:
    return replace(record(number), **more)


def draws(test: ScriptTest, count: int = 4_000) -> list[str]:
    tested = setup(test)
    return [drawn(tested, record(number), ()) for number in range(count)]


def test_what_was_drawn_once_is_drawn_by_every_later_release() -> None:
    assert [drawn(setup(), record(number), ()).removeprefix("opening/") for number in range(8)] == [
        *("classic", "short", "classic", "classic", "short", "short", "classic", "classic"),
    ]


def test_each_script_has_its_share_of_the_leads() -> None:
    three = replace(TEST, scripts=(*(replace(one, share=2) for one in TEST.scripts), Script("bold", 6)))
    counts = Counter(draws(three))
    found = [counts[f"opening/{name}"] for name in ("classic", "short", "bold")]
    assert chisquare(found, [800, 800, 2_400]).pvalue > 0.01


def test_another_test_draws_anew() -> None:
    before, after = draws(TEST), draws(replace(TEST, name="closing"))
    same = sum(one.partition("/")[2] == other.partition("/")[2] for one, other in zip(before, after, strict=True))
    assert 0.45 < same / len(before) < 0.55


shares = st.lists(st.integers(1, 50), min_size=2, max_size=5)


@settings(max_examples=50, suppress_health_check=[HealthCheck.too_slow])
@given(shares, st.data())
def test_only_those_leads_move_that_have_to(given_shares: Sequence[int], data: st.DataObject) -> None:
    scripts = tuple(Script(f"s{index}", share) for index, share in enumerate(given_shares))
    grown = data.draw(st.integers(0, len(scripts) - 1))
    more = tuple(replace(one, share=one.share + 3 * (one is scripts[grown])) for one in scripts)
    shuffled = tuple(data.draw(st.permutations(more)))
    before, after = (draws(ScriptTest("t", one), 200) for one in (scripts, shuffled))
    assert all(new in (old, f"t/s{grown}") for old, new in zip(before, after, strict=True))


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(0, 99_999), st.text(min_size=1, max_size=12), st.text(max_size=12))
def test_a_list_taken_out_and_imported_again_changes_nothing(number: int, lead_id: str, list_id: str) -> None:
    """Its leads have other ids then; what their own system calls them, and their numbers, are the same."""
    first = record(number)
    again = replace(first, lead_id=lead_id, list_id=list_id, attempts=3, name="Ana", fields={"plan": "x"})
    assert drawn(setup(), first, ()) == drawn(setup(), again, ())
    known = replace(first, external_id="C-17")
    moved = replace(known, lead_id=lead_id, numbers=(LeadNumber("+34600000001"), *known.numbers))
    assert drawn(setup(), known, ()) == drawn(setup(), moved, ())


def test_who_was_dialed_in_this_test_keeps_her_script() -> None:
    other = {"opening/classic": "opening/short", "opening/short": "opening/classic"}[drawn(setup(), record(1), ())]
    past = Tried("a-1", "l00001", "+34910000001", "no_answer", 5.0, 6.0, campaign="c1", script=other)
    assert drawn(setup(), record(1), [past]) == other
    mine = drawn(setup(), record(1), ())
    for strange in (
        replace_of(past, lead_id="l00002"),
        replace_of(past, campaign="c2"),
        replace_of(past, script="closing/short"),
        replace_of(past, script="opening/gone"),
    ):
        assert drawn(setup(), record(1), [strange]) == mine


def replace_of(past: Tried, **changes: str) -> Tried:
    names = past.__struct_fields__
    return Tried(**{**{name: getattr(past, name) for name in names}, **changes})


# -- in a campaign -----------------------------------------------------------------------------------
def a_house(test: ScriptTest | None = TEST, **more: object) -> House:
    leads = [lead(number, fields={"script": "of the list"}) for number in range(1, 7)]
    retries = {"no_answer": Retry(60.0, 9, "same")}
    return House(setup(test, retries=retries, **more), leads=leads, agents=3)


def scripts(house: House) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for _, wanted in house.wanted:
        found.setdefault(wanted.lead_id, set()).add(wanted.script)
    return found


def test_a_lead_keeps_its_script_over_tries_a_kill_and_other_shares() -> None:
    house = a_house()
    house.start()
    house.run(300.0)
    house.reborn()
    house.run(300.0)
    reweighted = replace(TEST, scripts=(replace(TEST.scripts[0], share=99), TEST.scripts[1]))
    changed = {key: replace(one, script_test=reweighted) for key, one in house.setup.campaigns.items()}
    house.setup = replace(house.setup, campaigns=changed)
    house.take(house.dialer.change_setup(house.setup, house.now_s))
    before = len(house.wanted)
    house.run(600.0)
    assert len(house.wanted) > before
    assert len(scripts(house)) == 6
    assert all(len(one) == 1 for one in scripts(house).values())
    assert {name for one in scripts(house).values() for name in one} == {"opening/classic", "opening/short"}
    assert {one.script for one in house.store.attempts.values()} == {"opening/classic", "opening/short"}


def test_flows_know_the_scripts_name_and_agents_its_text() -> None:
    house = a_house()
    house.start()
    house.run(2.0)
    for _, wanted in house.wanted:
        test, _, name = wanted.script.partition("/")
        assert (test, wanted.variables["script"]) == ("opening", name)
        shown = house.dialer.desk_of(wanted.interaction_id, house.now_s, {})
        assert shown is not None
        assert shown["script"] == {"classic": {"es": "Le llamo"}, "short": {"es": "Hola"}}[name]
        assert shown["script_drawn"] == wanted.script


def test_an_agent_who_looks_first_sees_the_script_that_she_will_say() -> None:
    house = a_house(mode=Mode.PREVIEW)
    house.start()
    house.run(2.0)
    for agent_id in ("a00", "a01", "a02"):
        (shown,) = house.dialer.previews("main", agent_id, house.now_s)
        assert shown["script_drawn"] == drawn(setup(), lead(int(shown["lead"]["lead_id"][1:])), ())


def test_without_a_test_nothing_is_drawn_and_a_field_of_that_name_is_the_lists() -> None:
    house = a_house(None, script={"es": "Buenos días"})
    house.start()
    house.run(2.0)
    wanted: AttemptWanted = house.wanted[0][1]
    assert (wanted.script, wanted.variables["script"]) == ("", "of the list")
    shown = house.dialer.desk_of(wanted.interaction_id, house.now_s, {})
    assert shown is not None
    assert (shown["script"], shown["script_drawn"]) == ({"es": "Buenos días"}, "")
