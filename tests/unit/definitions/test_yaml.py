"""Reading YAML: texts stay texts, every value has its place, traps are explained, monsters are refused quickly."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from definitions.problems import Problems
from definitions.yaml import MOST_BYTES, Marked, load_marked
from tests.effort import cpu_s


def read(text: str | bytes) -> Marked:
    marked = load_marked(text, "f.yaml")
    assert isinstance(marked, Marked), str(marked)
    return marked


def refused(text: str | bytes) -> str:
    problems = load_marked(text, "f.yaml")
    assert isinstance(problems, Problems)
    assert len(problems) == 1
    return str(problems)


@pytest.mark.parametrize("typed", ["no", "on", "Yes", "9:30", "0810", "012345", "+34911234567", "1e3", "0x1F", "null"])
def test_scalars_stay_what_was_typed(typed: str) -> None:
    assert read(f"key: {typed}").value == {"key": typed}
    assert read(f"{typed}: value").value == {typed: "value"}


def test_nothing_is_none() -> None:
    assert read("a:\nb: ~\nc: ''").value == {"a": None, "b": None, "c": ""}


def test_every_value_and_key_has_its_place() -> None:
    marked = read("nodes:\n  main:\n    keys: {'1': sales}\n    list: [a, bb]\n")
    assert marked.place(("nodes", "main", "keys", "1")) == (3, 17)
    assert marked.place(("nodes", "main", "keys", "1"), key=True) == (3, 12)
    assert marked.place(("nodes", "main", "list", 1)) == (4, 15)


def test_what_is_missing_stands_at_its_parent() -> None:
    marked = read("nodes:\n  main: {type: play}\n")
    assert marked.place(("nodes", "main", "next")) == (2, 9)
    assert marked.place(("nodes", "main", "branch of a union", "type")) == (2, 16)


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        ("keys:\n  *: {repeat: true}", "2:3", 'quote it: "*"'),
        ("next: *main", "1:7", 'quotes: "*main"'),
        ("a:\n\tb: c", "2:1", "a tab stands here"),
        ("key: x\n\tb: y", "2:1", "a tab stands here"),
        ("type:play\nnext: main", "1:6", "a space is missing after 'type:'"),
        ('"1": sales\n"2":billing', "2:5", "a space is missing"),
        ('prompt: "Hola\nnext: main', "1:9", 'the quote " is never closed'),
        ("prompt: 'it's'", "1:13", "something follows the closing quote"),
        ('prompt: "{x}" y', "1:15", "something follows the closing quote"),
        ('a: {es: "Uno."} b', "1:17", "something follows the closing }: end the line there"),
        ("a: {b: c} d", "1:11", "something follows the closing }"),
        ("a: [1, 2] b", "1:11", "something follows the closing ]"),
        ('n:\n  a: {keys: {"1": b}}, next: c', "2:22", "something follows the closing }"),
        ('a: {es: "Uno., en: "One."}', "1:9", 'the quote " is never closed'),
        ('a: {es: "Uno.", en: "One.}', "1:21", 'the quote " is never closed'),
        ('m:\n    a: b\n   c: {es: "Uno.", en: x}', "3:4", "does not fit what is above it"),
        ("prompt: {{ name }}", "1:9", "must stand in quotes"),
        ("prompt: {{ name }} hello", "1:9", "must stand in quotes"),
        ("prompt: Atención: cerrado", "1:17", "a second colon"),
        ("a: [1, 2", "1:4", "the [ that begins here is not closed"),
        ("a: {b: c", "1:4", "the { that begins here is not closed"),
        ("a: %x", "1:4", "cannot begin with %"),
        ("a: @x", "1:4", "cannot begin with @"),
        ("a: - b", "1:4", "a list cannot begin on this line"),
        ("a: 1\n b: 2", "2:2", "a key cannot stand here"),
        ("a:\n  - x\n b: 3", "3:2", "does not fit what is above it"),
        ('a: "\\d"', "1:5", "a backslash"),
        ("--- a\n--- b", "2:1", "a second document"),
        ("a: !!python/object/apply:os.system [id]", "1:4", "the tag"),
        ("a: !secret x", "1:4", "the tag"),
        ("? [a]: b", "1:3", "a key must be a plain word"),
        ("", "f.yaml: ", "the file is empty"),
        ("a\x00b", "1:2", "U+0000"),
        ("a: \ud800", "1:4", "U+D800"),
    ],
)
def test_traps_are_explained_where_they_are(text: str, place: str, words: str) -> None:
    said = refused(text)
    assert words in said
    assert place in said


def test_a_file_in_another_encoding_is_named() -> None:
    assert "not UTF-8" in refused("a: Recepción".encode("latin-1"))
    marked = read("a: b\nc: Recepci\ufffdn")  # as `read_sources` gives it
    (problem,) = marked.problems
    assert str(problem).startswith("f.yaml:2:11: a character is not UTF-8: 'c: Recepci\ufffdn': save the file")


def test_a_byte_order_mark_does_not_matter() -> None:
    assert read(b"\xef\xbb\xbfa: b").value == {"a": "b"}


def test_a_key_given_twice_is_a_problem_beside_the_rest() -> None:
    marked = read("a: 1\nb: 2\na: 3")
    assert marked.value == {"a": "1", "b": "2"}
    assert [str(p) for p in marked.problems] == [
        "f.yaml:3:1: the key 'a' was given already in line 1: keep one of them"
    ]


def test_a_lost_hash_is_noticed() -> None:
    assert 'quote it: "#"' in str(read("terminator: #\nnext: a").problems[0])
    assert 'quote the key: "#":' in str(read("keys:\n  '1': a\n  #: b").problems[0])
    assert read("a: # a comment\n  b: c # another").problems == ()


def test_anchors_work_and_circles_do_not() -> None:
    assert read("a: &x [1]\nb: *x").value == {"a": ["1"], "b": ["1"]}
    assert "inside its own anchor" in refused("a: &x [*x]")
    assert "merge keys" in str(read("a: &x {b: c}\nd:\n  <<: *x").problems[0])


_BOMB = "a: &a [x,x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{new}: &{new} [{','.join(['*' + old] * 10)}]\n" for old, new in zip("abcdefghijk", "bcdefghijkl", strict=True)
)


@pytest.mark.parametrize(
    "text",
    [
        _BOMB,
        "a: " + "x" * 10_000_000,
        "[" * 900_000,
        "{" * 900_000,
        "- " * 450_000,
        "? " * 450_000,
        "[a," * 300_000,
        '["' * 400_000,
        "-\n" * 450_000,
        "a:\n " * 200_000,
        '"a": b\n' * 140_000,
        ("- " * 20 + "\n") * 20_000,
        "&a " * 300_000,
        "a: |\n" + " x\n" * 300_000,
    ],
    ids=lambda text: f"{text[:12]!r}, {len(text):,} characters",
)
def test_files_made_to_hurt_cost_little_more_than_the_largest_honest_one(text: str, honest_s: float) -> None:
    assert cpu_s(lambda: load_marked(text, "f.yaml")) < 30 * honest_s


@pytest.fixture(scope="module")
def honest_s() -> float:
    text = "".join(f"{index}: Buenas tardes\n" for index in range(24_900))
    return cpu_s(lambda: read(text))


def test_a_file_that_is_too_big_is_not_even_read() -> None:
    assert "the limit is 1,000,000" in refused("#" * (MOST_BYTES + 1))


@given(st.one_of(st.text(), st.binary(), st.text(alphabet="abc:-*&#!%@`'\"{}[]|>?,\n\t ~<")))
def test_no_text_makes_it_raise(text: str | bytes) -> None:
    found = load_marked(text, "f.yaml")
    assert isinstance(found, Marked) or found.errors


SEVERAL = """flow: x
start: a
nodes:
  a: {type: play, prompt: "Hola, next: b}
  b: {type: play, prompt: Adiós, next: c
  c:
    type: play
    prompt: {{ x }} y
  d: {type: hangup}
"""


def lines_of(text):
    found = load_marked(text, "a.yaml")
    return [problem.line for problem in found] if isinstance(found, Problems) else []


def test_every_mistake_that_is_certain_is_told_at_once():
    assert lines_of(SEVERAL) == [4, 5, 8]
    assert lines_of('flow: [x\nstart: "a\nnodes: {}\n') == [1, 2]


def test_what_is_only_wrong_because_of_a_mistake_before_is_not_told():
    """The quote of `a` ends where that of `b` begins, so the parser stops there; `c` is right all the same."""
    text = "nodes:\n" + "".join(
        f'  {name}:\n    type: play\n    prompt: "Hola{end}\n' for name, end in (("a", ""), ("b", '"'), ("c", '"'))
    )
    assert lines_of(text) == [4, 7]


def test_an_entry_that_is_right_by_itself_is_never_told():
    text = "head: [\nnodes:\n  a: {type: &x play, next: *x}\n  b:\n    - c: d\n  e: |\n    x: y: z\n"
    assert lines_of(text) == [1]


@given(st.text(alphabet="ab:- \n\t\"'{}[]|>&*#%!", max_size=120))
def test_whatever_is_written_no_line_is_told_twice(text):
    found = lines_of(text)
    assert len(found) == len(set(found)) <= 20
