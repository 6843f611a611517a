"""Reconciliation: everything we believe in and everything that is there gets exactly one fate."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from core.events import LegArrived
from core.ports import FoundLeg, Survey
from telephony.reconcile import KnownLeg, Plan, reconcile

NOW_S = 1_800_000_000.0
GRACE_S = 10.0


def found(leg_id: str, *, inbound: bool = True, up: bool = True, age_s: float = 60.0, node: str = "n1") -> FoundLeg:
    return FoundLeg(leg_id, node, up, inbound, "100", "+34600", "Ana", "main-carrier", NOW_S - age_s)


def known(age_s: float = 60.0, node: str = "n1") -> KnownLeg:
    return KnownLeg(node, NOW_S - age_s)


def plan(*legs: FoundLeg, known_legs: dict[str, KnownLeg] | None = None, bridges: tuple[str, ...] = ()) -> Plan:
    survey = Survey("n1", legs, dict.fromkeys(bridges, ()))
    return reconcile(survey, known_legs or {}, frozenset({"ours"}), NOW_S, GRACE_S)


def test_a_leg_of_ours_that_is_still_there_is_adopted_as_it_is() -> None:
    assert plan(found("a"), found("b", up=False), known_legs={"a": known(), "b": known()}).adopt == {
        "a": True,
        "b": False,
    }


def test_a_leg_of_ours_that_vanished_is_lost() -> None:
    assert plan(known_legs={"a": known()}).lost == ("a",)


def test_a_leg_heard_of_a_moment_ago_may_have_crossed_the_survey() -> None:
    decided = plan(known_legs={"a": known(age_s=1)})
    assert (decided.lost, decided.waiting) == ((), ("a",))


def test_a_leg_that_was_there_before_the_gap_is_lost_however_lately_it_was_heard_of() -> None:
    young = {"a": known(age_s=1), "b": known(age_s=1)}
    decided = reconcile(Survey("n1", (), {}), young, frozenset(), NOW_S, GRACE_S, before_gap={"a"})
    assert (decided.lost, decided.waiting) == (("a",), ("b",))


def test_a_leg_of_another_node_is_none_of_this_surveys_business() -> None:
    assert plan(known_legs={"a": known(node="n2")}) == Plan({}, (), (), (), (), ())


def test_a_caller_nobody_took_in_arrives_now() -> None:
    assert plan(found("a", up=False)).arrived == (
        LegArrived("a", "n1", "100", "+34600", "Ana", "main-carrier", retried=True),
    )


def test_a_leg_we_do_not_remember_dialing_is_hung_up_after_a_grace() -> None:
    assert plan(found("a", inbound=False, age_s=1)).waiting == ("a",)
    assert plan(found("a", inbound=False, age_s=60)).orphans == ("a",)


def test_a_bridge_nobody_knows_has_leaked() -> None:
    assert plan(bridges=("ours", "leaked")).leaked_bridges == ("leaked",)


def test_after_a_restart_of_asterisk_everything_is_lost() -> None:
    decided = plan(known_legs={"a": known(), "b": known()})
    assert set(decided.lost) == {"a", "b"}
    assert not decided.adopt


IDS = st.sampled_from([f"leg-{n}" for n in range(8)])
FOUND = st.builds(found, IDS, inbound=st.booleans(), up=st.booleans(), age_s=st.floats(0, 100, allow_nan=False))
KNOWN = st.dictionaries(IDS, st.builds(known, age_s=st.floats(0, 100), node=st.sampled_from(["n1", "n2"])))


@given(st.lists(FOUND, unique_by=lambda leg: leg.leg_id), KNOWN, st.sets(st.sampled_from("abc")))
def test_everything_gets_exactly_one_fate(
    legs: list[FoundLeg], known_legs: dict[str, KnownLeg], ours: set[str]
) -> None:
    survey = Survey("n1", tuple(legs), dict.fromkeys("abcd", ()))
    decided = reconcile(survey, known_legs, ours, NOW_S, GRACE_S)
    fates = [
        *decided.adopt,
        *(leg.leg_id for leg in decided.arrived),
        *decided.lost,
        *decided.waiting,
        *decided.orphans,
    ]
    assert len(fates) == len(set(fates))
    expected = {leg.leg_id for leg in legs} | {leg_id for leg_id, leg in known_legs.items() if leg.node == "n1"}
    assert set(fates) == expected
    assert set(decided.adopt) <= set(known_legs)
    assert not set(decided.orphans) & set(known_legs)
    assert set(decided.leaked_bridges) == set("abcd") - ours


@given(st.lists(FOUND, unique_by=lambda leg: leg.leg_id), KNOWN)
def test_after_the_grace_nobody_waits(legs: list[FoundLeg], known_legs: dict[str, KnownLeg]) -> None:
    later = reconcile(Survey("n1", tuple(legs), {}), known_legs, set(), NOW_S + GRACE_S, GRACE_S)
    assert later.waiting == ()
