"""Texts with `{{ variable | filter }}` in them, and conditions: compiled once, safe whatever they say.

    Template("Debe {{ balance | money('EUR') }}.").render({"balance": "120.50"}, "es")
    Expression("attempts >= 3 and not vip").evaluate({"attempts": "3", "vip": ""}, "es")   -> True

The syntax is Jinja's and Jinja parses it; what runs is ours: each allowed piece of the syntax tree becomes one
small function, and what is not allowed (loops, macros, calls, attributes, `**`) does not compile. So a template
cannot reach Python at all, has no loops, and every text in it is at most `MOST_CHARACTERS` long.

Variables are the strings callers type and systems reply: in arithmetic and beside a number they count as the
number they look like ("3" + 1 is 4); `~` joins texts. A variable that is not set is nothing: false in a condition,
replaced by `| default('…')`, and an error when it should be said.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from jinja2 import Environment, TemplateSyntaxError, nodes
from jinja2.parser import Parser
from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from core.errors import CentralitaError
from definitions.faults import fault
from definitions.fields import typed
from ivr.expressions import Compiled, Scope, compile_tree
from ivr.operands import MOST_CHARACTERS, join_text

BUILT_IN_VARIABLES: Mapping[str, str] = {
    "caller": "the caller's number, as it arrived",
    "called": "the number that was dialed",
    "language": "the language of the call now, like es",
    "today": "today's date where the tenant is, like 2026-03-15",
    "time": "the time of day where the tenant is, like 09:30",
    "weekday": "1 for Monday to 7 for Sunday",
    "interaction_id": "the id of this interaction",
}
"""What the interpreter sets before a flow begins, and what each is."""

_ENVIRONMENT = Environment(autoescape=False, optimized=False, keep_trailing_newline=True)  # noqa: S701 - not HTML
_MARKS = ("{{", "{%", "{#")


class TemplateFailed(CentralitaError):
    """A text could not be made from the variables as they are: the node takes its error exit."""


class Template:
    """A text with variables. Equal by its source; cheap to keep; read-only.

    Raises (when built):
        TemplateRefused: with what is wrong and what to write instead.
    """

    __slots__ = ("_compiled", "names", "source")

    def __init__(self, source: str) -> None:
        self.source = source
        self._compiled = _template(source) if any(mark in source for mark in _MARKS) else None
        self.names: frozenset[str] = self._compiled.names if self._compiled else frozenset()
        """The variables it mentions."""

    @property
    def is_static(self) -> bool:
        """The same text for every caller, whatever the language."""
        return self._compiled is None or self._compiled.static

    def render(self, variables: Mapping[str, object], language: str) -> str:
        """The text for this caller.

        Raises:
            TemplateFailed: a variable is not set, or a filter cannot take its value.
        """
        if self._compiled is None:
            return self.source
        return join_text([_run(self._compiled, variables, language, self.source)])

    @property
    def needed(self) -> frozenset[str]:
        """Those of `names` it cannot do without: no `default`, not only asked whether they are set."""
        return self._compiled.needed if self._compiled else frozenset()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.source!r})"

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and self.source == other.source

    def __hash__(self) -> int:
        return hash((type(self), self.source))

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.source,)

    @classmethod
    def _validate(cls, value: Any) -> Template:
        if isinstance(value, Template):
            return value
        try:
            return cls(value if isinstance(value, str) else typed(value, "a text"))
        except TemplateRefused as refused:
            raise refused.as_fault() from None

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        to_text = core_schema.plain_serializer_function_ser_schema(lambda template: template.source)
        return core_schema.no_info_plain_validator_function(cls._validate, serialization=to_text)

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {
            "type": ["string", "number", "boolean"],
            "description": "A text, which may hold {{ variable | filter }}.",
        }


class Expression(Template):
    """A condition or a calculation: `attempts >= 3`, `balance * 0.21`. Braces around it are allowed."""

    __slots__ = ()

    def __init__(self, source: str) -> None:
        self.source = source
        self._compiled = _expression(source)
        self.names = self._compiled.names

    @property
    def is_static(self) -> bool:
        return not self.names

    def evaluate(self, variables: Mapping[str, object], language: str) -> object:
        """str, int, Decimal, bool or None (a variable that is not set).

        Raises:
            TemplateFailed: the values do not fit what is asked of them.
        """
        assert self._compiled is not None
        return _run(self._compiled, variables, language, self.source)

    def holds(self, variables: Mapping[str, object], language: str) -> bool:
        """Whether the condition is true; empty texts, zero and what is not set are false.

        Raises:
            TemplateFailed: as `evaluate`.
        """
        value = self.evaluate(variables, language)
        return bool(value) and value not in ("false", "no", "0")

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {
            "type": ["string", "number", "boolean"],
            "description": "A condition or calculation over variables.",
            "examples": ["attempts >= 3", "caller is matching('^[+]34')"],
        }


class TemplateRefused(CentralitaError):
    """A template or expression that does not compile."""

    def __init__(self, what: str, hint: str = "") -> None:
        super().__init__(f"{what}: {hint}" if hint else what)
        self.what, self.hint = what, hint

    def as_fault(self) -> PydanticCustomError:
        return fault(self.what, self.hint)


def _run(compiled: Compiled, variables: Mapping[str, object], language: str, source: str) -> object:
    try:
        return compiled.run(Scope(variables, language))
    except (ValueError, ArithmeticError, TypeError) as error:
        raise TemplateFailed(f"'{source[:80]}': {error}") from None


@lru_cache(maxsize=4096)
def _template(source: str) -> Compiled:
    if len(source) > MOST_CHARACTERS:
        raise TemplateRefused(f"this text has {len(source):,} characters", f"the limit is {MOST_CHARACTERS:,}")
    return _compile(lambda: _ENVIRONMENT.parse(source))


@lru_cache(maxsize=4096)
def _expression(source: str) -> Compiled:
    bare = source.strip()
    if bare.startswith("{{") and bare.endswith("}}") and bare.count("{{") == 1:
        bare = bare[2:-2].strip()
    if not bare:
        raise TemplateRefused("the condition is empty", "write something like `attempts >= 3`")
    if len(bare) > 1_000:
        raise TemplateRefused(f"this condition has {len(bare):,} characters", "the limit is 1,000")
    return _compile(lambda: _parse_expression(bare))


def _parse_expression(source: str) -> nodes.Expr:
    parser = Parser(_ENVIRONMENT, source, state="variable")
    tree = parser.parse_expression()
    if not parser.stream.eos:
        raise TemplateSyntaxError(f"'{parser.stream.current.value}' is one too many", 1)
    return tree


def _compile(parse: Any) -> Compiled:
    try:
        return compile_tree(parse())
    except TemplateSyntaxError as error:
        raise TemplateRefused(
            f"bad template: {error.message}", "write {{ variable }} or {{ variable | filter }}"
        ) from None
    except (RecursionError, OverflowError, MemoryError):
        raise TemplateRefused("this template is nested too deeply", "split it into several variables") from None
    except PydanticCustomError as refused:
        context = refused.context or {}
        raise TemplateRefused(str(context.get("what")), str(context.get("hint", ""))) from None
    except ValueError as error:  # int() of thousands of digits, inside Jinja's lexer
        raise TemplateRefused(f"bad template: {str(error)[:80]}", "numbers have at most fifteen digits") from None
