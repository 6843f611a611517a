"""Trains the judge of speech: `python -m training.amd.train` after `training.amd.corpus`.

First the network that listens (net.py), then the trees that know its opinion. Moments of many hearings of each training
clip are their rows; each clip of a kind weighs the same. The opinions that the trees learn from, and the predictions on
which thresholds are chosen (choosing.py), are those for clips held out from fitting (five folds, by text, whatever
names are filled in), judged moment by moment as live calls are. What
words weigh is counted in what `training.amd.transcripts` wrote down; without that they weigh nothing. The test set is
not read here: `bench.amd` does that.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jax
import lightgbm
import numpy as np
from rich.console import Console
from rich.table import Table

from dialer.amd import model as amd_model
from dialer.amd.features import NAMES, SOUND
from training.amd import net
from training.amd.backgrounds import backgrounds
from training.amd.choosing import chosen
from training.amd.clips import PEOPLE, spoken
from training.amd.corpus import default_folder
from training.amd.moments import Moments, Rows, moments
from training.amd.policy import Figures, Thresholds, Verdicts
from training.amd.transcripts import word_calls, word_weights

HEARINGS = 4
FOLDS = 5
KIND_SHARES = {"short": 0.55, "business": 0.45, "voicemail": 0.65, "screener": 0.05, "recorded": 0.2, "network": 0.1}
"""How much of its side (people, machines) each kind weighs, however many clips there are of it."""
REST_WEIGHS = 2.5
"""A moment in a pause, against one in the middle of speech: that is where it is decided."""
UNTIL_REST_S = 1.4
"""Moments after the first pause of so much are not learned: by then all is decided."""
SHORT_WEIGHS, SHORT_S = 3.0, 1.5
"""A moment of who has said less than that, against others: there a "hello?" is told from a greeting's first word."""
SETTINGS = {
    "objective": "binary",
    "learning_rate": 0.04,
    "num_leaves": 16,
    "max_depth": 6,
    "min_child_weight": 2.0,
    "min_data_in_leaf": 150,
    "lambda_l2": 5.0,
    "feature_fraction": 0.6,
    "bagging_fraction": 0.7,
    "bagging_freq": 1,
    "num_threads": 1,
    "seed": 3,
    "deterministic": True,
    "force_row_wise": True,
    "verbosity": -1,
}
ROUNDS = 300
_SPOKEN, _SOUND = NAMES.index("spoken_s"), NAMES.index(SOUND)


def weights(calls: Sequence[Moments]) -> list[Rows]:
    """One weight a moment; 0 where all is decided."""
    clips = Counter(call.clip.kind for call in calls)
    found = []
    for call in calls:
        over = np.flatnonzero(call.rest_s >= UNTIL_REST_S)
        until = over[0] if len(over) else len(call.at_s)
        each = np.where(call.rest_s > 0.08, REST_WEIGHS, 1.0) * (np.arange(len(call.at_s)) < until)
        each_of = each.sum()
        each *= np.where(call.rows[:, _SPOKEN] < SHORT_S, SHORT_WEIGHS, 1.0)
        share = KIND_SHARES[call.clip.kind] / clips[call.clip.kind]
        found.append(each * share / max(1e-9, each_of))
    return found


def fitted(calls: Sequence[Moments], weighed: Sequence[Rows]) -> lightgbm.Booster:
    rows = np.concatenate([call.rows for call in calls])
    truth = np.concatenate([np.full(len(call.at_s), float(call.clip.truth == PEOPLE)) for call in calls])
    weight = np.concatenate(weighed)
    used = weight > 0
    weight = weight * used.sum() / weight.sum()
    return lightgbm.train(SETTINGS, lightgbm.Dataset(rows[used], truth[used], weight=weight[used]), ROUNDS)


def folds(calls: Sequence[Moments]) -> list[int]:
    return [int(call.clip.group.encode().hex(), 16) % FOLDS for call in calls]


def listened(calls: Sequence[Moments], weighed: Sequence[Rows]) -> list[Moments]:
    """With the opinion of a network that did not learn from that text."""
    found = list(calls)
    for fold, (own, others) in enumerate(parted(calls)):
        weights = net.trained([calls[n] for n in own], [weighed[n] for n in own])
        for n, odds in zip(others, net.odds(weights, [calls[n] for n in others]), strict=True):
            rows = calls[n].rows.copy()
            rows[:, _SOUND] = odds
            found[n] = replace(calls[n], rows=rows)
        print(f"network {fold + 1} of {FOLDS} is trained", flush=True)
    return found


def parted(calls: Sequence[Moments]) -> list[tuple[list[int], list[int]]]:
    """Of each fold: which calls are learned from, and which are held out."""
    held = folds(calls)
    return [
        ([n for n, other in enumerate(held) if other != fold], [n for n, other in enumerate(held) if other == fold])
        for fold in range(FOLDS)
    ]


def held_out(calls: Sequence[Moments], weighed: Sequence[Rows]) -> list[Rows]:
    """How likely a person, of every moment, by a judge who did not learn from that text."""
    chances: list[Rows] = [np.zeros(0)] * len(calls)
    for own, others in parted(calls):
        partial = fitted([calls[n] for n in own], [weighed[n] for n in own])
        for n in others:
            chances[n] = np.asarray(partial.predict(calls[n].rows))
    return chances


def first_texts(calls: Sequence[Moments], chances: Sequence[Rows]) -> Verdicts:
    """Of ordinary texts: those that came later are harder on purpose, most of them one short word at first."""
    own = [n for n, call in enumerate(calls) if not call.clip.later]
    return Verdicts([calls[n] for n in own], [chances[n] for n in own])


def exported(booster: lightgbm.Booster) -> tuple[dict[str, list[Any]], int]:
    """The trees as lists of nodes, and the longest way down."""
    nodes: dict[str, list[Any]] = {name: [] for name in ("feature", "limit", "left", "right", "value", "roots")}

    def add(node: dict[str, Any]) -> tuple[int, int]:
        at = len(nodes["feature"])
        leaf = "leaf_value" in node
        nodes["feature"].append(0 if leaf else node["split_feature"])
        nodes["limit"].append(0.0 if leaf else round(node["threshold"], 5))
        nodes["value"].append(round(node["leaf_value"], 5) if leaf else 0.0)
        nodes["left"].append(at)
        nodes["right"].append(at)
        if leaf:
            return at, 0
        (nodes["left"][at], one), (nodes["right"][at], other) = add(node["left_child"]), add(node["right_child"])
        return at, 1 + max(one, other)

    depth = 0
    for tree in booster.dump_model()["tree_info"]:
        root, deep = add(tree["tree_structure"])
        nodes["roots"].append(root)
        depth = max(depth, deep)
    return nodes, depth


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, default=default_folder())
    parser.add_argument("--hearings", type=int, default=HEARINGS, help="of each clip")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--dry", action="store_true", help="write no model")
    asked = parser.parse_args()
    clips = spoken(asked.folder, "train")
    behind = backgrounds(asked.folder, "train", clips)
    calls = [
        call
        for call in moments(clips, asked.hearings, behind, asked.folder / "moments", asked.processes)
        if len(call.at_s)
    ]
    weighed = weights(calls)
    calls = listened(calls, weighed)
    limits, found = chosen(first_texts(calls, held_out(calls, weighed)))
    booster = fitted(calls, weighed)
    show(calls, limits, found, booster)
    if asked.dry:
        return
    nodes, depth = exported(booster)
    kept = {
        "made": {
            "on": datetime.now(UTC).date().isoformat(),
            "by": f"training/amd/train.py, LightGBM {lightgbm.__version__}, JAX {jax.__version__}",
            "from": "synthetic speech and recorded prompts, heard through simulated telephones (docs/detection.md)",
            "clips": dict(Counter(f"{clip.kind} {clip.language}" for clip in clips)),
            "voices": len({(clip.language, clip.voice) for clip in clips}),
            "hearings": len(calls),
            "transcripts": word_calls(asked.folder, clips, asked.hearings),
            "held_out": {name: round(value, 4) for name, value in vars(found).items()},
        },
        "words": word_weights(asked.folder, clips, asked.hearings),
        "features": NAMES,
        "thresholds": vars(limits),
        "depth": depth,
        "nodes": nodes,
        "net": net.kept(net.trained(calls, weighed)),
    }
    path = Path(amd_model.__file__).with_name(amd_model.FILE)
    path.write_text(json.dumps(kept, separators=(",", ":")).replace('],"', '],\n"') + "\n", encoding="utf-8")
    amd_model.loads(path.read_text(encoding="utf-8"))


def show(calls: Sequence[Moments], limits: Thresholds, found: Figures, booster: lightgbm.Booster) -> None:
    table = Table("held-out training clips", "")
    table.add_row("hearings", str(len(calls)))
    for name, value in {**vars(limits), **vars(found)}.items():
        table.add_row(name, f"{value:.4f}" if isinstance(value, float) else str(value))
    gains = booster.feature_importance("gain")
    for n in np.argsort(-gains)[:10]:
        table.add_row(f"gain of {NAMES[n]}", f"{gains[n] / gains.sum():.3f}")
    Console().print(table)


if __name__ == "__main__":
    main()
