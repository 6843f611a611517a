"""Whether the numbers that flows always dial may be dialed at all."""

from __future__ import annotations

from collections.abc import Iterable

from engine.config.outbound import OutboundRules, Refused
from engine.config.reading import Reading
from ivr.model import Flow
from ivr.nodes import transfer


def check_targets(flows: Iterable[Flow], rules: OutboundRules, reading: Reading) -> None:
    """Warns of each number in a `transfer` that the outbound rules refuse whatever the hour: every caller would take
    `refused`. Devices are the flow's own checks."""
    for flow in flows:
        for name, node in flow.nodes.items():
            if not isinstance(node, transfer.Model) or not node.to.is_static or node.to.source.startswith("device:"):
                continue
            verdict = rules.permit(node.to.source, flow.tenant, {})
            if isinstance(verdict, Refused):
                what = f"'{node.to.source}' is never dialed: {verdict.why}"
                hint = "every caller takes `refused`: allow it in config/outbound.yaml"
                reading.warning(flow.file, what, hint, "nodes", name, "to")
