"""What a variable is set to: text with templates in it, or, when it is one `{{ … }}` and nothing else, its value.

name: "{{ first }} {{ last }}"      text
attempts: "{{ attempts + 1 }}"      a number
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, core_schema

from definitions.fields import typed
from ivr.templates import Expression, Template, TemplateRefused


class Value:
    """Built from what was typed, when the file is loaded.

    Raises:
        PydanticCustomError: the template is not allowed, or it is no scalar.
    """

    __slots__ = ("_inner", "names", "source")

    def __init__(self, source: object) -> None:
        self.source = text = typed(source, "a value")
        bare = text.strip()
        whole = bare.startswith("{{") and bare.endswith("}}") and bare.count("{{") == 1
        try:
            self._inner: Template = Expression(text) if whole else Template(text)
        except TemplateRefused as refused:
            raise refused.as_fault() from None
        self.names: frozenset[str] = self._inner.names

    def evaluate(self, variables: Mapping[str, object], language: str) -> object:
        """Raises TemplateFailed."""
        if isinstance(self._inner, Expression):
            return self._inner.evaluate(variables, language)
        return self._inner.render(variables, language)

    def __repr__(self) -> str:
        return f"Value({self.source!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Value) and other.source == self.source

    def __hash__(self) -> int:
        return hash(self.source)

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.source,)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        def validate(value: object) -> Value:
            return value if isinstance(value, Value) else cls(value)

        to_text = core_schema.plain_serializer_function_ser_schema(lambda value: value.source)
        return core_schema.no_info_plain_validator_function(validate, serialization=to_text)

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {
            "type": ["string", "number", "boolean"],
            "description": "A text, which may hold {{ variable | filter }}; one {{ … }} alone keeps its value.",
        }
