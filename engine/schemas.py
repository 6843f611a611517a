"""Every JSON Schema this project publishes under `docs/schema/`, by file name.

python -m engine.schemas            writes them again after a model has changed
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from acd import definitions
from definitions.schema import Schema, as_text, editor_schema
from dialer.compliance.definitions import DialingPack
from dialer.definitions import Campaign
from engine.config import models
from engine.config.compliance import Pack
from engine.config.queue_prompts import Queue
from ivr.schema import PROMPT_PART, calendar_schema, flow_schema, scenario_schema

FOLDER = Path("docs/schema")

SCHEMAS: Mapping[str, Callable[[], Schema]] = {
    "flow.json": flow_schema,
    "flow-test.json": scenario_schema,
    "calendar.json": calendar_schema,
    "site.json": partial(editor_schema, models.Site, "Site"),
    "number.json": partial(editor_schema, models.Number, "Number"),
    "device.json": partial(editor_schema, models.Device, "Device"),
    "trunk.json": partial(editor_schema, models.Trunk, "Trunk"),
    "queue.json": partial(editor_schema, Queue, "Queue", PROMPT_PART),
    "skills.json": partial(editor_schema, definitions.Skills, "Skills"),
    "agents.json": partial(editor_schema, definitions.Agents, "Agents"),
    "dispositions.json": partial(editor_schema, definitions.Dispositions, "Dispositions"),
    "not_ready.json": partial(editor_schema, definitions.NotReady, "Not-ready reasons"),
    "compliance.json": partial(editor_schema, Pack, "Rule pack"),
    "campaign.json": partial(editor_schema, Campaign, "Campaign"),
    "dialing-pack.json": partial(editor_schema, DialingPack, "Dialing rules"),
    "outbound.json": partial(editor_schema, models.Outbound, "Outbound rules"),
    "http.json": partial(editor_schema, models.Http, "HTTP hosts"),
}


def published() -> dict[str, str]:
    """File name -> what belongs into it."""
    return {name: as_text(schema()) for name, schema in SCHEMAS.items()}


def write(folder: Path = FOLDER) -> None:
    """Raises OSError when the folder cannot be written."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in published().items():
        (folder / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    write()
