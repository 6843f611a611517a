"""What Prometheus reads from the engine."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.core import CounterMetricFamily, Metric
from prometheus_client.registry import Collector


class Metrics:
    """One registry per engine, so several live in one test process."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        r = self.registry
        self.open_interactions = Gauge("centralita_interactions_open", "Interactions in progress", registry=r)
        self.closed_interactions = Counter(
            "centralita_interactions_closed", "Interactions by outcome", ["outcome"], registry=r
        )
        self.refused_arrivals = Counter("centralita_arrivals_refused", "Legs turned away at the door", registry=r)
        self.refused_events = Counter("centralita_events_refused", "Events no handler could take", registry=r)
        self.late_events = Counter("centralita_events_late", "Events of interactions that are over", registry=r)
        self.gaps = Counter("centralita_gaps", "Times events were or may have been missed", registry=r)
        self.lost_recordings = Counter(
            "centralita_recordings_lost", "Recordings that could not be made or kept", registry=r
        )
        self.node_up = Gauge("centralita_node_up", "1 while the telephony node is connected", ["node"], registry=r)
        self.journal_healthy = Gauge("centralita_journal_healthy", "1 while the journal takes writes", registry=r)
        self.projection_lag = Gauge("centralita_projection_lag_events", "Journal events not yet in SQL", registry=r)
        self.media_workers = Gauge("centralita_media_workers", "Media workers that are ready", registry=r)
        self.legs_heard = Gauge("centralita_legs_heard", "Legs that are listened to", registry=r)
        self.loop_delay_s = Histogram(
            "centralita_loop_delay_seconds",
            "How late the engine's loop runs",
            buckets=(0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0),
            registry=r,
        )
        self.events = EventCounts()
        r.register(self.events)


class EventCounts(Collector):
    """Events by type: plain numbers, since only the engine's own thread counts them."""

    def __init__(self) -> None:
        self._by_type: defaultdict[type, int] = defaultdict(int)

    def add(self, kind: type) -> None:
        self._by_type[kind] += 1

    def collect(self) -> Iterator[Metric]:
        family = CounterMetricFamily("centralita_events", "Events by type", labels=["type"])
        for kind, count in list(self._by_type.items()):
            family.add_metric([kind.__name__], count)
        yield family
