"""`centralita simulate acd` beside theory where it is exact, and how quickly it plays a big day.

    python -m bench.simulation [--days 10]        some minutes

Erlang A: 48 calls a minute, mean talk 1 min, 50 agents, patience 2 min. Erlang C: 100 calls in half an hour, mean talk
180 s, 14 agents. Then 100,000 calls and 300 agents in one day, of which only the CPU time of one core is of interest.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from rich.console import Console
from rich.table import Table

sys.path.insert(0, str(Path(__file__).parent.parent))

from acd.setup import QueueSetup, ServiceLevel, Setup
from acd.simulation.chart import shown
from acd.simulation.definitions import ScenarioFile, scenario_of
from acd.simulation.outcome import Outcome
from acd.simulation.play import play

KEY = ("main", "sales")
SETUP = Setup(queues={KEY: QueueSetup("main", "sales", wrap_up_s=0.0, service_level=ServiceLevel(80, 20, 0))})


def played(days: int, agents: int, hours: int, calls: dict[str, object]) -> tuple[Outcome, float]:
    """The outcome, and the CPU seconds it took."""
    file = ScenarioFile.model_validate(
        {
            "scenario": "theory",
            "from": "0:00",
            "until": f"{hours}:00",
            "warm_up_s": "1800",
            "answer_s": "0",
            "agents": [{"count": str(agents)}],
            "queues": {"sales": calls},
        }
    )
    scenario, setup = scenario_of(file, SETUP, days, seed=1)
    began_s = time.process_time()
    return play(setup, scenario), time.process_time() - began_s


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--days", type=int, default=10)
    days = parser.parse_args().days
    table = Table("scenario", "figure", "theory", "simulated", "inside")
    a, _ = played(days, 50, 8, {"per_hour": "2880", "talk_s": {"mean": "60"}, "patience_s": {"mean": "120"}})
    c, _ = played(days, 14, 20, {"per_hour": "200", "talk_s": {"mean": "180"}})
    exact = [
        ("Erlang A", "abandoned %", a.figure("abandoned", KEY), 3.09),
        ("Erlang A", "mean wait s", a.figure("wait_s", KEY), 3.71),
        ("Erlang C", "answered in 20 s, %", c.figure("service_level", KEY), 88.8),
        ("Erlang C", "had to wait %", c.figure("waited", KEY), 17.4),
    ]
    for scenario, name, figure, theory in exact:
        table.add_row(scenario, name, f"{theory:g}", shown(figure, 2), "yes" if figure.holds(theory) else "NO")
    for scenario, outcome in (("Erlang A", a), ("Erlang C", c)):
        table.add_row(scenario, "wait as told %", "80", shown(outcome.figure("as_told", KEY)), "")
    Console().print(table)
    big, spent_s = played(1, 300, 10, {"per_hour": "10000", "talk_s": {"mean": "100"}, "patience_s": {"mean": "120"}})
    calls, facts = len(big.days[0].ends), big.days[0].facts
    print(f"a day of {calls:,} calls and 300 agents: {spent_s:.1f} s of one core ({facts / spent_s:,.0f} facts/s)")


if __name__ == "__main__":
    main()
