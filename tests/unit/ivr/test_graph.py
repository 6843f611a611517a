"""A flow as a graph: who is reached, which loops there are."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from ivr.graph import Edge, cycle_through, loops, reached


def ways(text: str) -> list[Edge]:
    return [Edge(pair[0], pair[1], "next") for pair in text.split()]


def test_what_is_reached() -> None:
    assert reached(ways("ab bc de"), ["a"]) == {"a", "b", "c"}


def test_loops_are_groups_and_single_nodes_that_lead_to_themselves() -> None:
    assert loops("abcdef", ways("ab bc ca cd dd de ef")) == (("a", "b", "c"), ("d",))
    assert loops("abc", ways("ab bc")) == ()


def test_only_edges_inside_count() -> None:
    assert loops("ab", ways("ac ca ab")) == ()


def test_the_shortest_way_round() -> None:
    edges = ways("ab bc ca cd da")
    assert cycle_through("a", "abcd", edges) == ("a", "b", "c", "a")
    assert cycle_through("a", "a", ways("aa")) == ("a", "a")
    assert cycle_through("a", "ab", ways("ab")) == ()


def test_long_chains_need_no_recursion() -> None:
    names = [f"n{index}" for index in range(20_000)]
    edges = [Edge(a, b, "next") for a, b in zip(names, [*names[1:], names[0]], strict=True)]
    assert len(loops(names, edges)[0]) == 20_000
    assert len(reached(edges, ["n0"])) == 20_000


_EDGES = st.lists(st.tuples(st.sampled_from("abcdefgh"), st.sampled_from("abcdefgh")), max_size=30)


@given(_EDGES)
def test_loops_are_what_reaches_itself(pairs: list[tuple[str, str]]) -> None:
    edges = [Edge(a, b, "next") for a, b in pairs]
    found = loops("abcdefgh", edges)
    for name in "abcdefgh":
        after = [edge.target for edge in edges if edge.source == name]
        mine = {other for other in reached(edges, after) if name in reached(edges, [other])} if after else set()
        group = next((set(group) for group in found if name in group), set())
        assert group == mine
        if group:
            way = cycle_through(name, group, edges)
            assert way[0] == way[-1] == name
            assert all((a, b) in pairs for a, b in pairwise(way))
