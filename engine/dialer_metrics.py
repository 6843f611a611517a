"""What Prometheus reads about campaigns."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from core.attempt import AttemptState
from core.decisions import AttemptEnded, Decision, LeadBlocked, PacingDecided

_WAITS_S = (0.1, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0)
_RINGS_S = (2.0, 5.0, 10.0, 15.0, 20.0, 25.0, 30.0, 45.0, 60.0)
_SERVED = (AttemptState.COMPLETED.value, AttemptState.CONNECTED.value)
Views = Callable[[], Sequence[Mapping[str, Any]]]
"""Every campaign's view, as the control socket gives it."""


class DialerMetrics:
    """Counted as decisions are made; `watch` adds what is true at the moment of asking."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._registry = registry
        names = ["tenant", "campaign"]
        self.refused = Counter("centralita_dialer_refused", "Facts the dialer could not handle", registry=registry)
        self.dials = Counter("centralita_dials", "Attempts started", names, registry=registry)
        self.attempts = Counter(
            "centralita_attempts", "Attempts by the way they ended", [*names, "outcome"], registry=registry
        )
        self.blocked = Counter(
            "centralita_leads_blocked", "Leads a rule kept from being dialed", [*names, "rule"], registry=registry
        )
        self.ring_s = Histogram(
            "centralita_attempt_ring_seconds", "How long attempts rang", buckets=_RINGS_S, registry=registry
        )
        self.connect_s = Histogram(
            "centralita_answer_to_agent_seconds",
            "From her answer to an agent",
            buckets=_WAITS_S,
            registry=registry,
        )

    def count(self, decision: Decision) -> None:
        match decision:
            case PacingDecided():
                self.dials.labels(decision.tenant, decision.campaign).inc(decision.count)
            case AttemptEnded():
                self.attempts.labels(decision.tenant, decision.campaign, decision.outcome).inc()
                self.ring_s.observe(decision.ring_s)
                if decision.outcome in _SERVED:
                    self.connect_s.observe(decision.wait_s)
            case LeadBlocked():
                self.blocked.labels(decision.tenant, decision.campaign, decision.rule).inc()
            case _:
                pass

    def watch(self, views: Views, away_s: Callable[[], float], unsaved: Callable[[], int]) -> None:
        """`away_s`: how long the store of leads has not answered; `unsaved`: rows that wait for it."""
        self._registry.register(_Now(views, away_s, unsaved))


class _Now(Collector):
    def __init__(self, views: Views, away_s: Callable[[], float], unsaved: Callable[[], int]) -> None:
        self._views = views
        self._away_s = away_s
        self._unsaved = unsaved

    def describe(self) -> list[Metric]:
        """Nothing is asked before there is somebody to answer."""
        return []

    def collect(self) -> Iterator[Metric]:
        names = ["tenant", "campaign"]
        state = GaugeMetricFamily(
            "centralita_campaign_state", "1 for the state a campaign is in", labels=[*names, "state"]
        )
        lines = GaugeMetricFamily("centralita_campaign_lines", "Attempts under way", labels=[*names, "state"])
        hopper = GaugeMetricFamily("centralita_campaign_hopper", "Leads staged and not dialed", labels=names)
        ratio = GaugeMetricFamily(
            "centralita_abandonment_ratio", "Abandoned of live answers in the legal window", labels=[*names, "rule"]
        )
        spare = GaugeMetricFamily(
            "centralita_abandonment_spare", "How many more may be abandoned before the cap", labels=[*names, "rule"]
        )
        for view in self._views():
            name = [str(view["tenant"]), str(view["campaign"])]
            state.add_metric([*name, str(view["state"])], 1.0)
            hopper.add_metric(name, float(view["hopper"]))
            for what, count in view["lines"].items():
                lines.add_metric([*name, what], float(count))
            for limit in view["abandonment"]:
                ratio.add_metric([*name, str(limit["rule"])], float(limit["ratio"]))
                spare.add_metric([*name, str(limit["rule"])], float(limit["spare"]))
        away = GaugeMetricFamily("centralita_lead_store_away_seconds", "How long the store of leads has not answered")
        away.add_metric([], self._away_s())
        unsaved = GaugeMetricFamily("centralita_leads_unsaved", "Rows that wait for the store of leads")
        unsaved.add_metric([], float(self._unsaved()))
        yield from (state, lines, hopper, ratio, spare, away, unsaved)
