"""Templates: what they may say, what they refuse, and that nothing in them can hurt."""

from __future__ import annotations

import pickle
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from ivr.templates import Expression, Template, TemplateFailed, TemplateRefused
from tests.effort import cpu_s


def render(source: str, language: str = "es", **variables: object) -> str:
    return Template(source).render(variables, language)


def evaluate(source: str, **variables: object) -> object:
    return Expression(source).evaluate(variables, "es")


def test_a_text_without_braces_is_itself() -> None:
    template = Template("Hola a todos: 100 %")
    assert template.is_static
    assert template.render({}, "es") == "Hola a todos: 100 %"


@pytest.mark.parametrize(
    ("source", "variables", "said"),
    [
        ("Debe {{ balance | money }}.", {"balance": "120.50"}, "Debe ciento veinte euros con cincuenta céntimos."),
        ("{{ balance | money('ARS') }}", {"balance": 2}, "dos pesos"),
        ("{{ n | number }}", {"n": "21"}, "veintiuno"),
        ("{{ n | ordinal }}", {"n": "3"}, "tercero"),
        ("{{ d | date(year=false) }}", {"d": "2026-03-15"}, "quince de marzo"),
        ("{{ d | day }}", {"d": "2026-03-15"}, "domingo"),
        ("{{ t | time }}", {"t": "9:30"}, "las nueve y media de la mañana"),
        ("{{ code | digits }}", {"code": "0810"}, "cero ocho uno cero"),
        ("{{ s | duration }}", {"s": "90"}, "un minuto y treinta segundos"),
        ("{{ n | count('mensaje', 'mensajes') }}", {"n": 1}, "un mensaje"),
        ("{{ name | default('cliente') }}", {}, "cliente"),
        ("{{ card | mask }}", {"card": "4548123456789012"}, "************9012"),
        ("{{ name | trim | upper }}", {"name": " ana "}, "ANA"),
        ("{{ name | capitalize }}", {"name": "ana maría"}, "Ana maría"),
        ("{{ x | round(2) }}", {"x": "1.005"}, "1.01"),
        ("{{ x | replace('-', '') | length }}", {"x": "1-2-3"}, "3"),
        ("{{ phone | last(3) }}/{{ phone | first(2) }}", {"phone": "911234567"}, "567/91"),
        ("{% if vip == 'yes' %}Hola{% elif late %}Ya{% else %}No{% endif %}", {"late": "x"}, "Ya"),
        ("{{ 'a' if n > 1 else 'b' }}", {"n": "2"}, "a"),
        ("{{ a ~ '-' ~ b }}", {"a": "01", "b": 2}, "01-2"),
    ],
)
def test_what_templates_say(source: str, variables: dict[str, object], said: str) -> None:
    assert render(source, **variables) == said


@pytest.mark.parametrize(
    ("source", "variables", "value"),
    [
        ("attempts + 1", {"attempts": "2"}, 3),
        ("a + b", {"a": "Ana ", "b": "Ruiz"}, "Ana Ruiz"),
        ("0.1 + 0.2", {}, Decimal("0.3")),
        ("7 // 2 + 7 % 4", {}, 6),
        ("-7 // 2", {}, -4),
        ("6 / 3", {}, 2),
        ("attempts >= 3 and not vip", {"attempts": "3"}, True),
        ("1 < n <= 3", {"n": "2.5"}, True),
        ("n == 810", {"n": "0810"}, True),
        ("n == '0810'", {"n": "810"}, False),
        ("code in ['1', '2']", {"code": 1}, True),
        ("'ana' in name", {"name": "susana"}, True),
        ("due < today", {"due": "2026-03-01", "today": "2026-03-15"}, True),
        ("caller is matching('^[+]34[67]')", {"caller": "+34600"}, True),
        ("x is defined", {}, False),
        ("x is empty", {"x": ""}, True),
        ("x", {}, None),
        ("x == ''", {}, True),
        ("{{ x }}", {"x": "5"}, "5"),
    ],
)
def test_what_expressions_are_worth(source: str, variables: dict[str, object], value: object) -> None:
    assert evaluate(source, **variables) == value


@pytest.mark.parametrize("value", ["", "0", "no", "false", None, 0, False])
def test_conditions_take_what_systems_reply_as_no(value: object) -> None:
    assert not Expression("x").holds({"x": value}, "es")


@pytest.mark.parametrize(
    "source",
    [
        "{{ ''.__class__.__mro__ }}",
        "{{ caller.upper() }}",
        "{{ caller['x'] }}",
        "{{ range(10) }}",
        "{{ cycler.__init__.__globals__ }}",
        "{{ self }}{{ self.x }}",
        "{{ x | attr('__class__') }}",
        "{{ x | map('upper') }}",
        "{{ x | center(1000000000) }}",
        "{{ x | format }}",
        "{{ 9**(9**9) }}",
        "{{ 99999999999999999999 }}",
        "{{ 1e400 }}",
        "{{ x[1:2] }}",
        "{{ {'a': 1} }}",
        "{% for i in range(10**9) %}{% endfor %}",
        "{% for a in x %}{% for b in x %}{% endfor %}{% endfor %}",
        "{% macro m() %}{{ m() }}{% endmacro %}",
        "{% set x = 1 %}",
        "{% include 'x' %}",
        "{% import 'os' as os %}",
        "{% call x() %}{% endcall %}",
        "{{ x is callable }}",
        "{{ x is matching(pattern) }}",
        r"{{ x is matching('(a+)+(?=b)') }}",
        "{{ x | money(currncy='EUR') }}",
        "{{ x | money('EUR', 2) }}",
        "{{ x | default }}",
        "{{ x | mony }}",
        "{{",
        "{{ }}",
        "{{ x y }}",
        "{{ '" + "a" * 4_000 + "' }}",
        "{{ " + "(" * 900 + ")" * 900 + " }}",
        "{{ " + "not " * 900 + "x }}",
        "{{ " + "-" * 3_000 + "1 }}",
        "{{ " + "+".join("1" * 1_900) + " }}",
        "{{ " + "9" * 3_900 + " }}",
    ],
)
def test_what_does_not_compile(source: str, honest_s: float) -> None:
    def compiled() -> None:
        with pytest.raises(TemplateRefused):
            Template(source)

    assert cpu_s(compiled) < 500 * honest_s


@pytest.mark.parametrize(
    ("source", "variables"),
    [
        ("{{ x }}", {}),
        ("{{ x * 2 }}", {"x": "dos"}),
        ("{{ 'x' * 1000000000 }}", {}),
        ("{{ x * x }}", {"x": 10**10}),
        ("{{ 1 / x }}", {"x": 0}),
        ("{{ x < 3 }}", {"x": "dos"}),
        ("{{ x | money }}", {"x": "mucho"}),
        ("{{ x | money('XXQ') }}", {"x": "1"}),
        ("{{ x | date }}", {"x": "mañana"}),
        ("{{ x | time }}", {"x": "25:61"}),
        ("{{ x | round(99) }}", {"x": "1"}),
        ("{{ x ~ x ~ x }}", {"x": "a" * 1_500}),
        ("{{ x | replace('a', x) }}", {"x": "a" * 2_000}),
        ("{{ x | number }}", {"x": "9" * 5_000}),
        ("{{ x | ordinal }}", {"x": "0"}),
        ("{{ x | mask(y) }}", {"x": "1", "y": "z"}),
    ],
)
def test_what_fails_at_run_time_fails_in_words_and_at_once(
    source: str, variables: dict[str, object], honest_s: float
) -> None:
    def rendered() -> None:
        with pytest.raises(TemplateFailed, match=": "):
            render(source, **variables)

    assert cpu_s(rendered) < 500 * honest_s


@pytest.fixture(scope="module")
def honest_s() -> float:
    """What one of the longest templates costs to compile and to render."""
    source = "{{ a }} y " * 60
    return cpu_s(lambda: render(source, a="b"))


def test_a_language_nobody_speaks_fails_in_words() -> None:
    with pytest.raises(TemplateFailed):
        render("{{ 1 | number }}", language="xx")


def test_names_and_what_cannot_be_missing() -> None:
    template = Template("{{ a | default('x') }} {{ b | upper }}{% if c is defined %}{{ d }}{% endif %}")
    assert template.names == {"a", "b", "c", "d"}
    assert template.needed == {"b", "d"}


def test_equal_by_source_hashable_and_picklable() -> None:
    template = Template("{{ a }}")
    assert template == Template("{{ a }}") != Expression("{{ a }}")
    assert len({template, Template("{{ a }}")}) == 1
    assert pickle.loads(pickle.dumps(template)).render({"a": 1}, "es") == "1"


def test_as_a_field_it_refuses_in_words() -> None:
    with pytest.raises(ValidationError, match="did you mean 'money'"):
        TypeAdapter(Template).validate_python("{{ x | mony }}")
    assert TypeAdapter(Template).validate_python(5).source == "5"


_WORDS = "x y 1 9 0.5 'a' ( ) [ ] { } , | ~ + - * / // % ** < == in not and or is if else . : upper default money round"
_MORE_WORDS = "replace mask {{ }} {% %} {# #} for endfor endif __class__ matching"
_PIECES = st.sampled_from([*_WORDS.split(), *_MORE_WORDS.split()])
_VALUES = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.decimals() | st.lists(st.text())
)


@given(st.lists(_PIECES, max_size=12).map(" ".join), _VALUES, _VALUES)
def test_no_template_and_no_value_raises_anything_else(source: str, x: object, y: object) -> None:
    for make in (lambda: Template("{{ " + source + " }}"), lambda: Template(source), lambda: Expression(source)):
        try:
            template = make()
            template.render({"x": x, "y": y}, "es")
            if isinstance(template, Expression):
                template.evaluate({"x": x, "y": y}, "es")
        except (TemplateRefused, TemplateFailed):
            continue


@given(st.text(max_size=200))
def test_no_text_raises_anything_else(source: str) -> None:
    for make in (Template, Expression):
        try:
            make(source).render({}, "en")
        except (TemplateRefused, TemplateFailed):
            continue
