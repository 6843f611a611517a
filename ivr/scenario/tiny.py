"""A release straight from Python values, without files and without the loader's checks: for tests and benchmarks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ivr.calendars import Calendar
from ivr.model import Flow, Release
from ivr.node import Defaults, inherit
from ivr.nodes import VERBS
from ivr.prompts import Prompt
from ivr.run import Start
from ivr.scenario.caller import Caller
from ivr.scenario.promises import Given
from ivr.tables import Table
from ivr.visit import World


def tiny_release(
    flows: Mapping[str, Mapping[str, Any]],
    *,
    tenant: str = "main",
    calendars: Mapping[str, Calendar] | None = None,
    tables: Mapping[str, Table] | None = None,
    id_: str = "tiny",
) -> Release:
    """`flows`: flow id -> what its YAML would say.

    Raises:
        ValidationError: a node is not well formed.
    """
    return Release(
        id_,
        {(tenant, flow_id): tiny_flow(flow_id, body, tenant) for flow_id, body in flows.items()},
        {(tenant, name): calendar for name, calendar in (calendars or {}).items()},
        {(tenant, name): table for name, table in (tables or {}).items()},
    )


def tiny_call(
    nodes: Mapping[str, Any],
    *,
    flows: Mapping[str, Mapping[str, Any]] | None = None,
    given: Given | None = None,
    now_s: float = 1_773_140_400.0,
    language: str = "es",
    caller: str = "+34911234567",
    toggles: Mapping[str, bool] | None = None,
    calendars: Mapping[str, Calendar] | None = None,
    tables: Mapping[str, Table] | None = None,
    **flow: Any,
) -> Caller:
    """A call to a flow of these nodes (`flows`: others beside it), on Tuesday 2026-03-10 at 11:00 UTC."""
    release = tiny_release({"tiny": {"nodes": nodes, **flow}, **(flows or {})}, calendars=calendars, tables=tables)
    world = World(release, {("main", name): value for name, value in (toggles or {}).items()})
    begin = Start("i-1", "leg-1", "main", "tiny", language, caller=caller, called="100")
    return Caller(world, begin, now_s, given or Given())


def tiny_flow(flow_id: str, body: Mapping[str, Any], tenant: str = "main") -> Flow:
    """One flow; `languages` (es, en), `start` (the first node) and `variables` may be left out."""
    defaults = Defaults.model_validate(body.get("defaults", {}))
    nodes = {
        name: inherit(VERBS[node["type"]].model.model_validate(node), defaults) for name, node in body["nodes"].items()
    }
    notice = body.get("recording_notice")
    return Flow(
        id=flow_id,
        tenant=tenant,
        title={},
        languages=tuple(body.get("languages", ("es", "en"))),
        start=body.get("start", next(iter(nodes))),
        variables=body.get("variables", {}),
        defaults=defaults,
        nodes=nodes,
        file=f"flows/{flow_id}.yaml",
        recording_notice=None if notice is None else Prompt(notice),
    )
