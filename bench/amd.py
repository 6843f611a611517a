"""Who is right about what answered: Asterisk's `app_amd` beside our detectors, over the same calls.

    python -m bench.amd [--quick] [--offline] [--words] [--live SHARE] [--at-once 30] [--json FILE]

Needs the corpus (`python -m training.amd.corpus`, docs/detection.md); it is synthetic. Every example is ten seconds of
A-law from the answer on. All of them go through one real Asterisk to `app_amd` with the amd.conf that Asterisk ships
and with VICIdial's arguments; ours hears all of them offline, and a share of them live over the same Asterisk and the
media workers, to show that both agree. `talk_detect`: what our judge makes of when it was loud, offline by
TALK_DETECT's own measure, and live.
`--quick`: one example in five. `--offline`: without Asterisk, so without app_amd. `--words`: also ours with words,
offline, by the installed recogniser: some minutes more.

Wrong means: somebody is sent where she does not belong. `not_sure` (and app_amd's NOTSURE) goes to a person, for
everybody alike.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
import uvloop
from rich.console import Console

from bench.amd_examples import TONES, Example, Told, described, examples, is_right, offline, talked, worded
from bench.amd_tables import confusion, summary
from dialer.amd.profiles import PROFILES as TALK_PROFILES
from training.amd.corpus import default_folder

QUICK = 0.2


async def through_asterisk(
    found: Sequence[Example], live: Sequence[Example], at_once: int, words: bool, say: Console
) -> dict[str, list[Told]]:
    from bench.amd_calls import PROFILES, app_amd, ours, stage

    with tempfile.TemporaryDirectory(prefix="bench-amd-") as folder:
        async with stage(Path(folder), words=words) as at:
            told = {}
            for profile in PROFILES:
                say.print(f"app_amd, {profile}: {len(found)} calls")
                told[f"app_amd {profile}"] = await app_amd(at, found, profile, at_once)
            say.print(f"ours, live: {len(live)} calls")
            told["ours, live"] = await ours(at, live, at_once)
            if words:
                say.print(f"ours, words, live: {len(live)} calls")
                told["ours, words, live"] = await ours(at, live, at_once, words=True)
            for profile in TALK_PROFILES:
                say.print(f"talk_detect {profile}, live: {len(live)} calls")
                told[f"talk_detect {profile}, live"] = await ours(
                    at, live, at_once, listener="talk_detect", profile=profile
                )
            return told


def agreement(live: Sequence[Told], pure: Sequence[Told]) -> dict[str, float]:
    """Of the same examples: how often both say the same, and how much later the wire knows it (seconds)."""
    by_name = {one.name: one for one in pure}
    both = [(one, by_name[one.name]) for one in live if one.label != "failed"]
    same = [(one, other) for one, other in both if one.label == other.label]
    later = sorted(one.at_s - other.at_s for one, other in same) or [0.0]
    return {
        "calls": len(live),
        "failed": len(live) - len(both),
        "same verdict": len(same) / max(1, len(both)),
        "later, p50 s": later[len(later) // 2],
        "later, p95 s": later[int(len(later) * 0.95)],
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, default=default_folder())
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--offline", action="store_true")
    parser.add_argument("--words", action="store_true")
    parser.add_argument("--live", type=float, default=0.25, help="share of the examples that ours hears live")
    parser.add_argument("--at-once", type=int, default=30)
    parser.add_argument("--json", type=Path, help="everything that was told of every example")
    asked = parser.parse_args()
    console = Console(width=140)
    found = examples(asked.folder, QUICK if asked.quick else 1.0)
    if not any(one.side == "human" for one in found):
        print("no corpus: python -m training.amd.corpus first (docs/detection.md)", file=sys.stderr)
        return 2
    for name, count in described(found, asked.folder).items():
        console.print(f"{name}: {count}")
    told: dict[str, list[Told]] = {"ours": offline(found)}
    if asked.words:
        told["ours, words"], recognised = worded(found)
        cost_s = recognised.cost_s
        console.print(f"recogniser: asked {len(cost_s) / recognised.calls:.2f} times a call,", end=" ")
        console.print(f"{np.median(cost_s):.2f} / {np.quantile(cost_s, 0.95):.2f} s of the processor each (p50 / p95)")
    told |= {f"talk_detect {profile}": talked(found, profile) for profile in TALK_PROFILES}
    if not asked.offline:
        live = [one for n, one in enumerate(found) if n * asked.live % 1 < asked.live]
        told |= uvloop.run(through_asterisk(found, live, asked.at_once, asked.words, console))
    by_name = {one.name: one for one in found}
    for name, verdicts in told.items():
        console.print(confusion(name, verdicts, by_name))
    live_ones = {name: each for name, each in told.items() if name.endswith(", live")}
    console.print(summary({name: each for name, each in told.items() if name not in live_ones}, by_name))
    if live_ones:
        console.print(summary(live_ones, by_name))
    for name in live_ones:
        for what, value in agreement(told[name], told[name.removesuffix(", live")]).items():
            console.print(f"{name} beside offline, {what}: {value:.3g}")
    wrong = Counter(
        (by_name[one.name].truth, one.label)
        for one in told["ours"]
        if by_name[one.name].side == TONES and not is_right(by_name[one.name], one.label)
    )
    for (truth, label), count in wrong.items():
        console.print(f"{truth} called {label}: {count}")
    if asked.json:
        asked.json.write_text(json.dumps({name: [asdict(one) for one in each] for name, each in told.items()}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
