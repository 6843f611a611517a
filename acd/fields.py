"""Kinds of values that several of the admins' files hold: skills, levels, percentages, texts by language."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, WithJsonSchema

from definitions.faults import fault
from definitions.fields import typed
from definitions.models import Count, LanguageTag, Text

MOST_LEVEL = 10
_SKILL = re.compile(r"[a-z][a-z0-9_]*(\.[a-z0-9_]+)*")
_OPERATORS = frozenset({"and", "or", "not", "true", "false"})


def _skill_name(value: Any) -> str:
    text = typed(value, "a skill")
    if not _SKILL.fullmatch(text) or len(text) > 60:
        raise fault(f"'{text[:60]}' cannot be a skill", "use a-z, 0-9 and _, parts joined by dots: language.es")
    if text in _OPERATORS:
        raise fault(f"'{text}' is a word of the expressions themselves", "call the skill something else")
    return text


def _percent(value: Any) -> float:
    text = typed(value, "a percentage").removesuffix("%").strip()
    if not re.fullmatch(r"[0-9]{1,3}(\.[0-9]{1,4})?", text) or float(text) > 100:
        raise fault(f"'{text[:40]}' is no percentage", "write 0 to 100")
    return float(text)


def _number(value: Any) -> float:
    text = typed(value, "a number")
    if not re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,6})?", text):
        raise fault(f"'{text[:40]}' is not a number", "write 0, 1 or 0.5")
    return float(text)


SkillName = Annotated[
    str,
    BeforeValidator(_skill_name),
    WithJsonSchema({"type": "string", "pattern": r"^[a-z][a-z0-9_]*(\.[a-z0-9_]+)*$", "examples": ["language.es"]}),
]
Level = Annotated[Count, Field(ge=0, le=MOST_LEVEL)]
"""How well somebody can do something: 0 not at all, 10 nobody better."""
Percent = Annotated[
    float, BeforeValidator(_percent), WithJsonSchema({"type": ["number", "string"], "minimum": 0, "maximum": 100})
]
Weight = Annotated[float, BeforeValidator(_number), WithJsonSchema({"type": "number", "minimum": 0})]
Titles = Mapping[LanguageTag, Text] | Text
"""A text, or one for each language."""
