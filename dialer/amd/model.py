"""The trained judge of speech: boosted decision trees over `features.NAMES`, kept in a JSON file beside this one.

`training/amd/train.py` writes that file; its `made` tells from what it was trained, and with which errors. Nothing but
numpy is needed to ask it: all trees are descended at once, some 30 microseconds a moment.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from math import exp

import numpy as np
from numpy.typing import NDArray

from dialer.amd.features import NAMES

FILE = "speech_model.json"
THRESHOLDS = (
    "human_from",
    "hello_from",
    "hello_s",
    "rested_from",
    "machine_until",
    "limit_until",
    "rest_s",
    "spoken_s",
)
RESTED_S = 1.2
"""A pause that a greeting hardly has before its next sentence or its beep."""
LATE_SPOKEN_S, ONE_BREATH_S = 4.0, 6.0
"""Who has spoken for less when the time is over is nothing for certain; so long in one breath speak machines."""
Numbers = NDArray[np.float64]
Places = NDArray[np.intp]


@dataclass(frozen=True)
class Model:
    """Nodes of all trees in one list: `feature`, `limit` (up to it, it goes `left`, beyond, `right`), `value`. A leaf
    is its own left and right. `human_from`, `machine_until`: how likely a person is enough for each of the two
    verdicts; `hello_from`: for a person who has said less than `hello_s`; `rested_from`: for one after a pause of
    `RESTED_S`; `limit_until`: for a machine when the time is over. Nobody is called a person before a pause of
    `rest_s`, or a machine before `spoken_s` of speech. `words`: by how much each kind of them changes the odds of a
    person (logarithm)."""

    feature: Places
    limit: Numbers
    left: Places
    right: Places
    value: Numbers
    roots: Places
    depth: int
    human_from: float
    hello_from: float
    hello_s: float
    rested_from: float
    machine_until: float
    limit_until: float
    rest_s: float
    spoken_s: float
    words: Mapping[str, float] = field(default_factory=dict)

    def person(self, vector: Numbers) -> float:
        """The probability that it is a person."""
        at = self.roots
        for _ in range(self.depth):
            at = np.where(vector[self.feature[at]] <= self.limit[at], self.left[at], self.right[at])
        return float(1.0 / (1.0 + np.exp(-self.value[at].sum())))

    def wanted_from(self, spoken_s: float, rest_s: float) -> float:
        """How likely a person is enough for one who has spoken for so long, and paused since."""
        if rest_s >= RESTED_S:
            return self.rested_from
        return self.hello_from if spoken_s < self.hello_s else self.human_from

    def with_words(self, person: float, kind: str) -> float:
        """What is left of a probability, or becomes of it, when such words were said."""
        weight = self.words.get(kind, 0.0)
        if not weight:
            return person
        even = min(max(person, 1e-6), 1.0 - 1e-6)
        return float(1.0 / (1.0 + (1.0 - even) / even * exp(-weight)))


def loads(text: str) -> Model:
    """Raises ValueError when it was trained for other features."""
    kept = json.loads(text)
    if tuple(kept["features"]) != NAMES:
        raise ValueError("it was trained for other features: train it again (docs/detection.md)")
    nodes = kept["nodes"]
    return Model(
        feature=np.array(nodes["feature"], dtype=np.intp),
        limit=np.array(nodes["limit"], dtype=np.float64),
        left=np.array(nodes["left"], dtype=np.intp),
        right=np.array(nodes["right"], dtype=np.intp),
        value=np.array(nodes["value"], dtype=np.float64),
        roots=np.array(nodes["roots"], dtype=np.intp),
        depth=kept["depth"],
        **{name: kept["thresholds"][name] for name in THRESHOLDS},
        words=kept.get("words", {}),
    )


@cache
def shipped() -> Model:
    return loads(files("dialer.amd").joinpath(FILE).read_text(encoding="utf-8"))
