"""The little language of skill requirements."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acd.skills import MAX_DEPTH, Requirement, RequirementInvalid, compares

ANA = {"language.es": 5, "billing": 1, "vip": 1}


@pytest.mark.parametrize(
    ("text", "met"),
    [
        ("", True),
        ("   ", True),
        ("vip", True),
        ("trainee", False),
        ("not trainee", True),
        ("language.es >= 3", True),
        ("language.es>=6", False),
        ("language.es = 5 and billing == 1", True),
        ("language.es != 5", False),
        ("billing < 2", True),
        ("unknown <= 0", True),
        ("language.es >= 3 and (billing >= 2 or vip)", True),
        ("language.es >= 3 AND (billing >= 2 OR trainee)", False),
        ("trainee and vip or vip", True),
        ("trainee and (vip or vip)", False),
        ("not not vip", True),
        ("not (vip and trainee)", True),
        ("second-level", False),
    ],
)
def test_a_requirement_is_met_or_not(text: str, met: bool) -> None:
    requirement = Requirement.parse(text)
    assert requirement.met(ANA) is met
    assert bool(requirement.missing(ANA)) is not met


def test_what_is_missing_is_said_and_of_alternatives_the_nearest() -> None:
    assert Requirement.parse("billing >= 2 and language.en").missing(ANA) == ("billing >= 2", "language.en >= 1")
    assert Requirement.parse("(a and b and c) or billing >= 2").missing(ANA) == ("billing >= 2",)
    assert Requirement.parse("not vip").missing(ANA) == ("not (vip >= 1)",)


def test_names_are_told_once_each() -> None:
    assert Requirement.parse("b >= 2 or (a and b)").names == ("b", "a")


def test_the_same_requirement_written_differently_is_the_same() -> None:
    assert Requirement.parse("a>=1   and(b or c)") == Requirement.parse("a and (b >= 1 or (c))")


def test_both_of_two_requirements() -> None:
    both = Requirement.parse("a or b").also(Requirement.parse("c"))
    assert both.text == "(a >= 1 or b >= 1) and c >= 1"
    assert Requirement.parse("").also(both) == both == both.also(Requirement.parse(""))


@pytest.mark.parametrize(
    ("text", "column", "says"),
    [
        ("billing >=", 11, "level from 0 to 10"),
        ("billing >= 11", 12, "levels go from 0 to 10"),
        ("billing >= high", 12, "level from 0 to 10"),
        ("billing vip", 9, "'and' or 'or'"),
        ("(billing", 9, "add ')'"),
        ("billing)", 8, "'and' or 'or'"),
        ("and vip", 1, "name a skill first"),
        ("vip and", 8, "name a skill"),
        ("vip & billing", 5, "use skill names"),
        ("3 >= vip", 1, "name a skill first"),
        ("español", 5, "use skill names"),
        ("(" * 25 + "vip" + ")" * 25, MAX_DEPTH + 2, "at most 20"),
        ("not " * 25 + "vip", 4 * MAX_DEPTH + 9, "one is enough"),
        ("a or " * 200 + "b", 500, "shorten it"),
    ],
)
def test_what_cannot_be_read_is_told_with_its_column(text: str, column: int, says: str) -> None:
    with pytest.raises(RequirementInvalid) as told:
        Requirement.parse(text)
    assert told.value.column == column
    assert says in told.value.hint
    assert f"column {column}" in str(told.value)


names = st.sampled_from(("es", "en", "billing", "vip"))
leaves = st.builds(
    lambda name, sign, level: f"{name} {sign} {level}",
    names,
    st.sampled_from((">=", ">", "<", "<=", "=", "!=")),
    st.integers(0, 10),
)
expressions = st.recursive(
    leaves | names,
    lambda inner: st.one_of(
        st.builds("({}) and ({})".format, inner, inner),
        st.builds("{} or {}".format, inner, inner),
        st.builds("not ({})".format, inner),
    ),
    max_leaves=6,
)


@given(expressions, st.lists(st.dictionaries(names, st.integers(0, 10)), max_size=6))
def test_a_set_of_agents_is_judged_like_each_of_them(text: str, agents: list[dict[str, int]]) -> None:
    requirement = Requirement.parse(text)

    def having(name: str, sign: str, level: int) -> int:
        return sum(1 << n for n, levels in enumerate(agents) if compares(levels.get(name, 0), sign, level))

    found = requirement.among(having, (1 << len(agents)) - 1)
    assert [bool(found >> n & 1) for n in range(len(agents))] == [requirement.met(levels) for levels in agents]
    assert Requirement.parse(requirement.text) == requirement


@given(expressions, expressions)
def test_two_requirements_together_are_what_is_written_with_and_between_them(one: str, other: str) -> None:
    first, second = Requirement.parse(one), Requirement.parse(other)
    both, written = first.also(second), Requirement.parse(f"({first.text}) and ({second.text})")
    if first != second:
        assert (both.text, both.names) == (written.text, written.names)
    else:
        assert both == first


@given(st.text(max_size=40))
def test_no_text_does_worse_than_be_refused(text: Any) -> None:
    try:
        found = Requirement.parse(text)
    except RequirementInvalid as invalid:
        column = invalid.column
    else:
        column = 1
        assert Requirement.parse(found.text) == found
    assert 1 <= column <= len(text) + 1
