"""Texts that are written down or sent, not said: templates, one for all languages or one for each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BeforeValidator, WithJsonSchema

from definitions.fields import language_tag
from ivr.prompt_items import choose_language
from ivr.templates import Template
from ivr.visit import Visit

_ALL = "*"


def _by_language(value: Any) -> Any:
    if not isinstance(value, Mapping):
        return {_ALL: value}
    return {tag if tag == _ALL else language_tag(str(tag)): text for tag, text in value.items()}


Wording = Annotated[
    Mapping[str, Template],
    BeforeValidator(_by_language),
    WithJsonSchema(
        {
            "anyOf": [{"type": "string"}, {"type": "object", "additionalProperties": {"type": "string"}}],
            "description": "A text, or one for each language: {es: …, en: …}. It may hold {{ variable | filter }}.",
        }
    ),
]


def worded(wording: Mapping[str, Template], visit: Visit) -> Template:
    """The template in the caller's language, else in the flow's first that there is."""
    tag = choose_language(visit.language, wording, visit.flow_languages) or next(iter(wording))
    return wording[tag]


def is_secret(template: Template, visit: Visit) -> bool:
    return bool(template.names & visit.secrets.keys())


def public(template: Template, visit: Visit) -> str:
    """The text with nothing secret in it: one made from a secret is `***`.

    Raises:
        TemplateFailed: a value in it cannot be written.
    """
    return "***" if is_secret(template, visit) else template.render(visit.variables, visit.language).strip()
