"""The trained judge of speech: boosted decision trees over `features.NAMES`, kept in a JSON file beside this one.

`training/amd/train.py` writes that file; its `made` tells from what it was trained, and with which errors. Nothing but
numpy is needed to ask it: all trees are descended at once, some 50 microseconds a moment. The network whose opinion is
one of the features (sound.py) is in the same file.
"""

from __future__ import annotations

import json
from bisect import bisect
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from math import exp

import numpy as np
from numpy.typing import NDArray

from dialer.amd.features import NAMES
from dialer.amd.sound import Net, net_from

FILE = "speech_model.json"
RESTED_S = 1.2
"""A pause that a greeting hardly has before its next sentence or its beep."""
RESTS_S = (0.04, 0.1, 0.16, 0.24, 0.32, 0.44, 0.6, 0.8, RESTED_S)
SPOKEN_S = (0.0, 0.5, 0.9, 1.5, 3.0)
"""From so long a pause, and from so much speech on, another probability is enough for a person."""
MACHINE_SPOKEN_S = (2.5, 3.8, 5.0)
"""The same of speech, for a machine."""
ONE_BREATH_S = 6.0
"""So long in one breath speak machines."""
_EDGE_S = 1e-6
Numbers = NDArray[np.float64]
Places = NDArray[np.intp]


@dataclass(frozen=True)
class Model:
    """Nodes of all trees in one list: `feature`, `limit` (up to it, it goes `left`, beyond, `right`), `value`. A leaf
    is its own left and right. `person_from` (RESTS_S, SPOKEN_S): how likely a person is enough after such a pause, for
    one who has said so much; nobody is called a person before the first pause. `machine_until` (MACHINE_SPOKEN_S): how
    likely a person is too little for it to be one; `limit_until`: when the time is over, for who has said
    `late_spoken_s`. `words`: by how much each kind of them changes the odds of a person (logarithm). `net`: for the
    feature that it makes."""

    feature: Places
    limit: Numbers
    left: Places
    right: Places
    value: Numbers
    roots: Places
    depth: int
    person_from: Numbers
    machine_until: Numbers
    limit_until: float
    late_spoken_s: float
    words: Mapping[str, float] = field(default_factory=dict)
    net: Net | None = None

    def person(self, vector: Numbers) -> float:
        """The probability that it is a person."""
        at = self.roots
        for _ in range(self.depth):
            at = np.where(vector[self.feature[at]] <= self.limit[at], self.left[at], self.right[at])
        return float(1.0 / (1.0 + np.exp(-self.value[at].sum())))

    def wanted_from(self, spoken_s: float, rest_s: float) -> float:
        """How likely a person is enough for one who has spoken for so long, and paused since; 2: nothing is."""
        rest, spoken = bisect(RESTS_S, rest_s + _EDGE_S), bisect(SPOKEN_S, spoken_s + _EDGE_S)
        return float(self.person_from[rest - 1, spoken - 1]) if rest else 2.0

    def is_machine(self, person: float, spoken_s: float) -> bool:
        """Whether that is too unlikely a person, after so much speech."""
        said = bisect(MACHINE_SPOKEN_S, spoken_s + _EDGE_S)
        return said > 0 and person <= float(self.machine_until[said - 1])

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
    nodes, limits = kept["nodes"], kept["thresholds"]
    return Model(
        feature=np.array(nodes["feature"], dtype=np.intp),
        limit=np.array(nodes["limit"], dtype=np.float64),
        left=np.array(nodes["left"], dtype=np.intp),
        right=np.array(nodes["right"], dtype=np.intp),
        value=np.array(nodes["value"], dtype=np.float64),
        roots=np.array(nodes["roots"], dtype=np.intp),
        depth=kept["depth"],
        person_from=np.array(limits["person_from"]).reshape(len(RESTS_S), len(SPOKEN_S)),
        machine_until=np.array(limits["machine_until"]).reshape(len(MACHINE_SPOKEN_S)),
        limit_until=limits["limit_until"],
        late_spoken_s=limits["late_spoken_s"],
        words=kept.get("words", {}),
        net=net_from(kept["net"]) if "net" in kept else None,
    )


@cache
def shipped() -> Model:
    return loads(files("dialer.amd").joinpath(FILE).read_text(encoding="utf-8"))
