"""docs/queues.md: every example in it loads, and every key that may be written is in it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from acd import definitions, queue_definitions
from acd.strategies import STRATEGIES
from definitions.models import Definition, keys_of
from engine.config.loader import load
from engine.config.queue_prompts import Prompts, Queue

ROOT = Path(__file__).parents[3]
TEXT = (ROOT / "docs" / "queues.md").read_text()
FILES = {
    match[1]: match[2] for match in re.finditer(r"^```(?:yaml|csv) (\S+)\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
}
AROUND = {
    "config/numbers/default.yaml": "default: yes\nflow: f\ncompliance: []\n",
    "config/queues/help.yaml": "queue: help\n",
    "config/devices/1001.yaml": 'device: "1001"\n',
    "config/devices/1002.yaml": 'device: "1002"\n',
    "config/calendars/office.yaml": "calendar: office\nhours: {mon-fri: 9:00-18:00}\n",
    "config/trunks/carrier.yaml": "trunk: carrier\nhost: 192.0.2.1\naddresses: [192.0.2.1]\n",
    "config/outbound.yaml": "rules: [{name: mobiles, prefixes: ['+346'], trunk: carrier}]\n",
    "flows/f.yaml": "flow: f\nstart: bye\nnodes: {bye: {type: hangup}}\n",
    "config/compliance/es-clientela.yaml": (ROOT / "config/compliance/es-clientela.yaml").read_text(),
}


def test_the_examples_are_one_configuration_that_loads() -> None:
    loaded = load({**AROUND, **FILES})
    assert not list(loaded.problems)
    assert loaded.configuration is not None
    assert set(loaded.configuration.routing.agents) == {("main", "ana"), ("main", "luis"), ("main", "eva")}


@pytest.mark.parametrize(
    ("model", "file"),
    [
        (Queue, "config/queues/sales.yaml"),
        (Prompts, "config/queues/sales.yaml"),
        (queue_definitions.Relax, "config/queues/sales.yaml"),
        (queue_definitions.ServiceLevel, "config/queues/sales.yaml"),
        (queue_definitions.Announcements, "config/queues/sales.yaml"),
        (queue_definitions.Callback, "config/queues/sales.yaml"),
        (definitions.Agent, "config/agents.yaml"),
        (definitions.Choice, "config/dispositions.yaml"),
        (definitions.Reason, "config/not_ready.yaml"),
        (definitions.Routing, "config/site.yaml"),
        (definitions.ChannelRule, "config/site.yaml"),
    ],
)
def test_every_key_is_shown(model: type[Definition], file: str) -> None:
    assert [key for key in keys_of(model) if not re.search(rf"\b{key}:", FILES[file])] == []


def test_every_strategy_is_there() -> None:
    assert [name for name in STRATEGIES if f"| `{name}` |" not in TEXT] == []


def test_the_codes_are_those_of_the_shipped_site() -> None:
    shipped = {path.stem.removeprefix("star") for path in (ROOT / "config/numbers").glob("star*.yaml")}
    told = {*re.findall(r"^\| \*(45\d?) \|", TEXT, re.MULTILINE), *re.findall(r"dials \*(4[67]) ", TEXT)}
    assert told == {code.removesuffix("_agents") for code in shipped}
