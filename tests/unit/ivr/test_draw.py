"""Drawings: well-formed, the same every time, nothing on top of anything else, and what was walked or missed shows."""

from __future__ import annotations

import os
import subprocess
import sys
import xml.etree.ElementTree as ET
from itertools import combinations, pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ivr.draw import draw
from ivr.drawing.layers import Box, Link, lay_out
from ivr.drawing.look import KIND_OF, KINDS, cut, width_of, wrap
from ivr.drawing.order import arrange, crossings
from ivr.loader import Context, load
from ivr.model import Flow

ROOT = Path(__file__).parents[3]
SVG = "{http://www.w3.org/2000/svg}"

SMALL = """
flow: small
title: {es: Pequeño & bonito, en: Small <and> nice}
languages: [es, en]
start: hello
defaults: {no_input: {then: bye}}
nodes:
  hello: {type: play, prompt: {es: "Hola {{ caller }}", en: Hello}, next: main}
  main:
    type: menu
    prompt: {es: "Marque uno o dos, por favor, y si no sabe qué hacer espere", en: "Press 1 or 2"}
    keys: {"1": sales, "2": {next: hello}, "9": {language: en}, "*": {repeat: yes}}
    no_match: {then: lost}
  sales: {type: queue, queue: sales, next: main}
  lost: {type: hangup}
  bye: {type: hangup}
"""


def flow(text: str) -> Flow:
    name = text.split("flow:")[1].split()[0]
    loaded = load({f"flows/{name}.yaml": text}, Context(languages=("es", "en")))
    assert loaded.release is not None, str(loaded.problems)
    found = loaded.release.flow("main", name)
    assert found is not None
    return found


def shipped() -> list[Flow]:
    folder = [*ROOT.glob("flows/*.yaml"), *ROOT.glob("config/*/*.yaml"), *ROOT.glob("config/tables/*.csv")]
    sources = {path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8") for path in folder}
    loaded = load(sources, Context(languages=("es", "en"), time_zone="Europe/Madrid", country="ES"))
    assert loaded.release is not None, str(loaded.problems)
    return list(loaded.release.flows.values())


def texts(svg: str) -> str:
    return " ".join(text for element in ET.fromstring(svg).iter(f"{SVG}text") for text in element.itertext())


def nodes(svg: str) -> dict[str, set[str]]:
    """Node -> the classes of its card."""
    groups = (g for g in ET.fromstring(svg).iter(f"{SVG}g") if "node" in g.get("class", "").split())
    return {g.get("id", "").partition(".")[2]: set(g.get("class", "").split()) for g in groups}


def test_every_node_is_there_with_its_name_type_and_words() -> None:
    svg = draw(flow(SMALL))
    assert nodes(svg).keys() == {"hello", "main", "sales", "lost", "bye"}
    said = texts(svg)
    for words in (
        "Pequeño & bonito",
        "hello",
        "menu",
        "Hola ‹caller›",
        "queue sales",
        "* again".replace(" ", "  "),
        "9  en",
    ):
        assert words in said
    assert "no input → bye" in said
    assert "no match → lost" not in said, "the only way to a card is a line, not a name"


def test_another_language_shows_its_texts() -> None:
    said = texts(draw(flow(SMALL), language="en"))
    assert "Small <and> nice" in said
    assert "Press 1 or 2" in said


def test_coverage_shows_what_tests_missed() -> None:
    svg = draw(flow(SMALL), visited={"hello": 3, "main": 2, "gone": 9})
    shown = nodes(svg)
    assert "visited" in shown["hello"]
    assert "unvisited" in shown["sales"]
    assert "tests reach 2 of 5 (40 %)" in texts(svg)
    assert "×3" in texts(svg)


def test_a_calls_way_shows_its_steps_in_order() -> None:
    svg = draw(flow(SMALL), path=["hello", ("main", "2"), "hello", ("main", "no_match"), "lost", "nowhere"])
    shown = nodes(svg)
    assert "walked" in shown["lost"]
    assert "aside" in shown["sales"]
    assert "1, 3" in texts(svg)
    walked = [
        p
        for p in ET.fromstring(svg).iter(f"{SVG}path")
        if p.get("class", "").startswith("edge") and "walked" in p.get("class", "")
    ]
    assert len(walked) == 4, "into the flow, and three different lines"


def test_it_needs_nothing_from_elsewhere() -> None:
    svg = draw(flow(SMALL))
    for outside in ("url(", "<script", "<image", "xlink", "@import", "var(--"):
        assert outside not in svg
    assert "prefers-color-scheme: dark" in svg


@pytest.mark.parametrize("found", shipped(), ids=lambda found: found.id)
def test_shipped_flows_draw_without_overlaps(found: Flow) -> None:
    svg = draw(found)
    assert nodes(svg).keys() == found.nodes.keys()
    boxes = []
    for group in ET.fromstring(svg).iter(f"{SVG}g"):
        if "node" in group.get("class", "").split():
            x, y = group.get("transform", "")[10:-1].split()
            card = next(r for r in group.iter(f"{SVG}rect") if r.get("class") == "card")
            boxes.append((float(x), float(y), float(card.get("width", 0)), float(card.get("height", 0))))
    assert not overlaps(boxes)


def overlaps(boxes: list[tuple[float, float, float, float]]) -> list[object]:
    return [
        (a, b)
        for a, b in combinations(boxes, 2)
        if a[0] < b[0] + b[2] - 0.2 and b[0] < a[0] + a[2] - 0.2 and a[1] < b[1] + b[3] and b[1] < a[1] + a[3]
    ]


def test_the_same_flow_gives_the_same_picture_under_every_hash_seed() -> None:
    code = (
        f"import sys; sys.path.insert(0, {str(ROOT)!r})\n"
        "from hashlib import sha256\nfrom ivr.draw import draw\nfrom ivr.loader import Context, load\n"
        f"loaded = load({{'flows/small.yaml': {SMALL!r}}}, Context(languages=('es', 'en')))\n"
        "print(sha256(draw(loaded.release.flow('main', 'small')).encode()).hexdigest())"
    )
    prints = {
        subprocess.run(
            [sys.executable, "-c", code], env={**os.environ, "PYTHONHASHSEED": seed}, capture_output=True, check=True
        ).stdout
        for seed in ("1", "2")
    }
    assert len(prints) == 1


_GRAPHS = st.integers(1, 14).flatmap(
    lambda count: st.tuples(
        st.just(count), st.sets(st.tuples(st.integers(0, count - 1), st.integers(0, count - 1)), max_size=40)
    )
)


@settings(max_examples=150, deadline=None)
@given(_GRAPHS, st.randoms(use_true_random=False))
def test_any_graph_is_laid_out_without_overlaps_every_line_from_end_to_end(graph, random) -> None:  # type: ignore[no-untyped-def]
    count, pairs = graph
    names = [f"n{index}" for index in range(count)]
    boxes = {name: Box(random.uniform(40, 300), random.uniform(30, 120)) for name in names}
    links = [Link(names[a], names[b], random.uniform(0, 60)) for a, b in sorted(pairs) if a != b]
    layout = lay_out(boxes, links, "n0")
    placed = [(*layout.boxes[name], boxes[name].width, boxes[name].height) for name in names]
    assert not overlaps(placed)
    assert all(x >= -0.1 and x + w <= layout.width + 0.1 and y + h <= layout.height + 0.1 for x, y, w, h in placed)
    assert layout.routes.keys() == {(link.source, link.target) for link in links}
    for (source, target), route in layout.routes.items():
        sy, ty = layout.boxes[source][1], layout.boxes[target][1]
        upward = -1 if route.runs_up else 1
        assert route.points[0][1] == pytest.approx(sy if route.runs_up else sy + boxes[source].height)
        assert route.points[-1][1] == pytest.approx(ty + boxes[target].height if route.runs_up else ty)
        assert all((b[1] - a[1]) * upward >= 0 for a, b in pairwise(route.points))


def test_a_tree_has_no_crossings_and_a_ladder_is_untangled() -> None:
    steps = [("a", "b"), ("a", "c"), ("b", "e"), ("b", "d"), ("c", "g"), ("c", "f")]
    rows = arrange([["a"], ["c", "b"], ["d", "f", "e", "g"]], steps)
    below: dict[str, list[str]] = {}
    for upper, lower in steps:
        below.setdefault(upper, []).append(lower)
    assert crossings(rows, below) == 0


def test_a_big_flow_is_drawn() -> None:
    """However many lines cross: it ends."""
    lines = ["flow: big", "start: n0", "languages: es", "nodes:"]
    for index in range(300):
        keys = ", ".join(f'"{key}": n{(index * 7 + key * 13 + 1) % 300}' for key in range(3))
        lines.append(f"  n{index}: {{type: menu, prompt: hola, keys: {{{keys}, '9': n{(index + 1) % 300}}}}}")
    assert len(nodes(draw(flow("\n".join(lines))))) == 300


def test_words_are_cut_and_wrapped_to_their_room() -> None:
    assert cut("short", 12, 200) == "short"
    long = cut("a very long text that never ends", 12, 60)
    assert long.endswith("…")
    assert width_of(long, 12) <= 60
    assert wrap("one two three four", 12, 50, 2)[-1].endswith("…")
    assert wrap("", 12, 50, 2) == []


def test_every_family_of_types_has_its_look() -> None:
    assert set(KIND_OF.values()) <= KINDS.keys()


def test_the_sign_of_a_call_coming_in_covers_no_words() -> None:
    """Wherever the first card stands: the lines of the heading are above the sign."""
    for each in (flow(SMALL), *shipped()):
        drawn = ET.fromstring(draw(each))
        place = next(
            group for group in drawn.findall(f"{SVG}g") if group.find(f"{SVG}circle[@class='begin']") is not None
        )
        sign = place.find(f"{SVG}circle[@class='begin']")
        assert sign is not None
        down = float(place.attrib["transform"].removeprefix("translate(").removesuffix(")").split()[1])
        top = down + float(sign.attrib["cy"]) - float(sign.attrib["r"])
        words = [float(text.attrib["y"]) for text in drawn.findall(f"{SVG}text")]
        assert words
        assert max(words) + 5 < top, each.id
