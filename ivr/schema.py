"""The JSON Schemas of what lies under `flows/`, published under `docs/schema/` for editors.

# yaml-language-server: $schema=../docs/schema/flow.json
"""

from __future__ import annotations

import inspect
import re
import textwrap
from typing import Any

from core.commands import COMMAND_TYPES
from definitions.schema import Schema, editor_schema, or_several
from ivr.calendars import Calendar
from ivr.flow_file import FlowFile
from ivr.node import Verb
from ivr.nodes import VERBS
from ivr.prompt_schema import PROMPT_SCHEMA
from ivr.scenario.model import ScenarioFile

PROMPT_PART = {"Prompt": PROMPT_SCHEMA}
"""What `editor_schema` needs for models that hold prompts."""


def flow_schema() -> Schema:
    """Of a flow file, with every node type there is, plugins included."""
    schema = editor_schema(FlowFile, "Call flow", PROMPT_PART)
    definitions: dict[str, Any] = schema["$defs"]
    types = []
    for name, verb in VERBS.items():
        node = editor_schema(verb.model, name, PROMPT_PART)
        definitions.update(node.pop("$defs"))
        definitions[f"node-{name}"] = _node(verb, node)
        is_it = {"properties": {"type": {"const": name}}, "required": ["type"]}
        types.append({"if": is_it, "then": {"$ref": f"#/$defs/node-{name}"}})
    definitions["Node"] = {
        "type": "object",
        "description": "One step of the flow; its `type` says what it does.",
        "properties": {"type": {"enum": list(VERBS), "description": "What the step does."}},
        "required": ["type"],
        # By `type`, not oneOf: an editor checks one type instead of all and names the key that is wrong.
        "allOf": types,
    }
    nodes = schema["properties"]["nodes"]
    (pattern,) = nodes.pop("patternProperties")
    nodes.update(propertyNames={"pattern": pattern}, additionalProperties={"$ref": "#/$defs/Node"})
    schema["$defs"] = dict(sorted(definitions.items()))
    return schema


def scenario_schema() -> Schema:
    """Of a `*.test.yaml` beside a flow."""
    schema = editor_schema(ScenarioFile, "Flow test")
    names = list(COMMAND_TYPES)
    fields = {name: {"type": ["object", "null"], "description": "Fields and what they must be."} for name in names}
    one = {"type": "object", "properties": fields, "additionalProperties": False}
    commands = schema["$defs"]["Expect"]["properties"]["commands"]
    commands["items"] = {"anyOf": [{"enum": names}, one]}
    return schema


def calendar_schema() -> Schema:
    """Of a file under config/calendars/."""
    schema = editor_schema(Calendar, "Calendar")
    schema["required"] = [key for key in schema["required"] if key != "time_zone"]  # the site has one
    return schema


def _node(verb: Verb, schema: Schema) -> Schema:
    """A node type: its own page as the text an editor shows on hovering."""
    summary, markdown = _documentation(verb)
    properties: Schema = {"type": {"const": verb.name, "description": summary, "markdownDescription": markdown}}
    for key, value in schema["properties"].items():
        if key != "type":
            described = "description" in value or key not in _USUAL_KEYS
            properties[key] = value if described else {**value, "description": _USUAL_KEYS[key]}
    if "validate" in properties:
        check = properties["validate"]["items"]
        properties["validate"]["items"] = {"anyOf": [{"enum": ["luhn", "phone"]}, check]}
        properties["validate"] = or_several(properties["validate"])
    documentation = {"description": summary, "markdownDescription": markdown}
    rest = {key: schema[key] for key in ("type", "required", "additionalProperties")}
    return {"title": verb.name, **documentation, **rest, "properties": properties}


_USUAL_KEYS = {
    "between_digits_s": "Silence for so many seconds after a digit ends the input.",
    "error": "What happens when something here fails.",
    "first_digit_s": "Silence for so many seconds after the prompt is no input.",
    "into": "The variable that gets what was given.",
    "music": "Music on hold, by class.",
    "next": "The node that follows.",
    "no_input": "What happens when the caller presses nothing.",
    "no_match": "What happens when the caller presses what means nothing here.",
    "note": "For whoever reads the file.",
    "prompt": "What the caller hears.",
}


def _documentation(verb: Verb) -> tuple[str, str]:
    """One sentence, and everything its module says, with the examples as YAML."""
    module = inspect.getmodule(verb.model)
    text = (module.__doc__ or "").strip() if module else ""
    first, *others = text.split("\n\n")
    summary = first.partition(":")[2].strip() if first.startswith("`") else first
    # An example is indented, unless nothing else follows the first line: then the formatter has pulled it out.
    blocks = [
        f"```yaml\n{textwrap.dedent(block)}\n```"
        if re.match(r" {4}|[a-z_]+:( |$)", block, re.MULTILINE)
        else " ".join(block.split())
        for block in others
    ]
    return " ".join(summary.split()).capitalize(), "\n\n".join([summary.capitalize(), *blocks])
