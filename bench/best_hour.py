"""What it brings to try people again at the hours at which they are reached.

    python -m bench.best_hour [--leads 4000] [--seeds 5] [--json]                       some seconds

Virtual people of four habits (at work by day, at home, on shifts, hardly ever there) are called Monday to Friday, 9 to
21 h, five times at most, first at any hour. Beside one another: no sooner than four hours later; at the same hour of
the next day; `best_hour`, which learns from the campaign's attempts as they come; and `clairvoyant`, which knows each
one's habits. Nobody waits for a line here: what counts is how many are reached, and with how many calls.

`busiest hour`: the share of all calls that fall into it. Even would be 8.3 %.
"""

from __future__ import annotations

import argparse
import heapq
import json
import random
import statistics
import sys
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime

from rich.console import Console
from rich.table import Table

from dialer.best_hour import Counts, Slot, choose, noted, slot_of

ZONE = "Europe/Madrid"
MONDAY_S = datetime(2026, 11, 22, 23, tzinfo=UTC).timestamp()
HOUR_S, DAY_S = 3600.0, 86_400.0
OPENS, CLOSES, MOST = 9, 21, 5
HABITS: Mapping[str, tuple[float, Mapping[int, float]]] = {
    "at work": (0.55, {**dict.fromkeys(range(9, 18), 0.05), 14: 0.15, 18: 0.25, 19: 0.45, 20: 0.45}),
    "at home": (0.20, {**dict.fromkeys(range(9, 21), 0.2), 10: 0.5, 11: 0.5, 12: 0.45, 17: 0.4, 18: 0.4}),
    "on shifts": (0.10, {**dict.fromkeys(range(9, 21), 0.05), 12: 0.4, 13: 0.45, 15: 0.4, 16: 0.35}),
    "hardly there": (0.15, dict.fromkeys(range(9, 21), 0.02)),
}
"""Share of the people, and how likely they answer at each hour."""


@dataclass(frozen=True, slots=True)
class Lead:
    lead_id: int
    habit: str


@dataclass(frozen=True, slots=True)
class Found:
    policy: str
    reached: float
    calls_per_reached: float
    busiest_hour: float
    days: float


Again = Callable[[Lead, float, Sequence[Slot], Mapping[Slot, Counts]], float]


def is_open(at_s: float) -> bool:
    return OPENS <= slot_of(at_s, ZONE) < CLOSES


def opening(at_s: float) -> float:
    """`at_s`, or the next time at which people may be called."""
    while not is_open(at_s):
        at_s = (at_s // HOUR_S + 1) * HOUR_S
    return at_s


def soonest(lead: Lead, now_s: float, missed: Sequence[Slot], counts: Mapping[Slot, Counts]) -> float:
    return opening(now_s + 4 * HOUR_S)


def next_day(lead: Lead, now_s: float, missed: Sequence[Slot], counts: Mapping[Slot, Counts]) -> float:
    return opening(now_s + DAY_S)


def best_hour(lead: Lead, now_s: float, missed: Sequence[Slot], counts: Mapping[Slot, Counts]) -> float:
    draw = f"{lead.lead_id}.{len(missed)}"
    return choose(counts, missed, ZONE, opening(now_s + 4 * HOUR_S), DAY_S, is_open, draw)


def clairvoyant(lead: Lead, now_s: float, missed: Sequence[Slot], counts: Mapping[Slot, Counts]) -> float:
    hours = [opening(now_s + (4 + n) * HOUR_S) for n in range(24)]
    return max(hours, key=lambda at_s: HABITS[lead.habit][1][slot_of(at_s, ZONE) % 24])


POLICIES: Mapping[str, Again] = {
    "soonest": soonest,
    "next_day": next_day,
    "best_hour": best_hour,
    "clairvoyant": clairvoyant,
}


def week(policy: str, leads: int, seed: int) -> Found:
    """One list, called until everybody was reached or tried `MOST` times."""
    chance = random.Random(seed)
    habits, shares = list(HABITS), [share for share, _ in HABITS.values()]
    people = [Lead(number, chance.choices(habits, shares)[0]) for number in range(leads)]
    due = [(MONDAY_S + chance.uniform(OPENS, CLOSES) * HOUR_S, one.lead_id) for one in people]
    heapq.heapify(due)
    counts: dict[Slot, Counts] = {}
    missed: dict[int, list[Slot]] = {}
    hours: Counter[int] = Counter()
    reached, at_s = 0, MONDAY_S
    while due:
        at_s, lead_id = heapq.heappop(due)
        slot, lead = slot_of(at_s, ZONE), people[lead_id]
        hours[slot % 24] += 1
        there = chance.random() < HABITS[lead.habit][1][slot % 24]
        counts = noted(counts, slot, there)
        reached += there
        tries = missed.setdefault(lead_id, [])
        tries.append(slot)
        if not there and len(tries) < MOST:
            heapq.heappush(due, (POLICIES[policy](lead, at_s, tries, counts), lead_id))
    calls = hours.total()
    return Found(policy, reached / leads, calls / reached, max(hours.values()) / calls, (at_s - MONDAY_S) / DAY_S)


def measure(leads: int, seeds: int) -> list[Found]:
    found = []
    for policy in POLICIES:
        weeks = [week(policy, leads, seed) for seed in range(seeds)]
        means = [
            statistics.mean(getattr(one, name) for one in weeks)
            for name in ("reached", "calls_per_reached", "busiest_hour", "days")
        ]
        found.append(Found(policy, *means))
    return found


def show(found: Sequence[Found]) -> None:
    table = Table(title=f"At most {MOST} calls each")
    for name in ("tried again", "reached", "calls for one reached", "busiest hour", "days"):
        table.add_column(name, justify="left" if name == "tried again" else "right")
    for one in found:
        share, busiest = f"{one.reached:.1%}", f"{one.busiest_hour:.1%}"
        table.add_row(one.policy, share, f"{one.calls_per_reached:.2f}", busiest, f"{one.days:.1f}")
    Console().print(table)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--leads", type=int, default=4000)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    found = measure(asked.leads, asked.seeds)
    if asked.json:
        print(json.dumps([asdict(one) for one in found]))
    else:
        show(found)
    return 0


if __name__ == "__main__":
    sys.exit(main())
