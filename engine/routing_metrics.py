"""What Prometheus reads about queues and agents."""

from __future__ import annotations

from collections import Counter as Tally
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from core.decisions import Decision, OfferDecided, StayEnded, WorkEnded

_WAITS_S = (0.05, 0.25, 1.0, 5.0, 10.0, 20.0, 40.0, 60.0, 120.0, 180.0, 300.0, 600.0)


class RoutingMetrics:
    """Counted as decisions are made; `watch` adds what is true at the moment of asking."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._registry = registry
        self.refused = Counter("centralita_routing_refused", "Facts the router could not handle", registry=registry)
        self.offers = Counter("centralita_offers", "Offers made to agents", ["tenant", "queue"], registry=registry)
        self.stays = Counter(
            "centralita_queue_stays", "Queue stays by the way they ended", ["tenant", "queue", "how"], registry=registry
        )
        self.work = Counter("centralita_agent_work", "Agents' work by the way it ended", ["how"], registry=registry)
        self.time_to_offer_s = Histogram(
            "centralita_time_to_offer_seconds", "Wait until an agent was offered", buckets=_WAITS_S, registry=registry
        )

    def count(self, decision: Decision) -> None:
        match decision:
            case OfferDecided():
                self.offers.labels(decision.tenant, decision.queue).inc()
                self.time_to_offer_s.observe(decision.waited_s)
            case StayEnded():
                self.stays.labels(decision.tenant, decision.queue, decision.how).inc()
            case WorkEnded():
                self.work.labels(decision.how).inc()
            case _:
                pass

    def watch(self, board: Callable[[], Mapping[str, Sequence[Mapping[str, Any]]]]) -> None:
        """`board()`: views of `queues` as the control socket gives them; of `agents`, tenant and looks are enough."""
        self._registry.register(_Now(board))


class _Now(Collector):
    def __init__(self, board: Callable[[], Mapping[str, Sequence[Mapping[str, Any]]]]) -> None:
        self._board = board

    def describe(self) -> list[Metric]:
        """Nothing is asked before there is somebody to answer."""
        return []

    def collect(self) -> Iterator[Metric]:
        board = self._board()
        waiting = GaugeMetricFamily("centralita_queue_waiting", "Waiting contacts", labels=["tenant", "queue"])
        longest = GaugeMetricFamily(
            "centralita_queue_longest_wait_seconds", "The longest wait right now", labels=["tenant", "queue"]
        )
        for queue in board["queues"]:
            names = [str(queue["tenant"]), str(queue["queue"])]
            waiting.add_metric(names, float(queue["waiting"]))
            longest.add_metric(names, float(queue["longest_wait_s"]))
        agents = GaugeMetricFamily("centralita_agents", "Agents by what they look like", labels=["tenant", "looks"])
        looks = Tally((str(agent["tenant"]), str(agent["looks"])) for agent in board["agents"])
        for names_of, number in sorted(looks.items()):
            agents.add_metric(list(names_of), float(number))
        yield from (waiting, longest, agents)
