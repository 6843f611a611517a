"""`centralita flow draw`: what a picture of a flow shows beside the flow itself."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from core.decisions import Decision, InteractionOpened, NodeEntered, NodeLeft
from engine.cli import flow_test
from engine.cli.common import fail
from engine.cli.flow_whole import Flows
from engine.cli.journal import records_of
from engine.cli.journal_open import reading
from engine.config.loader import Configuration, load
from engine.config.numbers import MAIN
from engine.config.sources import unpack
from engine.home import Home
from ivr.model import Flow

Step = tuple[str, str]
"""A node, and the branch it was left by (empty while the caller is there)."""


def tested(home: Home, configuration: Configuration, flow: Flow) -> dict[str, int]:
    """Node -> how many tests come through it, those of other flows included."""
    report = flow_test.run(home, Flows(configuration.release, configuration.site.time_zone), (), "")
    reached = (
        node for file in report.files if file.tenant == flow.tenant for one in file.results for node in one.nodes
    )
    counts = Counter(node for flow_id, node in reached if flow_id == flow.id)
    return {name: counts[name] for name in flow.nodes}


def walked(interaction_id: str, project: Path | None, name: str, present: Configuration) -> tuple[Flow, list[Step]]:
    """The flow `name` (empty: the one that answered) as it was when the interaction came, and its way through it.

    Ends the command when it never was there.
    """
    decisions = [decision for record in records_of(interaction_id, project) for decision in record.decisions]
    opened = next((decision for decision in decisions if isinstance(decision, InteractionOpened)), None)
    if opened is None:
        fail("this interaction did not enter a flow")
    release = present.release
    with reading(project) as reader:
        body = reader.load_release(opened.flow_version)
    if body is not None and (older := load(unpack(body)).configuration) is not None:
        release = older.release
    steps = way(decisions, name or opened.flow)
    # Phones of every tenant reach flows of the main one under feature codes.
    tried = [release.flow(tenant, name or opened.flow) for tenant in (opened.tenant, MAIN)]
    found = [each for each in tried if each is not None]
    flow = max(found, key=lambda each: sum(step[0] in each.nodes for step in steps), default=None)
    if flow is None or not steps:
        flows = dict.fromkeys(decision.flow for decision in decisions if isinstance(decision, NodeEntered))
        fail(f"this interaction was never in '{name or opened.flow}': it was in {', '.join(flows)}")
    return flow, [step for step in steps if step[0] in flow.nodes]


def way(decisions: Sequence[Decision], flow_id: str) -> list[Step]:
    """The nodes of one flow in the order they were entered."""
    steps: list[Step] = []
    for decision in decisions:
        if isinstance(decision, NodeEntered) and decision.flow == flow_id:
            steps.append((decision.node, ""))
        elif isinstance(decision, NodeLeft) and steps and decision.flow == flow_id and decision.node == steps[-1][0]:
            steps[-1] = decision.node, decision.branch
    return steps
