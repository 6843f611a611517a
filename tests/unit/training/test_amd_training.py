"""What is trained is what is asked live: the network's inputs, and verdicts by thresholds."""

from __future__ import annotations

import numpy as np
import pytest

from dialer.amd.features import NAMES
from dialer.amd.frames import BLOCK, Analyser
from dialer.amd.model import MACHINE_SPOKEN_S, RESTS_S, SPOKEN_S
from dialer.amd.sound import Listening, seen
from dialer.amd.speech import SpeechDetector
from tests.unit.dialer.amd_sounds import silence, voice
from training.amd.choosing import Choice
from training.amd.clips import Clip
from training.amd.moments import Moments
from training.amd.policy import HUMAN, MACHINE, REST_S, UNSURE, Verdicts


def call(truth: str, spoken_s: float, rest_s: float) -> Moments:
    """Somebody speaks from 0.3 s on for so long, and then waits."""
    at_s = np.arange(0.44, 0.3 + spoken_s + rest_s, 0.04)
    rows = np.zeros((len(at_s), len(NAMES)))
    rows[:, NAMES.index("spoken_s")] = rows[:, NAMES.index("last_s")] = np.minimum(at_s - 0.3, spoken_s)
    clip = Clip("x", truth, "short" if truth == "human" else "voicemail", "es", "v", "g", hello=truth == "human")
    rest = np.maximum(0.0, at_s - 0.3 - spoken_s)
    return Moments(clip, 0.3, at_s, rest, rows, np.inf, np.zeros((0, 26), np.float16), np.zeros(0, np.intp))


def test_the_network_is_trained_on_what_it_hears_live():
    net = pytest.importorskip("training.amd.net", reason="JAX is of the extra `training`")
    weights = net._drawn(np.random.default_rng(3))
    analyser, detector, listening = Analyser(), SpeechDetector(), Listening(net.net(weights))
    sound = np.concatenate([silence(0.16), voice(1.0), silence(0.4)])
    sounds = []
    for block in (sound[: len(sound) // BLOCK * BLOCK] * 32767).astype(np.int16).reshape(-1, BLOCK):
        frame = analyser.feed(block)
        line = detector.feed(block.tobytes(), frame)
        sounds.append(seen(frame, line))
        listening.feed(frame, line)
    one = Moments(
        Clip("x", "human", "short", "es", "v", "g"),
        0.16,
        np.zeros(1),
        np.zeros(1),
        np.zeros((1, len(NAMES))),
        np.inf,
        np.array(sounds, np.float16),
        np.array([len(sounds) // 2 - 1]),
    )
    assert net.odds(weights, [one])[0][0] == pytest.approx(listening.odds, abs=0.02)


def test_verdicts_are_those_of_the_thresholds():
    limits = Choice(machine=(0.1, 0.1, 0.1), limit=0.2, late_s=3.0).thresholds()
    calls = [call("human", 0.4, 2.5), call("machine", 4.0, 2.5), call("machine", 4.0, 2.5), call("human", 0.4, 2.5)]
    chances = [np.full(len(one.at_s), chance) for one, chance in zip(calls, (0.99, 0.05, 0.15, 0.5), strict=True)]
    labels, at_s = Verdicts(calls, chances).told(limits)
    assert labels.tolist() == [HUMAN, MACHINE, MACHINE, UNSURE]
    assert at_s[0] == pytest.approx(0.3 + 0.4 + RESTS_S[0], abs=0.05)
    assert at_s[1] == pytest.approx(0.3 + MACHINE_SPOKEN_S[0], abs=0.05)
    assert at_s[3] == pytest.approx(0.3 + 0.4 + REST_S, abs=0.05)


def test_a_longer_pause_never_needs_more():
    table = np.array(Choice().thresholds().person_from)
    assert table.shape == (len(RESTS_S), len(SPOKEN_S))
    assert (np.diff(table, axis=0) <= 0).all()
    assert (table[0][np.array(SPOKEN_S) >= 0.9] == 2.0).all(), "there is time to ask for words"
