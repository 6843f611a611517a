"""What a voice sounds like so far, heard by a small recurrent network: how likely what is said is said by people.

A gated recurrent unit (Cho et al., arXiv 1406.1078) over the spectrum in 24 bands equally wide in mel (150 to 3900 Hz),
two frames (40 ms) a step, from a tenth of a second before somebody speaks. Levels are relative to the loudest so far,
pitch to the voice's own mean: it knows no gain, and nothing below 40 dB under the voice. `training/amd/net.py` trains
it; the weights are in the judge's file (model.py). A step costs some 20 microseconds.
"""

from __future__ import annotations

import base64
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from math import log2, log10
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dialer.amd.frames import BIN_HZ, Frame
from dialer.amd.speech import Timeline

BANDS = 24
SEEN = BANDS + 2
"""Of a frame: levels of the bands in dB, pitch in Hz (0: none), whether it is voiced."""
INPUTS = BANDS + 4
STEP = 2
"""Frames a step."""
_BEFORE = 8
_LOW_HZ, _HIGH_HZ = 150.0, 3900.0
_FLOOR = 1e-9
QUIETEST_DB, DEEPEST_DB = -40.0, -40.0
"""The least that counts as the loudest so far; what is further below it is not heard."""
MOST_TONES = 12.0
Numbers = NDArray[np.float64]


def _mel(hz: float) -> float:
    return 1127.0 * float(np.log(1.0 + hz / 700.0))


_EDGES = np.round(700.0 * (np.exp(np.linspace(_mel(_LOW_HZ), _mel(_HIGH_HZ), BANDS + 1) / 1127.0) - 1.0) / BIN_HZ)
_PLACES = _EDGES.astype(np.intp)


def energies(frame: Frame) -> Numbers:
    """Of each band."""
    return np.diff(frame.sums[_PLACES])


def seen(frame: Frame, line: Timeline) -> Numbers:
    """(SEEN,): of the frame just heard."""
    voiced = line.speaking and line.utterances[-1][1] == line.now_s
    pitch_hz = line.pitch_hz if voiced else 0.0
    return np.append(10.0 * np.log10(np.maximum(energies(frame), 0.0) + _FLOOR), (pitch_hz, float(voiced)))


def begins_at(frame: int) -> int:
    """The first frame that is listened to when somebody is found to speak in this one (both from 0)."""
    return max(0, frame - _BEFORE) // STEP * STEP


@dataclass(frozen=True)
class Net:
    """`enter` (STEP * INPUTS, E) and `enter_bias`: rectified; `inward` (E, 3H), `around` (H, 3H), `bias`: of update,
    reset and candidate, in that order; `out` (H,), `out_bias`: the logarithm of a person's odds."""

    enter: Numbers
    enter_bias: Numbers
    inward: Numbers
    around: Numbers
    bias: Numbers
    out: Numbers
    out_bias: Numbers

    def step(self, state: Numbers, inputs: Numbers) -> Numbers:
        """`inputs`: (STEP * INPUTS,). Gives the next state (H,)."""
        size = len(state)
        came = np.maximum(inputs @ self.enter + self.enter_bias, 0.0) @ self.inward + self.bias
        stayed = state @ self.around
        gates = 1.0 / (1.0 + np.exp(-(came[: 2 * size] + stayed[: 2 * size])))
        new = np.tanh(came[2 * size :] + gates[size:] * stayed[2 * size :])
        return (1.0 - gates[:size]) * new + gates[:size] * state

    def odds(self, state: Numbers) -> float:
        """The logarithm of a person's odds."""
        return float(state @ self.out + self.out_bias[0])


def net_from(kept: Mapping[str, Any]) -> Net:
    """From arrays as `kept_as` writes them."""
    return Net(
        **{
            name: np.frombuffer(base64.b64decode(one["half"]), np.float16).reshape(one["shape"]).astype(np.float64)
            for name, one in kept.items()
        }
    )


def kept_as(values: NDArray[Any]) -> dict[str, Any]:
    """Half precision, as text."""
    return {"shape": list(values.shape), "half": base64.b64encode(values.astype(np.float16).tobytes()).decode()}


class Listening:
    """`feed` takes every frame since the answer; `odds`: the logarithm of a person's, 0 before anybody spoke."""

    def __init__(self, net: Net) -> None:
        self.odds = 0.0
        self._net = net
        self._state = np.zeros(len(net.out))
        self._before: deque[Numbers] = deque(maxlen=_BEFORE + STEP)
        self._frames = 0
        self._spoke = False
        self._loudest_db = QUIETEST_DB
        self._tones, self._pitched = 0.0, 0
        self._half: list[Numbers] = []

    def feed(self, frame: Frame, line: Timeline) -> None:
        one = seen(frame, line)
        self._frames += 1
        if self._spoke:
            self._take(one)
            return
        self._before.append(one)
        if line.speaking:
            self._spoke = True
            for earlier in list(self._before)[begins_at(self._frames - 1) - self._frames :]:
                self._take(earlier)

    def _take(self, one: Numbers) -> None:
        self._half.append(self._inputs(one))
        if len(self._half) == STEP:
            self._state = self._net.step(self._state, np.concatenate(self._half))
            self._half = []
            self.odds = self._net.odds(self._state)

    def _inputs(self, one: Numbers) -> Numbers:
        """Relative to what was heard so far."""
        bands, pitch_hz, voiced = one[:BANDS], float(one[BANDS]), float(one[BANDS + 1])
        total_db = 10.0 * log10(float((10.0 ** (bands / 10.0)).sum()))
        self._loudest_db = max(self._loudest_db, total_db)
        tone = 0.0
        if pitch_hz:
            here = 12.0 * log2(pitch_hz / 100.0)
            self._tones, self._pitched = self._tones + here, self._pitched + 1
            tone = min(max(here - self._tones / self._pitched, -MOST_TONES), MOST_TONES)
        near = np.clip(bands - self._loudest_db, DEEPEST_DB, 0.0) / 10.0 + 2.5
        total = max(total_db - self._loudest_db, DEEPEST_DB) / 10.0 + 1.0
        return np.append(near, (total, tone / 4.0, float(pitch_hz > 0.0), voiced))
