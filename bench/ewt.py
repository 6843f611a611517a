"""How many callers are answered within the range of minutes they were told, by estimator.

    python -m bench.ewt [--days 5] [--seed 1000]        some minutes; other seeds, other calls

Six floors, steady and not, each day told apart by its seed. Callers hear their expected wait after 10 s, then every
30 s; each announcement to somebody who was answered later is judged to the second, by the whole minutes that were said.
`said` is what they heard: the estimator that erred less in that queue so far. To reach: 80 %.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

sys.path.insert(0, str(Path(__file__).parent.parent))

from acd.ewt import NAMES
from acd.setup import Announcements, QueueSetup, Setup
from acd.simulation.announced import SAID, Announced, AnnouncedDay, held_percent, mean_width
from acd.simulation.definitions import ScenarioFile, scenario_of

SETUP = Setup(queues={("main", "sales"): QueueSetup("main", "sales", wrap_up_s=0.0)})
TOLD = Announcements(first_s=10.0, every_s=30.0, ewt=True)


def floor(agents: list[dict[str, str]], **calls: Any) -> ScenarioFile:
    return ScenarioFile.model_validate(
        {"scenario": "ewt", "from": "8:00", "until": "20:00", "agents": agents, "queues": {"sales": calls}}
    )


FLOORS = {
    "2 agents, nearly all the time at work": floor(
        [{"count": "2"}], per_hour="28", talk_s={"mean": "200"}, patience_s={"mean": "900"}
    ),
    "5 agents, nearly all the time at work": floor(
        [{"count": "5"}], per_hour="115", talk_s={"mean": "150", "deviation": "120"}, patience_s={"mean": "600"}
    ),
    "5 agents, more calls than they can take": floor(
        [{"count": "5"}], per_hour="150", talk_s={"mean": "150", "deviation": "120"}, patience_s={"mean": "300"}
    ),
    "10 to 14 agents, two peaks": floor(
        [{"count": "10"}, {"count": "4", "from": "10:00", "until": "13:00"}],
        arrivals=[
            {"until": until, "per_hour": per_hour}
            for until, per_hour in (
                ("10:00", "150"),
                ("12:00", "300"),
                ("15:00", "180"),
                ("17:00", "260"),
                ("20:00", "150"),
            )
        ],
        talk_s={"mean": "180", "deviation": "150"},
        wrap_up_s={"mean": "20", "deviation": "10"},
        patience_s={"mean": "400"},
    ),
    "16 agents, half of them leave at 13:00": floor(
        [{"count": "8"}, {"count": "8", "until": "13:00"}],
        per_hour="260",
        talk_s={"mean": "180"},
        patience_s={"mean": "240"},
    ),
    "50 agents, nearly all the time at work": floor(
        [{"count": "50"}], per_hour="1050", talk_s={"mean": "170"}, patience_s={"mean": "300"}
    ),
}


def announced(file: ScenarioFile, days: int, seed: int) -> list[Announced]:
    scenario, setup = scenario_of(file, SETUP, days, seed)
    found: list[Announced] = []
    for n in range(days):
        day = AnnouncedDay(setup, scenario, seed + n, TOLD)
        day.run()
        found += day.announced
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--days", type=int, default=5, help="of each floor")
    parser.add_argument("--seed", type=int, default=1000)
    asked = parser.parse_args()
    table = Table(title=f"answered within what was told, % ({asked.days} days from seed {asked.seed})")
    table.add_column("floor")
    for name in ("announced", "wait after, s", SAID, "first one", *NAMES, "said range, min"):
        table.add_column(name, justify="right")
    everywhere: list[Announced] = []
    for name, file in FLOORS.items():
        everywhere += (found := announced(file, asked.days, asked.seed))
        table.add_row(name, *_row(found))
    table.add_section()
    table.add_row("all", *_row(everywhere))
    Console(width=150).print(table)


def _row(found: list[Announced]) -> list[str]:
    shares = [held_percent(found, SAID), held_percent([one for one in found if one.first], SAID)]
    shares += [held_percent(found, name) for name in NAMES]
    waits = [one.waited_s for one in found]
    mean_s = sum(waits) / len(waits) if waits else float("nan")
    return [f"{len(found):,}", f"{mean_s:.0f}", *(f"{share:.1f}" for share in shares), f"{mean_width(found, SAID):.1f}"]


if __name__ == "__main__":
    main()
