"""JSON Schema (draft 2020-12) of a definition, made for an editor: descriptions, examples, no noise.

pydantic describes the values after conversion; an editor checks what is typed, where `0810` is a number and `yes` a
flag to it. So texts accept those too, and optional keys are simply absent. Two names of validators mean the same
everywhere: a model with `_short_form` may also be written as a plain text, and the fields of `_one_or_more`, which
are lists, as one entry.
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema

DRAFT = "https://json-schema.org/draft/2020-12/schema"
NAMED = "x-named"
"""A part of a schema that carries this key is written once, under `$defs`, by that name."""

Schema = dict[str, Any]


class _Generator(GenerateJsonSchema):
    """Default values that are models of ours are not written into the schema."""

    def encode_default(self, dft: Any) -> Any:
        return None if dft is None or isinstance(dft, BaseModel) else super().encode_default(dft)


def editor_schema(model: type[BaseModel], title: str, parts: Mapping[str, Schema] | None = None) -> Schema:
    """The schema of a file that holds one `model`. `title`: what an editor calls such a file. `parts`: what stands for
    a `{NAMED: name}`, by name."""
    schema = model.model_json_schema(schema_generator=_Generator)
    definitions: Schema = schema.pop("$defs", {})
    for found in _models(model):
        part = schema if found is model else definitions.get(found.__name__)
        if part is None:
            continue
        for key in _single_too(found):
            part["properties"][key] = or_several(part["properties"][key])
        if found is not model and any("_short_form" in vars(base) for base in found.__mro__):
            description = part.pop("description", "")
            definitions[found.__name__] = {"description": description, "anyOf": [{"type": "string"}, part]}
    named = _Named(parts or {})
    root = _clean(schema, named)
    cleaned = {name: _clean(part, named) for name, part in definitions.items()}
    root.pop("description", None)
    return {
        "$schema": DRAFT,
        "title": title,
        "description": _first_paragraph(inspect.getdoc(model) or ""),
        **root,
        "$defs": dict(sorted({**cleaned, **named.written}.items())),
    }


def as_text(schema: Schema) -> str:
    """The schema as it is published: stable, readable, one newline at the end."""
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


@dataclass(slots=True)
class _Named:
    """The parts that are written once: as given, and as written so far."""

    parts: Mapping[str, Schema]
    written: Schema = field(default_factory=dict)


def or_several(schema: Schema) -> Schema:
    """A list, or one of its entries alone."""
    rest = {key: value for key, value in schema.items() if key not in ("type", "items")}
    return {**rest, "anyOf": [schema["items"], {"type": "array", "items": schema["items"]}]}


def _single_too(model: type[BaseModel]) -> Iterator[str]:
    """The keys whose list may be a single entry."""
    found = model.__pydantic_decorators__.field_validators.get("_one_or_more")
    for name in found.info.fields if found else ():
        yield model.model_fields[name].alias or name


def _models(model: type[BaseModel]) -> Iterator[type[BaseModel]]:
    """Every model class this one is made of, found through pydantic's own schema."""
    seen: set[int] = set()
    waiting: list[Any] = [model.__pydantic_core_schema__]
    while waiting:
        part = waiting.pop()
        if id(part) in seen or not isinstance(part, dict | list | tuple):
            continue
        seen.add(id(part))
        if isinstance(part, dict):
            if part.get("type") == "model" and inspect.isclass(part.get("cls")):
                yield part["cls"]
            waiting.extend(part.values())
        else:
            waiting.extend(part)


def _clean(part: Any, named: _Named) -> Any:
    if isinstance(part, list):
        return [_clean(item, named) for item in part]
    if not isinstance(part, Mapping):
        return part
    found = {key: value for key, value in part.items() if key not in ("title", "discriminator", NAMED)}
    if name := part.get(NAMED):
        if name not in named.written:
            whole = found or named.parts[name]
            named.written[name] = {}
            named.written[name] = {key: _clean(value, named) for key, value in whole.items() if key != NAMED}
        return {"$ref": f"#/$defs/{name}"}
    if "properties" in found:  # a property may be called `title`: its name is no keyword
        properties = {key: _clean(value, named) for key, value in part["properties"].items()}
        found = {**found, "properties": properties}
        for key, value in properties.items():
            if "const" in value and key == "type" and "type" not in found.get("required", []):
                found["required"] = ["type", *found.get("required", [])]
    cleaned = {key: value if key == "properties" else _clean(value, named) for key, value in found.items()}
    return _loosened(_tidied(cleaned))


def _tidied(part: Schema) -> Schema:
    """What may be missing is left out, not written as null."""
    if "anyOf" in part:
        choices = [choice for choice in part["anyOf"] if choice != {"type": "null"}]
        part = {**part, "anyOf": choices}
        if len(choices) == 1:
            rest = {key: value for key, value in part.items() if key != "anyOf"}
            part = {**choices[0], **rest}
    if "patternProperties" in part:  # names of another form are wrong, not welcome
        part = {"additionalProperties": False, **part}
    if "default" in part and part["default"] in (None, "", [], {}):
        part = {key: value for key, value in part.items() if key != "default"}
    return part


def _loosened(part: Schema) -> Schema:
    """To an editor 0810 is a number and yes a flag: a free text may be both."""
    if part.get("type") == "string" and not part.keys() & {"enum", "const", "pattern", "format"}:
        return {**part, "type": ["string", "number", "boolean"]}
    if "default" in part and isinstance(part["default"], str) and part["default"].startswith("<"):
        return {key: value for key, value in part.items() if key != "default"}
    return part


def _first_paragraph(text: str) -> str:
    return " ".join(text.partition("\n\n")[0].split())
