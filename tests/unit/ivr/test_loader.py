"""Loading flows: everything or nothing, every problem of every file at once, in words and at its place."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from definitions.problems import Severity
from ivr.loader import Context, Loaded, load
from ivr.model import Flow, Release, fingerprint
from ivr.nodes import VERBS
from tests.effort import cpu_s

ROOT = Path(__file__).parents[3]
CONTEXT = Context(languages=("es", "en"), time_zone="Europe/Madrid", country="ES")
OFFICE = "hours: {mon-fri: 9:00-18:00}"
VIPS = "phone,name\n600123456,Ana\n"


def one(nodes: str, head: str = "", context: Context = CONTEXT, **files: str) -> Loaded:
    """A flow `f` that starts at `a`, with these nodes."""
    lines = "".join(f"  {line}\n" for line in nodes.strip().splitlines())
    text = f"flow: f\nstart: a\nlanguages: [es, en]\n{head}nodes:\n{lines}"
    others = {f"flows/{name}.yaml": text for name, text in files.items()}
    return load(
        {
            "flows/f.yaml": text,
            "config/calendars/office.yaml": OFFICE,
            "config/tables/vips.csv": VIPS,
            **others,
        },
        context,
    )


def said(loaded: Loaded) -> list[str]:
    return [str(problem) for problem in loaded.problems]


END = "z: {type: hangup}"


def test_the_shipped_flows_load_without_a_word() -> None:
    paths = [*ROOT.glob("flows/*.yaml"), *ROOT.glob("config/calendars/*.yaml"), *ROOT.glob("config/tables/*.csv")]
    sources = {path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8") for path in paths}
    loaded = load(sources, CONTEXT)
    assert said(loaded) == []
    assert loaded.release is not None
    assert {"reception", "after_hours", "collections"} <= {name for _, name in loaded.release.flows}
    for flow in loaded.release.flows.values():
        assert flow.static_speech()


def test_a_release_holds_flows_calendars_and_tables_of_every_tenant() -> None:
    text = "flow: f\nstart: a\nnodes: {a: {type: hangup}}"
    loaded = load(
        {
            "flows/f.yaml": text,
            "flows/f.test.yaml": "this: [is not ours",
            "flows/sounds/x.yaml": "neither: [",
            "README.md": "nor this",
            "tenants/acme/flows/f.yaml": text,
            "tenants/acme/config/calendars/office.yaml": OFFICE,
            "tenants/acme/config/tables/vips.csv": VIPS,
        },
        CONTEXT,
    )
    release = loaded.release
    assert release is not None, said(loaded)
    assert release.flows.keys() == {("main", "f"), ("acme", "f")}
    assert release.calendar("acme", "office") is not None
    assert release.calendar("main", "office") is None
    assert release.table("acme", "vips") is not None
    flow = release.flow("main", "f")
    assert isinstance(flow, Flow)
    assert flow.languages == ("es", "en"), "the site's"
    assert flow.lines == {"a": 3}


def test_the_id_of_a_release_is_that_of_its_texts_and_it_can_be_built_again() -> None:
    first, second = one(f"a: {{type: play, prompt: hola, next: z}}\n{END}"), one("a: {type: hangup}")
    assert first.release is not None
    assert second.release is not None
    assert first.release.id == fingerprint(first.release.sources) != second.release.id
    again = Release.from_sources(first.release.sources, CONTEXT)
    assert again.id == first.release.id
    assert again.flows == first.release.flows
    with pytest.raises(ValueError, match="the file is empty"):
        Release.from_sources({"flows/f.yaml": ""})


def test_nodes_inherit_the_defaults_and_may_say_otherwise() -> None:
    head = "defaults: {no_input: {retries: 5, then: z}, error: {then: z}}\n"
    loaded = one(
        f'a: {{type: menu, prompt: hola, keys: {{"1": b}}, no_input: {{retries: 1}}}}\nb: {{type: hangup}}\n{END}', head
    )
    assert loaded.release is not None, said(loaded)
    node = loaded.release.flows["main", "f"].nodes["a"]
    assert (node.no_input.retries, node.no_input.then, node.error.then) == (1, "z", "z")  # type: ignore[attr-defined, union-attr]


def test_everything_wrong_with_every_file_at_once() -> None:
    broken = """flow: f
languages: [es, en]
start: welcom
variables: {company: Acme}
defaults:
  no_match: {prompt: {es: "No existe."}, then: operatr}
nodes:
  welcome:
    type: play
    prompt: {es: "Bienvenido a {{ compny }}.", en: "Welcome."}
    nxt: open
    next: open
  open: {type: hours, calendar: ofice, open: main, closed: closed, holidy: closed}
  closed: {type: hangup, prompt: {sound: closd}}
  main:
    type: menu
    prompt: {es: "Para ventas marque 1"}
    keys: {"1": sales, x: sales}
  sales: {type: queue, queue: sale, next: closed}
  operator: {type: transfer, to: "device:1001", next: closed}
  vip: {type: lookup, table: vips, column: phon, value: "{{ caller }}", found: open, not_found: closed}
  m: {type: menuu}
  n: {}
  o: text
"""
    loaded = load(
        {
            "flows/f.yaml": broken,
            "flows/g.yaml": "flow: g\nstart: a\n\tnodes: {}",
            "config/calendars/office.yaml": OFFICE,
            "config/tables/vips.csv": VIPS,
            "config/tables/bad.csv": "a,b\n1\n",
        },
        Context(
            languages=("es", "en"),
            time_zone="UTC",
            queues=frozenset({("main", "sales")}),
            devices=frozenset({("main", "1002"), ("other", "1001")}),
            sounds={"es": frozenset({"closed"}), "en": frozenset()},
        ),
    )
    assert loaded.release is None
    assert said(loaded) == [
        "config/tables/bad.csv:2:1: this line has 1 values, the header has 2: "
        'put values with a comma in double quotes: "García, Ana"',
        "flows/f.yaml:3:8: there is no node 'welcom' to start at: did you mean 'welcome'?",
        "flows/f.yaml:6:22: this prompt says nothing in 'en': the flow speaks es, en: add a text for en",
        "flows/f.yaml:6:48: there is no node 'operatr': did you mean 'operator'?",
        "flows/f.yaml:10:13: no node sets the variable 'compny': did you mean 'company'?",
        "flows/f.yaml:11:5: unknown key 'nxt': did you mean 'next'?",
        "flows/f.yaml:13:33: there is no calendar 'ofice': did you mean 'office'?",
        "flows/f.yaml:13:68: unknown key 'holidy': did you mean 'holiday'?",
        "flows/f.yaml:14:34: there is no sound 'closd' in 'en': put it at flows/sounds/en/closd.wav",
        "flows/f.yaml:14:34: there is no sound 'closd' in 'es': "
        "did you mean 'closed'? (or record flows/sounds/es/closd.wav)",
        "flows/f.yaml:17:13: this prompt says nothing in 'en': the flow speaks es, en: add a text for en",
        "flows/f.yaml:18:27: 'x' is no key of a phone: use 0-9, * or #, at most eight of them",
        "flows/f.yaml:19:31: there is no queue 'sale': did you mean 'sales'?",
        "flows/f.yaml:20:34: there is no device '1001': did you mean '1002'?",
        "flows/f.yaml:21:44: the table 'vips' has no column 'phon': did you mean 'phone'?",
        "flows/f.yaml:22:13: 'menuu' is no type of node: did you mean 'menu'?",
        f"flows/f.yaml:23:3: the node 'n' has no type: add `type: …`; there are {', '.join(VERBS)}",
        "flows/f.yaml:24:6: the node 'o' is not a map: write at least its type: {type: play, …}",
        "flows/g.yaml:3:1: a tab stands here: YAML indents with spaces only: replace the tab with spaces",
    ]


@pytest.mark.parametrize(
    ("nodes", "words"),
    [
        ("a: {type: play, prompt: hola, next: b}", "5:39: there is no node 'b': nodes: a"),
        (f"a: {{type: play, prompt: hola, next: z}}\n{END}\ny: {{type: hangup}}", "nothing leads to the node 'y'"),
        ("a: {type: play, prompt: hola, error: {then: q}, next: a}", "there is no node 'q'"),
        ('a: {type: menu, prompt: hola, keys: {"1": b}}', "there is no node 'b'"),
        ("a: {type: play, prompt: {es: hola}, next: z}\n" + END, "says nothing in 'en'"),
        ("a: {type: play, prompt: {play: x, recording_notice: yes}, next: z}\n" + END, "wants a recording notice"),
        ("a: {type: language, language: fr, next: z}\n" + END, "the flow does not speak 'fr'"),
        ("a: {type: play, prompt: '{{ x }}', next: z}\n" + END, "no node sets the variable 'x'"),
        ("a: {type: set, values: {x: '{{ y + 1 }}'}, next: z}\n" + END, "no node sets the variable 'y'"),
        ("a: {type: branch, branches: [{when: 'y > 1', next: z}], else: z}\n" + END, "the variable 'y'"),
        ("a: {type: subflow, flow: g, next: z}\n" + END, "there is no flow 'g'"),
        ("a: {type: lookup, table: vip, column: x, value: y, found: z, not_found: z}\n" + END, "mean 'vips'"),
        ("a: {type: branch, branches: [{when: 'caller', next: a}], else: a}", "no time passes: a → a"),
        ("a: {type: set, values: {x: '1'}, next: b}\nb: {type: set, values: {x: '2'}, next: a}", "a → b → a"),
        ("a: {type: play, prompt: x, next: b}\nb: {type: wait, seconds: 1, next: a}", "can do nothing"),
        ("a: {type: play, prompt: '{{ 9**9**9 }}', next: z}\n" + END, "`**` is not allowed"),
        ("a: {type: collect, prompt: x, digits: 4, into: x, validate: [{kind: regex, pattern: '(a'}], next: z}\n" + END,
         "regular expression"),
        ("a: {type: collect, prompt: x, digits: 4, into: x, validate: [{kind: range, min: 31, max: 1}], next: z}\n"
         + END, "no number is at least 31 and at most 1"),
        ("a: {type: play, prompt: x, next: z, next: y}\n" + END, "the key 'next' was given already"),
        ("a: {type: collect, prompt: x, digits: 4, into: x, terminator: #}\n" + END, "not closed properly"),
        ("a: {type: queue, queue: sales, priority: 1001, next: z}\n" + END, "out of range: write at most 1000"),
        ("Bad Name: {type: hangup}", "'Bad Name' cannot be a name"),
    ],
)  # fmt: skip
def test_what_a_flow_may_get_wrong(nodes: str, words: str) -> None:
    loaded = one(nodes)
    assert words in "\n".join(said(loaded))
    assert (loaded.release is None) is bool(loaded.problems.errors)


@pytest.mark.parametrize(
    "nodes",
    [
        "a: {type: play, prompt: x, next: a, error: {then: a}}\n".replace("next: a", "next: z") + END,
        'a: {type: menu, prompt: x, keys: {"1": a, "2": z}}\n' + END,
        "a: {type: set, values: {x: '1'}, next: b}\nb: {type: menu, prompt: '{{ x }}', keys: {'1': a}}",
        "a: {type: collect, prompt: x, digits: 4, into: d, confirm: {prompt: '{{ value }}'}, next: z}\n" + END,
        "a: {type: play, prompt: '{{ caller }} {{ called }} {{ language }} {{ today }}', next: z}\n" + END,
        "a: {type: lookup, table: vips, column: phone, value: x, into: {n: name}, found: b, not_found: z}\n"
        "b: {type: play, prompt: '{{ n }}', next: z}\n" + END,
        "a: {type: queue, queue: any, next: a}",
    ],
)
def test_what_is_right_is_left_alone(nodes: str) -> None:
    loaded = one(nodes)
    assert said(loaded) == []
    assert loaded.release is not None


INHERITED = "defaults: {no_input: {prompt: x, then: a}}\n"


@pytest.mark.parametrize(
    ("head", "nodes", "words"),
    [
        (
            INHERITED,
            "a: {type: record, mailbox: m, next: z}\n" + END,
            "flows/f.yaml:6:3: warning: a caller who says nothing never leaves this loop: a → a: its `no_input` comes "
            "from `defaults`: let `no_input: {then: …}` of a lead to a node that ends the call",
        ),
        (
            "",
            "a: {type: menu, prompt: x, keys: {'1': z}, no_input: {retries: 1, then: a}}\n" + END,
            "flows/f.yaml:5:75: warning: a caller who says nothing never leaves this loop: a → a: let `no_input",
        ),
        (
            "",
            "a: {type: collect, prompt: x, digits: 4, into: d, next: z, no_input: {then: b}}\n"
            "b: {type: play, prompt: x, next: c}\n"
            "c: {type: menu, prompt: x, keys: {'1': z}, no_input: {then: a}}\n" + END,
            "a caller who says nothing never leaves this loop: a → b → c → a",
        ),
    ],
)
def test_a_loop_that_a_silent_caller_never_leaves_is_worth_a_warning(head: str, nodes: str, words: str) -> None:
    loaded = one(nodes, head)
    assert words in "\n".join(said(loaded))
    assert loaded.release is not None


@pytest.mark.parametrize(
    "nodes",
    [
        "a: {type: record, mailbox: m, next: z, no_input: {then: z}}\n" + END,
        "a: {type: record, mailbox: m, next: z, labels_alone: yes, labels: {about: x}}\n" + END,
        "a: {type: menu, prompt: x, keys: {'1': z}, no_input: {retries: 3, then: z}}\n" + END,
        "a: {type: menu, prompt: x, keys: {'1': z}, no_input: {then: b}}\n"
        'b: {type: branch, branches: [{when: "x == 1", next: z}], else: a}\n' + END,
        "a: {type: menu, prompt: x, keys: {'1': z}, no_input: {then: b}}\nb: {type: queue, queue: any, next: a}\n"
        + END,
    ],
)
def test_a_silent_caller_who_is_led_out_is_left_alone(nodes: str) -> None:
    loaded = one(nodes, INHERITED + "variables: {x: '1'}\n")
    assert said(loaded) == []


def test_a_variable_that_may_be_missing_is_only_worth_a_warning() -> None:
    loaded = one("a: {type: play, prompt: \"{{ nick | default('cliente') }}\", next: z}\n" + END)
    assert loaded.release is not None
    (warning,) = loaded.problems
    assert warning.severity is Severity.WARNING
    assert "warning: no node sets the variable 'nick'" in str(warning)


def test_a_subflow_may_use_what_its_callers_give_it() -> None:
    nodes = "  a: {type: play, prompt: '{{ who }}', next: b}\n  b: {type: return}\n"
    g = f"flow: g\nlanguages: [es, en]\nstart: a\nnodes:\n{nodes}"
    given = one("a: {type: subflow, flow: g, with: {who: Ana}, next: z}\n" + END, g=g)
    assert said(given) == []
    missing = one("a: {type: subflow, flow: g, next: z}\n" + END, g=g)
    assert "flows/g.yaml:5:27: no node sets the variable 'who'" in said(missing)[0]


def test_subflows_in_a_circle_are_named_in_each_file() -> None:
    g = "flow: g\nstart: a\nnodes:\n  a: {type: subflow, flow: f, next: b}\n  b: {type: return}\n"
    found = said(one("a: {type: subflow, flow: g, next: z}\n" + END, g=g))
    assert any(text.startswith("flows/f.yaml:5:28: subflows in a circle: f → g → f") for text in found)
    assert any(text.startswith("flows/g.yaml:4:28: subflows in a circle: g → f → g") for text in found)


def test_a_loop_through_a_subflow_that_comes_back_at_once_is_endless() -> None:
    quick = "flow: g\nstart: a\nnodes: {a: {type: return}}\n"
    slow = "flow: g\nstart: a\nnodes:\n  a: {type: play, prompt: hola, next: b}\n  b: {type: return, branch: x}\n"
    assert "no time passes: a → a" in said(one("a: {type: subflow, flow: g, next: a}", g=quick))[0]
    assert said(one("a: {type: subflow, flow: g, next: a, on: {x: z}}\n" + END, g=slow)) == []


def test_what_a_subflow_and_its_caller_do_not_agree_on_is_warned_of() -> None:
    g = "flow: g\nstart: a\nvariables: {who: ''}\nnodes:\n  a: {type: return, branch: known, values: {document: x}}\n"
    call = "a: {type: subflow, flow: g, with: {whom: Ana}, into: {id: documnt}, on: {knwon: z}, next: z}\n" + END
    assert said(one(call, g=g)) == [
        "flows/f.yaml:5:38: warning: the flow 'g' never reads 'whom': did you mean 'who'?",
        "flows/f.yaml:5:61: warning: no `return` of 'g' gives 'documnt': did you mean 'document'?",
        "flows/f.yaml:5:76: warning: no `return` of 'g' has the branch 'knwon': did you mean 'known'?",
    ]
    right = "a: {type: subflow, flow: g, with: {who: Ana}, into: {id: document}, on: {known: z}, next: z}\n" + END
    assert said(one(right, g=g)) == []
    assert len(said(one(call, g=g + "  b: {type: retrun}\n"))) == 1  # what is wrong there may have been meant here


def test_a_file_is_named_after_its_flow() -> None:
    found = said(load({"flows/reception.yaml": "flow: recepcion\nstart: a\nnodes: {a: {type: hangup}}"}))
    assert found == [
        "flows/reception.yaml:1:7: the file is called reception and its flow 'recepcion': "
        "write `flow: reception`, or rename the file to recepcion.yaml"
    ]


def test_broken_files_do_not_make_others_look_broken() -> None:
    found = said(one("a: {type: subflow, flow: g, next: z}\n" + END, g="flow: g\nnodes: ["))
    assert all(text.startswith("flows/g.yaml") for text in found)
    hours = "a: {type: hours, calendar: office, open: z, closed: z}\n" + END
    sources = {"flows/f.yaml": f"flow: f\nstart: a\nnodes:\n  {hours.replace(chr(10), chr(10) + '  ')}"}
    found = said(load({**sources, "config/calendars/office.yaml": "hours: ["}, CONTEXT))
    assert all(text.startswith("config/calendars/office.yaml") for text in found)


def test_texts_of_constants_are_known_at_load_and_others_are_not() -> None:
    loaded = one(
        "a: {type: play, prompt: 'Hola, {{ company }}', next: b}\n"
        "b: {type: set, values: {count: '2'}, next: c}\n"
        "c: {type: play, prompt: 'Van {{ count }}', next: z}\n" + END,
        "variables: {company: Acme, count: 1}\n",
    )
    assert loaded.release is not None, said(loaded)
    flow = loaded.release.flows["main", "f"]
    assert flow.constants == {"company": "Acme"}
    assert {speech.text for speech in flow.static_speech()} == {"Hola, Acme"}


# -- made to hurt -------------------------------------------------------------------------------------
BOMB = "a: &a [x,x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{new}: &{new} [{','.join(['*' + old] * 10)}]\n" for old, new in zip("abcdefghijk", "bcdefghijkl", strict=True)
)


@pytest.mark.parametrize(
    "text",
    [
        "flow: f\nstart: a\nnodes:\n" + "  a: {type: hangup}\n" * 500_000,
        BOMB,
        "flow: f\nstart: a\nnodes:\n" + "".join(f"  n{i}: {{type: hangup}}\n" for i in range(9_000)),
        "flow: f\nstart: a\nnodes:\n" + "".join(f"  n{i}: x\n" for i in range(20_000)),
        "flow: f\nstart: a\nnodes:\n  a: {type: play, next: a, prompt: ["
        + ", ".join(["'{{ (((((((((1))))))))) }}'"] * 10_000)
        + "]}\n",
        "flow: f\nstart: a\nnodes:\n  a: {type: play, next: a, prompt: '{{ " + "9**" * 100_000 + "9 }}'}\n",
        "flow: f\nstart: a\nnodes: " + "{a: " * 100_000,
    ],
    ids=["10 MB", "alias bomb", "9,000 nodes", "20,000 wrong nodes", "10,000 parts", "powers", "nesting"],
)
def test_files_made_to_hurt_are_refused_and_cost_little_more_than_the_largest_honest_one(
    text: str, honest_s: float
) -> None:
    loaded = []
    assert cpu_s(lambda: loaded.append(load({"flows/f.yaml": text}, CONTEXT))) < 20 * honest_s
    assert loaded[0].release is None
    assert loaded[0].problems.errors


@pytest.fixture(scope="module")
def honest_s() -> float:
    sources = {"flows/f0.yaml": a_flow(0, 500)}
    assert load(sources, CONTEXT).release is not None
    return cpu_s(lambda: load(sources, CONTEXT))


def a_flow(number: int, nodes: int) -> str:
    lines = [
        f"flow: f{number}\nlanguages: [es, en]\nstart: n0\nvariables: {{a: 0, company: Acme}}\n"
        "defaults: {no_input: {retries: 2, prompt: {es: Nada, en: Nothing}, then: end}}\nnodes:\n"
    ]
    for index in range(nodes - 1):
        after = f"n{index + 1}" if index + 2 < nodes else "end"
        match index % 3:
            case 0:
                lines.append(
                    f"  n{index}:\n    type: menu\n    prompt: {{es: 'Nodo {number} {index} de {{{{ company }}}}', "
                    f"en: 'Node {{{{ a | number }}}} {index}'}}\n"
                    f"    keys: {{'1': {after}, '2': n{index * 7 % (nodes - 1)}, '*': {{repeat: yes}}}}\n"
                )
            case 1:
                lines.append(f"  n{index}: {{type: play, prompt: {{es: 'Hola {index}', en: Hi}}, next: {after}}}\n")
            case _:
                lines.append(
                    f"  n{index}: {{type: branch, branches: [{{when: 'a >= {index}', next: {after}}}], else: end}}\n"
                )
    return "".join([*lines, "  end: {type: hangup}\n"])


def test_a_hundred_flows_of_fifty_nodes_load() -> None:
    sources = {f"flows/f{number}.yaml": a_flow(number, 50) for number in range(100)}
    loaded = load(sources, CONTEXT)
    assert loaded.release is not None, said(loaded)[:3]
    assert sum(len(flow.nodes) for flow in loaded.release.flows.values()) == 5_000


_ROOT_KEYS = ["flow", "start", "languages", "title", "variables", "defaults", "nodes", "recording_notice", "nope"]
_WORDS = st.sampled_from(
    [
        *VERBS,
        "a",
        "b",
        "es",
        "en",
        "1",
        "*",
        "#",
        "yes",
        "no",
        "{{ x }}",
        "{{ x | money }}",
        "x > 1",
        "office",
        "7-9",
        "",
    ]
)
_KEYS = st.sampled_from(
    sorted(
        {key for verb in VERBS.values() for key in verb.model.model_fields} | {"then", "when", "es", "en", "1", "play"}
    )
)
_VALUES = st.recursive(
    _WORDS | st.none() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_KEYS, inner, max_size=4),
    max_leaves=12,
)
_NODES = st.dictionaries(
    st.sampled_from("abcd"),
    st.builds(
        lambda type_, rest: {**rest, "type": type_},
        st.sampled_from([*VERBS]),
        st.dictionaries(_KEYS, _VALUES, max_size=6),
    ),
    max_size=4,
)
_FILES = st.builds(
    lambda head, nodes: {"flow": "f", "start": "a", **head, "nodes": nodes},
    st.dictionaries(st.sampled_from(_ROOT_KEYS), _VALUES, max_size=3),
    _NODES | _VALUES,
)


def released_or_explained(text: str) -> None:
    loaded = load({"flows/f.yaml": text, "config/calendars/office.yaml": text, "config/tables/t.csv": text}, CONTEXT)
    assert (loaded.release is None) == bool(loaded.problems.errors)
    assert all(problem.what and "\n" not in str(problem) for problem in loaded.problems)


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(_FILES)
def test_no_flow_however_wrong_raises(flow: object) -> None:
    import yaml

    released_or_explained(yaml.safe_dump(flow, allow_unicode=True))


@settings(deadline=None)
@given(st.text() | st.text(alphabet="abc:-*&#!%@`'\"{}[]|>?,\n\t ~<"))
def test_no_text_raises(text: str) -> None:
    released_or_explained(text)


@settings(deadline=None, max_examples=60)
@given(st.data())
def test_no_slip_of_the_finger_raises(data: st.DataObject) -> None:
    text = (ROOT / "flows/collections.yaml").read_text(encoding="utf-8")
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(text) - 1))
        text = (
            text[:at]
            + data.draw(st.text(alphabet="{}[]:,'\"\t\n #*&%ax0", max_size=2))
            + text[at + data.draw(st.integers(0, 3)) :]
        )
    loaded = load({"flows/collections.yaml": text}, CONTEXT)
    assert (loaded.release is None) == bool(loaded.problems.errors)


@pytest.mark.parametrize("broken", ["languages: 5", "variables: {Bad Name: 1}", "colour: red", "flow: []"])
def test_what_is_wrong_with_the_head_hides_nothing_of_the_nodes(broken: str) -> None:
    key = broken.partition(":")[0]
    head = {"flow": "flow: f", "languages": "languages: [es, en]", "start": "start: a", key: broken}
    nodes = "nodes:\n  a: {type: queue, queue: q, next: y}\n  z: {type: play, prompt: {es: a, en: b}, next: nowhere}\n"
    found = said(load({"flows/f.yaml": "\n".join([*head.values(), nodes])}, CONTEXT))
    wanted = ["there is no node 'y'", "there is no node 'nowhere'", "nothing leads to the node 'z'"]
    assert [words for words in wanted if words not in "\n".join(found)] == []
    assert len(found) == 4


@pytest.mark.parametrize(
    ("node", "also"),
    [
        ('a: {type: menu, prompt: {es: x}, keys: {"1": nowhere}, no_input: {retries: many}}', "says nothing in 'en'"),
        ('a: {type: menu, prompt: "{{ who }}", keys: {"1": nowhere}, no_match: {retry: 1}}', "the variable 'who'"),
        ("a: {type: queue, queue: halp, priority: high, next: nowhere}", "there is no queue 'halp'"),
        ("a: {type: subflow, flow: g, with: [], next: nowhere}", "there is no flow 'g'"),
    ],
)
def test_what_is_wrong_with_a_node_hides_nothing_of_its_other_parts(node: str, also: str) -> None:
    found = said(one(node, context=Context(languages=("es", "en"), queues=frozenset({("main", "help")}))))
    assert any("there is no node 'nowhere'" in line for line in found), found
    assert any(also in line for line in found), found


@pytest.mark.parametrize(
    "flow",
    [
        "start: a\nvariables: [who]\nnodes:\n  a: {type: play, prompt: '{{ who }}', next: z}\n  " + END,
        "start: a\nvariables: {who: []}\nnodes:\n  a: {type: play, prompt: '{{ who }}', next: z}\n  " + END,
        "start: []\nnodes:\n  a: {type: play, prompt: x, next: z}\n  " + END,
        "languages: [Spanish, es]\nstart: a\nnodes:\n  a: {type: play, prompt: {es: x}, next: z}\n  " + END,
        "recording_notice: 5:\nstart: a\nnodes:\n  a: {type: hangup, prompt: {play: x, recording_notice: yes}}",
        "start: a\nnodes:\n  a: {type: play, prompt: x, nxt: z}\n  " + END,
        "start: a\nnodes:\n  a: {type: play, prompt: x, next: b}\n  b: {type: wait, seconds: soon, next: a}",
        "start: a\nnodes:\n  a: {type: collect, prompt: x, digits: some, into: pin, next: b}\n"
        "  b: {type: hangup, prompt: '{{ pin }}'}",
        "start: a\nnodes:\n  a: {type: set, values: {x: [], y: 1}, next: b}\n  b: {type: hangup, prompt: '{{ x }}'}",
        "start: a\nnodes:\n  a: {type: hangup}\n  a: {type: hangup}",
    ],
)
def test_what_is_wrong_is_said_once_and_nothing_follows_from_it(flow: str) -> None:
    found = said(load({"flows/f.yaml": f"flow: f\n{flow}\n"}, CONTEXT))
    assert len(found) == 1


def test_a_variable_in_single_braces_is_noticed() -> None:
    nodes = (
        "a: {type: play, prompt: {es: 'Hola {caller}.', en: 'Hello {{ caller }}.'}, next: b}\n"
        "b: {type: tag, tags: ['{other}'], next: z}\n"
    )
    loaded = one(nodes + END)
    assert loaded.release is not None
    (warning,) = [str(problem) for problem in loaded.problems]
    assert warning.endswith("warning: '{caller}' is taken literally: for the variable write {{ caller }}")


def test_rows_that_are_never_found_are_noticed() -> None:
    sources = {
        "config/tables/vips.csv": "phone,name\n600 123 456,Ana\n,Eva\n600123456,Luis\n600-123-456,Ivo\n,Leo\n",
        "flows/f.yaml": "flow: f\nlanguages: [es]\nstart: a\nnodes:\n"
        "  a: {type: lookup, table: vips, column: phone, value: '{{ caller }}', found: z, not_found: z}\n"
        "  z: {type: hangup}\n",
    }
    (warning,) = load(sources).problems
    assert warning.severity is Severity.WARNING
    assert "line 4 of the table 'vips' has the same 'phone' as line 2, and 1 more" in str(warning)
