"""From Jinja's syntax tree to small functions, piece by allowed piece.

What is not listed in `_COMPILERS` does not compile. Every function takes a `Scope` and gives a value; every text
is checked against `MOST_CHARACTERS` and every number against fifteen digits as soon as it comes into being.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from jinja2 import nodes

from definitions.faults import did_you_mean, fault
from definitions.patterns import compile_pattern
from ivr.filters import FILTERS, TESTS, number_of, text_of
from ivr.operands import COMPARISONS, Missing, absent, bounded, given, join_text

_MOST_NODES = 400
_MOST_DEPTH = 40


@dataclass(frozen=True, slots=True)
class Scope:
    variables: Mapping[str, object]
    language: str


Run = Callable[[Scope], Any]


@dataclass(frozen=True, slots=True)
class Compiled:
    """`names`: the variables read. `needed`: those it cannot do without (no `default`, not only asked whether they
    are set). `static`: neither variables nor language matter."""

    run: Run
    names: frozenset[str]
    needed: frozenset[str]
    static: bool


def compile_tree(tree: nodes.Node) -> Compiled:
    """The tree as one function.

    Raises:
        PydanticCustomError: a fault that says what is not allowed.
    """
    names, needed, filters = _survey(tree)
    run = _compile(tree)
    return Compiled(lambda scope: absent(run(scope)), names, needed, not names and not filters)


def _survey(tree: nodes.Node) -> tuple[frozenset[str], frozenset[str], bool]:
    """Walks without recursion: the names read, those needed, and whether filters are used; refuses monsters."""
    names: set[str] = set()
    needed: set[str] = set()
    filters = False
    waiting: list[tuple[nodes.Node, int, bool]] = [(tree, 0, True)]
    seen = 0
    while waiting:
        node, depth, is_needed = waiting.pop()
        seen += 1
        if seen > _MOST_NODES or depth > _MOST_DEPTH:
            raise fault("this template is too complicated", "split it into several variables")
        if isinstance(node, nodes.Name):
            names.add(node.name)
            if is_needed:
                needed.add(node.name)
        filters = filters or isinstance(node, nodes.Filter)
        optional = (isinstance(node, nodes.Filter) and node.name == "default") or (
            isinstance(node, nodes.Test) and node.name in _ASKS_WHETHER_SET
        )
        waiting.extend((child, depth + 1, not optional) for child in node.iter_child_nodes())
    return frozenset(names), frozenset(needed), filters


_ASKS_WHETHER_SET = ("defined", "undefined", "none", "empty")


def _compile(node: nodes.Node) -> Run:
    compiler = _COMPILERS.get(type(node))
    if compiler is None:
        what, hint = _FORBIDDEN.get(type(node), (f"{type(node).__name__.lower()} is not allowed in a template", ""))
        raise fault(what, hint or "templates hold variables, filters, comparisons and {% if %}")
    return compiler(node)


_FORBIDDEN: Mapping[type, tuple[str, str]] = {
    nodes.Pow: ("`**` is not allowed in a template", "multiply instead"),
    nodes.Call: ("calls are not allowed in a template", "use a filter: {{ value | filter }}"),
    nodes.Getattr: ("`.` is not allowed in a template", "variables are plain: write reply_name, not reply.name"),
    nodes.Getitem: ("`[…]` is not allowed in a template", "use the filters first and last"),
    nodes.For: ("loops are not allowed in a template", "let the flow go back to a node instead"),
    nodes.Macro: ("macros are not allowed in a template", ""),
    nodes.Assign: ("assignments are not allowed in a template", "use a node of type set"),
}


def _template(node: nodes.Template) -> Run:
    return _body(node.body)


def _body(parts: Iterable[nodes.Node]) -> Run:
    runs = [_compile(part) for part in parts]

    return lambda scope: join_text(run(scope) for run in runs)


def _output(node: nodes.Output) -> Run:
    return _body(node.nodes)


def _template_data(node: nodes.TemplateData) -> Run:
    text = node.data
    return lambda scope: text


def _if(node: nodes.If) -> Run:
    ways = [(_compile(node.test), _body(node.body))]
    ways += [(_compile(other.test), _body(other.body)) for other in node.elif_]
    otherwise = _body(node.else_)

    def run(scope: Scope) -> Any:
        return next((body for test, body in ways if test(scope)), otherwise)(scope)

    return run


def _name(node: nodes.Name) -> Run:
    name = node.name
    missing = Missing(name)

    def run(scope: Scope) -> Any:
        value = scope.variables.get(name)
        if value is None:
            return missing
        if isinstance(value, float):
            return number_of(value)
        return value if isinstance(value, str | int | Decimal) else text_of(value)

    return run


def _const(node: nodes.Const) -> Run:
    value: Any = Decimal(str(node.value)) if isinstance(node.value, float) else node.value
    try:
        bounded(value)
    except ValueError:
        raise fault("a number or text here is too long", "numbers have at most fifteen digits") from None
    return lambda scope: value


def _arithmetic(calculate: Callable[[Any, Any], Any]) -> Callable[[nodes.BinExpr], Run]:
    def compiler(node: nodes.BinExpr) -> Run:
        left, right = _compile(node.left), _compile(node.right)
        return lambda scope: bounded(calculate(number_of(given(left(scope))), number_of(given(right(scope)))))

    return compiler


def _divide(left: Any, right: Any) -> Any:
    if right == 0:
        raise ValueError("division by zero")
    quotient = Decimal(left) / Decimal(right)
    return int(quotient) if quotient == int(quotient) else round(quotient, 9)


def _floor(left: Any, right: Any) -> Any:
    if right == 0:
        raise ValueError("division by zero")
    return int((Decimal(left) / Decimal(right)).to_integral_value(rounding="ROUND_FLOOR"))


def _add(node: nodes.Add) -> Run:
    left, right = _compile(node.left), _compile(node.right)

    def run(scope: Scope) -> Any:
        one, two = given(left(scope)), given(right(scope))
        if TESTS["number"](one) and TESTS["number"](two):
            return bounded(number_of(one) + number_of(two))
        return join_text((one, two))

    return run


def _concat(node: nodes.Concat) -> Run:
    runs = [_compile(part) for part in node.nodes]
    return lambda scope: join_text([run(scope) for run in runs])


def _negative(node: nodes.Neg) -> Run:
    run = _compile(node.node)
    return lambda scope: -number_of(given(run(scope)))


def _positive(node: nodes.Pos) -> Run:
    run = _compile(node.node)
    return lambda scope: number_of(given(run(scope)))


def _not(node: nodes.Not) -> Run:
    run = _compile(node.node)
    return lambda scope: not run(scope)


def _and(node: nodes.And) -> Run:
    left, right = _compile(node.left), _compile(node.right)
    return lambda scope: left(scope) and right(scope)


def _or(node: nodes.Or) -> Run:
    left, right = _compile(node.left), _compile(node.right)
    return lambda scope: left(scope) or right(scope)


def _choice(node: nodes.CondExpr) -> Run:
    test, yes = _compile(node.test), _compile(node.expr1)
    no = _compile(node.expr2) if node.expr2 is not None else lambda scope: ""
    return lambda scope: yes(scope) if test(scope) else no(scope)


def _compare(node: nodes.Compare) -> Run:
    first = _compile(node.expr)
    rest = [(COMPARISONS[operand.op], _compile(operand.expr)) for operand in node.ops]

    def run(scope: Scope) -> bool:
        left = first(scope)
        for compare, operand in rest:
            right = operand(scope)
            if not compare(left, right):
                return False
            left = right
        return True

    return run


def _list(node: nodes.List | nodes.Tuple) -> Run:
    runs = [_compile(item) for item in node.items]
    return lambda scope: tuple(run(scope) for run in runs)


def _filter(node: nodes.Filter) -> Run:
    if node.node is None or node.dyn_args or node.dyn_kwargs:
        raise fault("this use of a filter is not allowed", "write {{ value | filter }}")
    value, name = _compile(node.node), node.name
    arguments = [_compile(argument) for argument in node.args]
    named = {str(pair.key): _compile(pair.value) for pair in node.kwargs}
    if name == "default":
        if len(arguments) != 1 or named:
            raise fault("`default` takes one value", "write {{ name | default('…') }}")
        return lambda scope: found if not isinstance(found := value(scope), Missing) else arguments[0](scope)
    function = FILTERS.get(name)
    if function is None:
        raise fault(f"there is no filter '{name}'", did_you_mean(name, [*FILTERS, "default"], what="filters"))
    _check_arguments(name, function, len(arguments), named)

    def run(scope: Scope) -> Any:
        positional = [given(argument(scope)) for argument in arguments]
        options = {key: given(argument(scope)) for key, argument in named.items()}
        result = function(given(value(scope)), scope.language, *positional, **options)
        return bounded(result)

    return run


def _check_arguments(name: str, function: Callable[..., Any], count: int, named: Mapping[str, Run]) -> None:
    code = function.__code__
    takes = code.co_varnames[2 : code.co_argcount]
    needed = takes[: len(takes) - len(function.__defaults__ or ())]
    filled = {*takes[:count], *named}
    if count > len(takes) or not named.keys() <= set(takes[count:]) or not set(needed) <= filled:
        expected = ", ".join(takes) if takes else "nothing"
        raise fault(f"the filter '{name}' is given the wrong values", f"between its brackets it takes: {expected}")


def _test(node: nodes.Test) -> Run:
    value, name = _compile(node.node), node.name
    if name in ("defined", "undefined"):
        wanted = name == "undefined"
        return lambda scope: isinstance(value(scope), Missing) is wanted
    if name == "none":
        return lambda scope: isinstance(found := value(scope), Missing) or found is None
    if name == "matching":
        return _matching(node, value)
    test = TESTS.get(name)
    if test is None or node.args:
        known = [*TESTS, "defined", "undefined", "none", "matching"]
        raise fault(f"there is no test '{name}'", did_you_mean(name, known, what="tests"))
    return lambda scope: test(absent(value(scope)))


def _matching(node: nodes.Test, value: Run) -> Run:
    pattern = node.args[0] if len(node.args) == 1 else None
    if not isinstance(pattern, nodes.Const) or not isinstance(pattern.value, str):
        raise fault("`matching` takes a regular expression in quotes", "write caller is matching('^[+]34')")
    compiled = compile_pattern(pattern.value)
    return lambda scope: compiled.search(text_of(absent(value(scope)))) is not None


_COMPILERS: Mapping[type, Callable[[Any], Run]] = {
    nodes.Template: _template,
    nodes.Output: _output,
    nodes.TemplateData: _template_data,
    nodes.If: _if,
    nodes.Name: _name,
    nodes.Const: _const,
    nodes.Add: _add,
    nodes.Sub: _arithmetic(lambda left, right: left - right),
    nodes.Mul: _arithmetic(lambda left, right: left * right),
    nodes.Div: _arithmetic(_divide),
    nodes.FloorDiv: _arithmetic(_floor),
    nodes.Mod: _arithmetic(lambda left, right: left - right * _floor(left, right)),
    nodes.Neg: _negative,
    nodes.Pos: _positive,
    nodes.Concat: _concat,
    nodes.Not: _not,
    nodes.And: _and,
    nodes.Or: _or,
    nodes.CondExpr: _choice,
    nodes.Compare: _compare,
    nodes.List: _list,
    nodes.Tuple: _list,
    nodes.Filter: _filter,
    nodes.Test: _test,
}
