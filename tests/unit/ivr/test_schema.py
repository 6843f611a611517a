"""The published JSON Schemas: as generated, valid, and at one with the loader about the shipped files."""

from __future__ import annotations

import copy
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from engine.schemas import SCHEMAS, published
from ivr.nodes import VERBS

ROOT = Path(__file__).parents[3]
FILES = {
    "flow.json": "flows/*.yaml",
    "flow-test.json": "flows/*.test.yaml",
    "calendar.json": "config/calendars/*.yaml",
    "number.json": "config/numbers/*.yaml",
    "device.json": "config/devices/*.yaml",
    "trunk.json": "config/trunks/*.yaml",
    "queue.json": "config/queues/*.yaml",
    "skills.json": "config/skills.yaml",
    "agents.json": "config/agents.yaml",
    "dispositions.json": "config/dispositions.yaml",
    "not_ready.json": "config/not_ready.yaml",
    "compliance.json": "config/compliance/*.yaml",
    "campaign.json": "config/campaigns/*.yaml",
    "dialing-pack.json": "config/compliance/*.yaml",
    "site.json": "config/site.yaml",
    "outbound.json": "config/outbound.yaml",
    "http.json": "config/http.yaml",
}


class EditorYaml(yaml.SafeLoader):
    """Scalars as an editor reads them (YAML 1.2): `yes` and `9:30` are texts, `0810` is a number, `true` a flag."""


EditorYaml.yaml_implicit_resolvers = {}
for tag, pattern, first in (
    ("bool", r"true|false", "tf"),
    ("int", r"[-+]?[0-9]+", "-+0123456789"),
    ("float", r"[-+]?[0-9]+\.[0-9]+", "-+0123456789"),
    ("null", r"~|null|", "~n"),
):
    EditorYaml.add_implicit_resolver(f"tag:yaml.org,2002:{tag}", re.compile(rf"^(?:{pattern})$"), list(first))


@pytest.fixture(scope="module")
def flow_schema() -> dict[str, Any]:
    return SCHEMAS["flow.json"]()


def read(text: str) -> Any:
    def texts(value: Any) -> Any:
        """Keys are texts to an editor, whatever they look like."""
        if isinstance(value, dict):
            return {str(key): texts(inner) for key, inner in value.items()}
        return [texts(inner) for inner in value] if isinstance(value, list) else value

    return texts(yaml.load(text, EditorYaml))


def errors(schema: dict[str, Any], text: str) -> list[str]:
    return [error.message for error in Draft202012Validator(schema).iter_errors(read(text))]


def test_what_is_published_is_what_is_generated() -> None:
    for name, text in published().items():
        path = ROOT / "docs/schema" / name
        assert path.read_text(encoding="utf-8") == text, "run `python -m engine.schemas`"


@pytest.mark.parametrize("name", SCHEMAS)
def test_every_schema_is_valid_and_accepts_the_shipped_files(name: str) -> None:
    schema = SCHEMAS[name]()
    Draft202012Validator.check_schema(schema)
    for path in ROOT.glob(FILES[name]):
        if name == "flow-test.json" or not path.name.endswith(".test.yaml"):
            said = re.search(r"\$schema=\S*/(\S+)", path.read_text(encoding="utf-8").partition("\n")[0])
            if said is not None and said[1] != name:  # a folder may hold files of two kinds: each names its own
                assert said[1] in SCHEMAS, path
                continue
            assert errors(schema, path.read_text(encoding="utf-8")) == [], path


def test_every_node_type_is_there_with_its_page(flow_schema: dict[str, Any]) -> None:
    for name in VERBS:
        node = flow_schema["$defs"][f"node-{name}"]
        assert node["properties"]["type"]["const"] == name
        assert "type" in node["required"]
        assert node["additionalProperties"] is False
        assert node["description"].endswith(".") or node["description"].endswith("?")
        assert "```yaml" in node["markdownDescription"]


FLOW = """
flow: f
start: a
languages: es
nodes:
  a: {type: menu, prompt: {es: Hola, en: {sound: hi}}, keys: {1: b, "*": {repeat: yes}}}
  b: {type: collect, prompt: [1, {money: "{{ x }}", currency: EUR}], digits: 7-9, into: x, next: c, validate: luhn}
  c: {type: play, prompt: {play: hi, barge_in: no}, next: d, error: d}
  d: {type: hangup}
"""


def test_what_the_loader_takes_the_editor_takes(flow_schema: dict[str, Any]) -> None:
    assert errors(flow_schema, FLOW) == []


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("type: menu", "type: menuu"),
        ("keys:", "kees:"),
        ("repeat: yes", "repeet: yes"),
        ("digits: 7-9", "digits: seven"),
        ("next: d, error", "error"),
        ("barge_in: no", "barge_in: never"),
        ("sound: hi", "sond: hi"),
        ("start: a", "begin: a"),
        ("languages: es", "languages: spanish"),
    ],
)
def test_what_the_loader_refuses_the_editor_marks(flow_schema: dict[str, Any], right: str, wrong: str) -> None:
    assert right in FLOW
    assert errors(flow_schema, FLOW.replace(right, wrong)) != []


def test_no_reference_leads_nowhere() -> None:
    for name, make in SCHEMAS.items():
        schema = make()
        waiting: list[Any] = [copy.deepcopy(schema)]
        while waiting:
            part = waiting.pop()
            if isinstance(part, dict):
                target = part.get("$ref")
                assert not isinstance(target, str) or target.rpartition("/")[2] in schema["$defs"], (name, target)
                waiting.extend(part.values())
            elif isinstance(part, list):
                waiting.extend(part)
