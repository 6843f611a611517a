"""How fast flows run without a phone: scenario runs a second of a six-node path, and the cost of one fact; how long
many and big flows take to load and to draw.

    python bench/flows.py [--seconds 5]

One run is a whole call in virtual time: welcome, opening hours, a menu, a number with its check and read-back, a web
request, goodbye. "Engine" is the same call fact by fact with a snapshot after each, as the engine takes them.
"""

from __future__ import annotations

import argparse
import gc
import sys
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from definitions.models import validate
from definitions.problems import Problems
from definitions.yaml import load_marked
from ivr import snapshot
from ivr.calendars import Calendar
from ivr.draw import draw
from ivr.interpreter import Start, Step, World
from ivr.loader import Context, load
from ivr.scenario.caller import Caller
from ivr.scenario.compare import compare
from ivr.scenario.model import ScenarioFile
from ivr.scenario.runner import play, promises_of
from ivr.scenario.tiny import tiny_release

CONTEXT = Context(languages=("es", "en"), time_zone="Europe/Madrid", country="ES")
FLOW = {
    "languages": ["es", "en"],
    "defaults": {
        "no_input": {"prompt": {"es": "No hemos oído nada.", "en": "We heard nothing."}, "then": "goodbye"},
        "no_match": {"prompt": {"es": "Esa opción no existe.", "en": "No such choice."}, "then": "goodbye"},
        "error": {"prompt": {"es": "Lo sentimos.", "en": "We are sorry."}, "then": "goodbye"},
    },
    "nodes": {
        "welcome": {"type": "play", "prompt": {"es": "Bienvenido a Acme.", "en": "Welcome to Acme."}, "next": "open"},
        "open": {"type": "hours", "calendar": "office", "open": "main", "closed": "goodbye"},
        "main": {
            "type": "menu",
            "prompt": {"es": "Para su saldo marque 1, para ventas 2.", "en": "For your balance press 1, for sales 2."},
            "keys": {"1": "document", "2": "goodbye", "9": {"language": "en"}},
        },
        "document": {
            "type": "collect",
            "prompt": {"es": "Marque su documento.", "en": "Enter your document."},
            "digits": "8",
            "validate": [{"kind": "document", "country": "es"}],
            "into": "document",
            "next": "balance",
        },
        "balance": {
            "type": "http",
            "url": "https://crm.example/{{ document }}",
            "into": {"balance": "balance"},
            "next": "goodbye",
        },
        "goodbye": {
            "type": "hangup",
            "prompt": {"es": "Debe {{ balance | default('0') }} euros. Adiós.", "en": "Goodbye."},
        },
    },
}
TEST = """
flow: balance
tests:
  - name: a caller hears her balance
    given:
      caller: "+34911234567"
      http: [{url: "https://crm.example/*", reply: {json: {balance: "120"}}}]
    steps: [press: "1", press: "12345678"]
    expect:
      heard: ["Bienvenido a Acme", "Para su saldo", "Debe 120 euros"]
      reached: [welcome, open, main, document, balance, goodbye]
      variables: {document: 12345678Z, balance: "120"}
      ended: completed
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=5.0)
    seconds = parser.parse_args().seconds
    office = Calendar.model_validate({"time_zone": "Europe/Madrid", "hours": {"mon-sun": "0:00-24:00"}})
    release = tiny_release({"balance": FLOW}, calendars={"office": office})
    flow = release.flows["main", "balance"]
    marked = load_marked(TEST, "balance.test.yaml")
    assert not isinstance(marked, Problems), marked
    scenarios = validate(ScenarioFile, marked)
    assert not isinstance(scenarios, Problems), str(scenarios)
    test = scenarios.tests[0]

    def scenario() -> None:
        caller = play(test, flow, release, test.given).caller
        assert not compare(test.expect, caller)

    steps: list[Step] = []

    class Recorder(Caller):
        def _take(self, step: Step) -> None:
            steps.append(step)
            super()._take(step)

    caller = Recorder(World(release), Start("i-1", "leg-1", "main", "balance", "es"), 1.77e9, promises_of(test.given))
    caller.listen()
    caller.press("1")
    caller.listen()
    caller.press("12345678")
    caller.listen()
    facts = len(steps)
    middle = max(steps, key=lambda step: len(snapshot.dump(step.run))).run

    print(f"{'':34}{'per second':>12}{'best 0.1 s':>12}{'each':>12}")
    show("scenario runs (6 nodes)", rate(scenario, seconds))
    print(f"{'  facts in one run':34}{facts:>12,}")
    show("snapshots written", rate(lambda: snapshot.dump(middle), seconds / 3))
    written = snapshot.dump(middle)
    show("snapshots read", rate(lambda: snapshot.load(written), seconds / 3))
    print(f"{'  bytes of the largest snapshot':34}{len(written):>12,}")
    many = {f"flows/f{number}.yaml": menus(f"f{number}", 50) for number in range(100)}
    show_once("100 flows of 50 nodes loaded", lambda: load(many, CONTEXT))
    big = load({"flows/big.yaml": menus("big", 300)}, CONTEXT).release
    assert big is not None
    show_once("a flow of 300 nodes drawn", lambda: draw(big.flows["main", "big"]))


def menus(flow: str, count: int) -> str:
    """A flow of that many menus, each leading to four others."""
    lines = [f"flow: {flow}", "start: n0", "languages: es", "nodes:"]
    for index in range(count):
        keys = ", ".join(f'"{key}": n{(index * 7 + key * 13 + 1) % count}' for key in range(3))
        lines.append(f"  n{index}: {{type: menu, prompt: hola {index}, keys: {{{keys}, '9': n{(index + 1) % count}}}}}")
    return "\n".join(lines)


def rate(work: Callable[[], object], seconds: float) -> tuple[float, float]:
    """Times a second of one core's time (not of the clock on the wall): over everything, and in the best tenth of a
    second, which is what an undisturbed core does."""
    for _ in range(50):
        work()
    gc.collect()
    windows: list[float] = []
    total, begin_s = 0, time.process_time()
    while time.process_time() - begin_s < seconds:
        count, window_s = 0, time.process_time()
        while (spent_s := time.process_time() - window_s) < 0.1:
            for _ in range(20):
                work()
            count += 20
        windows.append(count / spent_s)
        total += count
    return total / (time.process_time() - begin_s), max(windows)


def show(what: str, rates: tuple[float, float]) -> None:
    mean, best = rates
    print(f"{what:34}{mean:>12,.0f}{best:>12,.0f}{1e6 / mean:>9,.1f} µs")


def show_once(what: str, work: Callable[[], object]) -> None:
    """The better of two: other work on the machine slows the caches too."""
    spent_s = []
    for _ in range(2):
        began_s = time.process_time()
        work()
        spent_s.append(time.process_time() - began_s)
    print(f"{what:34}{'':>24}{min(spent_s):>9,.2f} s")


if __name__ == "__main__":
    main()
