"""Definitions: strict, and every error says what is wrong, where and what to do."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field, TypeAdapter, ValidationError, model_validator

from definitions.faults import Faults, did_you_mean, fault
from definitions.models import (
    Count,
    Definition,
    Digits,
    Flag,
    LanguageTag,
    Name,
    PhoneNumber,
    Salvaged,
    Seconds,
    TenantName,
    Text,
    TimeOfDay,
    Variable,
    Weekdays,
    load,
    salvage,
)
from definitions.problems import Problem, Problems, Severity
from definitions.yaml import Marked, load_marked
from tests.effort import cpu_s


class Server(Definition):
    host: Name
    port: Count = 5060
    kind: Literal["udp", "tcp", "tls"] = "udp"


class Card(Definition):
    type: Literal["card"]
    number: Digits


class Cash(Definition):
    type: Literal["cash"]
    amount: Count


class Trunk(Definition):
    servers: tuple[Server, ...] = Field(min_length=1)
    wait_s: Seconds = 1.0
    active: Flag = True
    pay: Annotated[Card | Cash, Field(discriminator="type")] | None = None
    labels: dict[Variable, str] = Field(default_factory=dict)


def problems(text: str, model: type[Definition] = Trunk) -> list[str]:
    found = load(model, text, "t.yaml")
    assert isinstance(found, Problems), repr(found)
    return [str(problem) for problem in found]


def test_a_right_definition_is_a_frozen_value() -> None:
    trunk = load(Trunk, "servers: [{host: no, port: 5061}]\nactive: sí\nlabels: {a: 012}\n", "t.yaml")
    assert isinstance(trunk, Trunk)
    assert (trunk.servers[0].host, trunk.servers[0].port, trunk.active, trunk.labels) == (
        "no",
        5061,
        True,
        {"a": "012"},
    )
    with pytest.raises(ValidationError):
        trunk.active = False  # type: ignore[misc]


def test_every_problem_at_once_each_at_its_place() -> None:
    text = """servers:
  - {host: a, prt: 3, kind: upd}
  - {port: x}
wait_s: 5s
active: maybe
pay: {type: crad, number: "1"}
labels: {Bad Name: x}
"""
    assert problems(text) == [
        "t.yaml:2:15: unknown key 'prt': did you mean 'port'?",
        "t.yaml:2:29: 'upd' is not one of the choices: did you mean 'udp'?",
        "t.yaml:3:5: the key 'host' is missing: add `host: …`",
        "t.yaml:3:12: 'x' is not a whole number: write 0, 1, 2 …",
        "t.yaml:4:9: '5s' is not a number of seconds: the unit is in the key's name: write 5",
        "t.yaml:5:9: 'maybe' is neither yes nor no: write yes or no",
        "t.yaml:6:6: type 'crad' is unknown: did you mean 'card'?",
        "t.yaml:7:10: 'Bad Name' cannot be a variable: use a-z, 0-9 and _, a letter first, at most 40 characters",
    ]


def test_errors_inside_a_union_stand_at_their_own_place() -> None:
    assert problems("servers: [{host: a}]\npay: {type: card, number: x}")[0].startswith("t.yaml:2:27: 'x' are not keys")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[]", "a list stands where a map belongs: write keys: servers, wait_s"),
        ("servers: x", "the text 'x' stands where a list belongs"),
        ("servers: []", "empty or too short"),
        ("servers: [x]", "the text 'x' stands where a map belongs: write keys: host, port, kind"),
        ("servers: [{host: a}]\nwait_s:", "a value is missing here"),
        ("servers: [{host: a}]\nwait_s: {a: b}", "a map stands where a number of seconds belongs"),
        ("servers: [{host: a, kind: }]", "a value is missing here: choices: tcp, tls, udp"),
        ("servers: [{host: a}]\nservers: [{host: b}]", "was given already in line 1"),
    ],
)
def test_wrong_shapes_are_said_in_words(text: str, words: str) -> None:
    assert words in "\n".join(problems(text))


@pytest.mark.parametrize(
    ("type_", "typed", "value"),
    [
        (Seconds, "0.5", 0.5),
        (Count, "007", 7),
        (Flag, "Sí", True),
        (Flag, "off", False),
        (Digits, "*9#", "*9#"),
        (PhoneNumber, "+34 911 23-45.67", "+34911234567"),
        (PhoneNumber, "0034911234567", "+34911234567"),
        (PhoneNumber, "0810", "0810"),
        (TimeOfDay, "9:30", 570),
        (TimeOfDay, "24:00", 1440),
        (Weekdays, "lun-vie", (0, 1, 2, 3, 4)),
        (Weekdays, "fri-mon", (0, 4, 5, 6)),
        (Weekdays, ["sat", "domingo"], (5, 6)),
        (LanguageTag, "es_ar", "es-AR"),
        (LanguageTag, "ES-419", "es-419"),
        (Name, "no", "no"),
        (TenantName, "acme_2", "acme_2"),
    ],
)
def test_what_may_be_written(type_: Any, typed: object, value: object) -> None:
    assert TypeAdapter(type_).validate_python(typed) == value


@pytest.mark.parametrize(
    ("type_", "typed"),
    [
        (Seconds, "0,5"),
        (Seconds, "-1"),
        (Seconds, "86401"),
        (Seconds, "nan"),
        (Count, "1.5"),
        (Count, "٣"),
        (Flag, "2"),
        (Digits, "1 2"),
        (PhoneNumber, "call me"),
        (TimeOfDay, "24:01"),
        (TimeOfDay, "9:60"),
        (Weekdays, "mon-fry"),
        (LanguageTag, "spanish"),
        (Name, "Main"),
        (Name, "a.b"),
        (TenantName, "a-b"),
        (Variable, "1a"),
    ],
)
def test_what_may_not(type_: Any, typed: object) -> None:
    with pytest.raises(ValidationError) as error:
        TypeAdapter(type_).validate_python(typed)
    assert error.value.errors()[0]["type"] == "fault"


_ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@given(_ANY)
def test_no_value_makes_a_field_raise_anything_else(value: object) -> None:
    for type_ in (Seconds, Count, Flag, Digits, PhoneNumber, TimeOfDay, Weekdays, LanguageTag, Name, TenantName):
        try:
            TypeAdapter(type_).validate_python(value)
        except ValidationError:
            continue


def test_faults_are_raised_together_at_their_paths() -> None:
    faults = Faults()
    faults.raise_any()
    faults.add(("play", 2), "bad {braces}", "mend it")
    faults.add_error(("x",), fault("worse"))
    with pytest.raises(ValidationError) as error:
        faults.raise_any()
    assert [detail["loc"] for detail in error.value.errors()] == [("play", 2), ("x",)]


def test_did_you_mean_or_what_there_is() -> None:
    assert did_you_mean("promt", ["prompt", "next"]) == "did you mean 'prompt'?"
    assert did_you_mean("zzz", ["prompt", "next"]) == "known: next, prompt"
    assert did_you_mean("zzz", [], what="queues") == "there are no queues"


def test_problems_are_sorted_once_each_and_know_what_weighs() -> None:
    warning = Problem("a.yaml", 9, 1, "odd", severity=Severity.WARNING)
    error = Problem("a.yaml", 2, 3, "wrong", "mend it")
    whole = Problem("b.yaml", 0, 0, "too big")
    found = Problems([whole, warning, error, error])
    assert str(found) == "a.yaml:2:3: wrong: mend it\na.yaml:9:1: warning: odd\nb.yaml: too big"
    assert (len(found), found.errors, found.warnings) == (3, (error, whole), (warning,))


class Line(Definition):
    name: Name
    ports: tuple[Server, ...] = ()
    lines: Count = 0
    tags: dict[Variable, Text] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _enough(self) -> Line:
        if self.lines < len(self.ports):
            raise fault("more ports than lines", "raise `lines`")
        return self


def rescued(text: str, model: type[Definition] = Line, **stand_ins: str) -> Salvaged[Any]:
    marked = load_marked(text, "t.yaml")
    assert isinstance(marked, Marked)
    return salvage(model, marked, stand_ins=stand_ins)


def test_what_is_right_of_a_wrong_file_can_be_looked_at() -> None:
    found = rescued(
        "nam: x\nlines: many\nports: [{host: a}, {hots: b}, {host: c, port: x}]\ntags: {a: [], b: B}\n", name="t"
    )
    assert [f"{problem.line}: {problem.what}" for problem in found.problems] == [
        "1: unknown key 'nam'",
        "2: 'many' is not a whole number",
        "3: unknown key 'hots'",
        "3: 'x' is not a whole number",
        "4: a list stands where a text belongs",
    ]
    assert found.value is not None
    assert (found.value.name, found.value.lines, found.value.tags) == ("t", 0, {"b": "B"})
    assert [(port.host, port.port) for port in found.value.ports] == [("a", 5060), ("c", 5060)]
    assert found.marked.place(("ports", 1, "host")) == (3, 38), "where it stands in the file"
    lost = [("nam",), ("lines",), ("ports",), ("ports", 1, "port"), ("tags",), ("tags", "a"), ("tags", "a", 0)]
    assert [path for path in lost if not found.marked.is_lost(path)] == []
    assert [path for path in [(), ("ports", 0), ("tags", "b")] if found.marked.is_lost(path)] == []
    assert found.marked.lost("tags") == {"a"}
    assert not found.marked.is_whole


def test_a_part_that_cannot_do_without_what_is_wrong_is_left_out_with_it() -> None:
    found = rescued("name: t\nlines: 2\nports: [{host: []}, {host: b}]\n")
    assert found.value is not None
    assert [port.host for port in found.value.ports] == ["b"]
    assert rescued("lines: 2\n").value is None, "nothing stands in for its name"
    assert rescued("[1, 2]\n").value is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("name: t\nports: [{host: a}]\n", ["more ports than lines"]),
        ("name: t\ncolour: red\nports: [{host: a}]\n", ["more ports than lines", "unknown key 'colour'"]),
        ("name: t\nlines: x\nports: [{host: a}]\n", ["'x' is not a whole number"]),
    ],
)
def test_between_fields_only_what_does_not_come_from_another_fault_is_said(text: str, said: list[str]) -> None:
    found = rescued(text)
    assert [problem.what for problem in found.problems] == said
    assert found.value is not None
    assert len(found.value.ports) == 1


def test_a_key_given_twice_is_a_problem_and_no_loss() -> None:
    found = rescued("name: t\nname: u\n")
    assert found.value == Line(name="t")
    assert "was given already" in str(found.problems)


def test_a_file_in_which_everything_is_wrong_costs_not_much_more_than_saying_so() -> None:
    def text(tags: int) -> str:
        return "name: t\ntags:\n" + "".join(f"  a{n}: []\n" for n in range(tags))

    found = rescued(text(20_000))
    assert found.value == Line(name="t")
    assert len(found.problems) == 20_000
    assert cpu_s(lambda: rescued(text(20_000))) < 40 * cpu_s(lambda: rescued(text(2_000)))
