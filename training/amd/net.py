"""Trains the network that listens (dialer/amd/sound.py), with JAX: full passes over hearings of training clips.

Recorded prompts are left out: machines alone speak them, so it would learn what a recorded voice is, and no person
would be one. Each time a hearing is shown, its bands are shifted and stretched (other throats), tilted and bent (other
lines), and noise is added to half of them, so that neither a voice nor a line tells who speaks.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from dialer.amd.sound import BANDS, DEEPEST_DB, INPUTS, MOST_TONES, QUIETEST_DB, STEP, Net, kept_as
from training.amd.clips import PEOPLE
from training.amd.moments import Moments, Rows

ENTER, STATE = 32, 40
LEARN_STEPS, HEAR_STEPS = 150, 225
"""Of 40 ms: six seconds to learn from, nine to judge."""
EPOCHS, BATCH, RATE, DECAY = 20, 64, 4e-3, 1e-5
_KEEP_ENTER, _KEEP_STATE = 0.9, 0.8
_SURE = 0.02
"""Nothing is surer than that."""
Weights = dict[str, Any]


def inputs(sounds: NDArray[Any], dice: Generator | None = None) -> NDArray[np.float32]:
    """As `Listening` makes them, of a whole hearing (`SEEN` a frame); with dice, of another voice and line."""
    sounds = sounds.astype(np.float32)
    bands, pitch_hz, voiced = sounds[:, :BANDS], sounds[:, BANDS], sounds[:, BANDS + 1]
    if dice is not None:
        bands = _varied(bands, dice)
    total = 10.0 * np.log10((10.0 ** (bands / 10.0)).sum(1))
    loudest = np.maximum.accumulate(np.maximum(total, QUIETEST_DB))
    pitched = pitch_hz > 0
    tone = np.where(pitched, 12.0 * np.log2(np.maximum(pitch_hz, 1.0) / 100.0), 0.0)
    mean = np.cumsum(tone) / np.maximum(np.cumsum(pitched), 1)
    tone = np.where(pitched, np.clip(tone - mean, -MOST_TONES, MOST_TONES), 0.0)
    near = np.clip(bands - loudest[:, None], DEEPEST_DB, 0.0) / 10.0 + 2.5
    total = np.maximum(total - loudest, DEEPEST_DB) / 10.0 + 1.0
    found: NDArray[np.float32] = np.column_stack([near, total, tone / 4.0, pitched, voiced]).astype(np.float32)
    return found


def _varied(bands: NDArray[Any], dice: Generator) -> NDArray[Any]:
    place = np.arange(BANDS)
    middle = (BANDS - 1) / 2
    source = np.clip((place - middle) * dice.uniform(0.94, 1.06) + middle + dice.uniform(-1.2, 1.2), 0, BANDS - 1)
    low = source.astype(int)
    share = source - low
    found = bands[:, low] * (1 - share) + bands[:, np.minimum(low + 1, BANDS - 1)] * share
    found = found + dice.uniform(-5, 5) * (place - middle) / 12
    found = found + np.convolve(dice.normal(0, 1.5, BANDS + 2), (0.25, 0.5, 0.25), "valid")
    if dice.random() < 0.5:
        loudest = 10.0 * np.log10((10.0 ** (found / 10.0)).sum(1)).max()
        noise = loudest - dice.uniform(44, 74) + dice.normal(0, 2, BANDS) + dice.normal(0, 2, found.shape)
        found = 10.0 * np.log10(10.0 ** (found / 10.0) + 10.0 ** (noise / 10.0))
    return found


def trained(calls: Sequence[Moments], weighed: Sequence[Rows], seed: int = 0) -> Weights:
    """`weighed`: one weight a moment. Calls of recorded prompts are not looked at."""
    taken = [n for n, call in enumerate(calls) if call.clip.kind != "recorded"]
    dice = np.random.default_rng(seed)
    weights = _drawn(dice)
    first = {name: jnp.zeros_like(one) for name, one in weights.items()}
    second = dict(first)
    steps, done = EPOCHS * (len(taken) // BATCH), 0
    for _ in range(EPOCHS):
        order = dice.permutation(taken)
        for at in range(0, len(taken) - BATCH + 1, BATCH):
            batch = _batch([(calls[n], weighed[n]) for n in order[at : at + BATCH]], dice)
            kept = tuple(
                ((dice.random((BATCH, size)) < keep) / keep).astype(np.float32)
                for size, keep in ((ENTER, _KEEP_ENTER), (STATE, _KEEP_STATE))
            )
            done += 1
            rate = RATE * min(1.0, done / 50) * 0.5 * (1 + np.cos(np.pi * done / steps))
            weights, first, second = _update(weights, first, second, done, rate, batch, kept)
    return {name: np.asarray(one, dtype=np.float16) for name, one in weights.items()}


def odds(weights: Weights, calls: Sequence[Moments]) -> list[Rows]:
    """The logarithm of a person's, of every moment."""
    found: list[Rows] = []
    full = {name: jnp.asarray(one, jnp.float32) for name, one in weights.items()}
    for at in range(0, len(calls), BATCH):
        part = calls[at : at + BATCH]
        heard = np.zeros((BATCH, HEAR_STEPS, STEP * INPUTS), np.float32)
        for n, call in enumerate(part):
            _put(heard[n], inputs(call.sounds))
        told = np.asarray(_run(full, heard))
        found += [told[n, call.steps].astype(np.float64) for n, call in enumerate(part)]
    return found


def kept(weights: Weights) -> dict[str, Any]:
    """As the model's file keeps them."""
    return {name: kept_as(one) for name, one in weights.items()}


def net(weights: Weights) -> Net:
    return Net(**{name: np.asarray(one, np.float64) for name, one in weights.items()})


def _drawn(dice: Generator) -> Weights:
    def normal(*shape: int) -> Any:
        return jnp.asarray(dice.normal(0, 1 / np.sqrt(shape[0]), shape), jnp.float32)

    return {
        "enter": normal(STEP * INPUTS, ENTER),
        "enter_bias": jnp.zeros(ENTER),
        "inward": normal(ENTER, 3 * STATE),
        "around": normal(STATE, 3 * STATE),
        "bias": jnp.zeros(3 * STATE),
        "out": normal(STATE),
        "out_bias": jnp.zeros(1),
    }


def _put(into: NDArray[np.float32], frames: NDArray[np.float32]) -> None:
    steps = min(len(frames) // STEP, len(into))
    into[:steps] = frames[: steps * STEP].reshape(steps, -1)


def _batch(part: Sequence[tuple[Moments, Rows]], dice: Generator) -> tuple[NDArray[np.float32], ...]:
    heard = np.zeros((len(part), LEARN_STEPS, STEP * INPUTS), np.float32)
    weight = np.zeros((len(part), LEARN_STEPS), np.float32)
    for n, (call, weighed) in enumerate(part):
        _put(heard[n], inputs(call.sounds[: LEARN_STEPS * STEP], dice))
        early = call.steps < LEARN_STEPS
        weight[n, call.steps[early]] = weighed[early]
    truth = np.array([call.clip.truth == PEOPLE for call, _ in part], np.float32)
    return heard, weight / max(1e-12, float(weight.sum())), truth


def _listen(weights: Weights, heard: Any, kept: tuple[Any, Any] | None = None) -> Any:
    size = weights["around"].shape[0]
    entered = jax.nn.relu(heard @ weights["enter"] + weights["enter_bias"])
    if kept is not None:
        entered = entered * kept[0][:, None, :]
    came = entered @ weights["inward"] + weights["bias"]

    def step(state: Any, now: Any) -> tuple[Any, Any]:
        stayed = state @ weights["around"]
        gates = jax.nn.sigmoid(now[:, : 2 * size] + stayed[:, : 2 * size])
        new = jnp.tanh(now[:, 2 * size :] + gates[:, size:] * stayed[:, 2 * size :])
        state = (1 - gates[:, :size]) * new + gates[:, :size] * state
        return state, state

    states = jax.lax.scan(step, jnp.zeros((heard.shape[0], size)), came.swapaxes(0, 1))[1].swapaxes(0, 1)
    if kept is not None:
        states = states * kept[1][:, None, :]
    return states @ weights["out"] + weights["out_bias"]


_run = jax.jit(_listen)


def _loss(weights: Weights, batch: Any, kept: Any) -> Any:
    heard, weight, truth = batch
    told = _listen(weights, heard, kept)
    wanted = truth[:, None] * (1 - 2 * _SURE) + _SURE
    size = sum((one**2).sum() for one in weights.values() if one.ndim == 2)
    return ((jax.nn.softplus(told) - wanted * told) * weight).sum() + DECAY * size


@jax.jit
def _update(weights: Any, first: Any, second: Any, done: Any, rate: Any, batch: Any, kept: Any) -> Any:
    """One step of Adam, of gradients no longer than 1."""
    found = jax.grad(_loss)(weights, batch, kept)
    length = jnp.sqrt(sum((one**2).sum() for one in found.values()))
    found = {name: one * jnp.minimum(1.0, 1.0 / length) for name, one in found.items()}
    first = {name: 0.9 * first[name] + 0.1 * found[name] for name in found}
    second = {name: 0.999 * second[name] + 0.001 * found[name] ** 2 for name in found}
    weights = {
        name: weights[name]
        - rate * (first[name] / (1 - 0.9**done)) / (jnp.sqrt(second[name] / (1 - 0.999**done)) + 1e-8)
        for name in found
    }
    return weights, first, second
