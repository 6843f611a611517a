"""How an utterance ends, and what the network is shown of it: neither depends on who calls how loudly."""

from __future__ import annotations

import json

import numpy as np
import pytest

from dialer.amd import prosody
from dialer.amd.features import NAMES, SOUND, Features
from dialer.amd.frames import BLOCK, Analyser
from dialer.amd.model import shipped
from dialer.amd.sound import BANDS, INPUTS, STEP, Listening, Net, begins_at, energies, kept_as, net_from
from dialer.amd.speech import SpeechDetector
from tests.unit.dialer.amd_sounds import Sound, silence, voice

SIZE = 3


def net(seed: int = 1) -> Net:
    dice = np.random.default_rng(seed)

    def drawn(*shape: int) -> np.ndarray:
        return dice.normal(0, 0.3, shape)

    return Net(
        drawn(STEP * INPUTS, 4),
        drawn(4),
        drawn(4, 3 * SIZE),
        drawn(SIZE, 3 * SIZE),
        drawn(3 * SIZE),
        drawn(SIZE),
        drawn(1),
    )


def gliding(from_hz: float, until_hz: float, seconds: float = 0.8) -> Sound:
    """A vowel."""
    at_s = np.arange(round(seconds * 8000)) / 8000
    phase = 2 * np.pi * np.cumsum(np.linspace(from_hz, until_hz, len(at_s))) / 8000
    return 0.03 * sum((np.sin(n * phase) for n in range(1, 17)), np.zeros(len(at_s)))


def heard(*parts: Sound, features: Features) -> np.ndarray:
    analyser, detector = Analyser(), SpeechDetector()
    sound = np.concatenate(parts)
    for block in (sound[: len(sound) // BLOCK * BLOCK] * 32767).astype(np.int16).reshape(-1, BLOCK):
        frame = analyser.feed(block)
        line = detector.feed(block.tobytes(), frame)
        features.feed(frame, line)
    return features.vector(line)


def feature(vector: np.ndarray, name: str) -> float:
    return float(vector[NAMES.index(name)])


def test_a_rising_end_is_told_from_a_falling_one():
    up = heard(silence(0.3), gliding(120, 180), silence(0.3), features=Features())
    down = heard(silence(0.3), gliding(180, 120), silence(0.3), features=Features())
    assert feature(up, "end_rise") > 3.0
    assert feature(down, "end_rise") < -3.0
    assert feature(up, "end_over_lowest") > 3.0 > feature(down, "end_over_lowest")
    assert feature(up, "begin_over_end") < 0.0 < feature(down, "begin_over_end")
    assert 4.0 < feature(up, "pitch_range") < 9.0


def test_only_the_last_utterance_counts_and_the_pause_after_it_changes_nothing():
    alone = heard(silence(0.3), gliding(120, 180), silence(0.2), features=Features())
    after = heard(silence(0.3), gliding(180, 120), silence(0.6), gliding(120, 180), silence(0.5), features=Features())
    own = [NAMES.index(name) for name in ("end_rise", "late_rise", "pitch_range", "pitched_s")]
    assert np.allclose(alone[own], after[own], atol=1.5)


def test_nothing_is_known_before_anybody_spoke():
    vector = heard(silence(0.5), features=Features(net()))
    assert not vector[[NAMES.index(name) for name in prosody.NAMES]].any()
    assert vector[-1] == 0.0


@pytest.mark.parametrize("gain", [0.7, 0.3])
def test_the_network_does_not_know_how_loud_it_is(gain: float):
    sound = np.concatenate([silence(0.3), voice(1.0), silence(0.4)])
    loud, weak = (heard(sound * one, features=Features(net())) for one in (1.0, gain))
    assert feature(loud, SOUND) != 0.0
    assert feature(weak, SOUND) == pytest.approx(feature(loud, SOUND), abs=0.1)


def test_it_listens_from_just_before_somebody_speaks_and_no_earlier():
    assert [begins_at(n) for n in (0, 8, 9, 20, 21)] == [0, 0, 0, 12, 12]
    early, late = (heard(silence(s), voice(1.0), silence(0.4), features=Features(net())) for s in (0.3, 1.3))
    assert feature(early, SOUND) == pytest.approx(feature(late, SOUND), abs=1e-6)


def test_the_bands_hold_the_energy_of_a_voice():
    analyser = Analyser()
    for block in (voice(0.2) * 32767).astype(np.int16).reshape(-1, BLOCK):
        frame = analyser.feed(block)
    assert energies(frame).shape == (BANDS,)
    assert energies(frame).sum() == pytest.approx(frame.sums[-1], rel=0.05)


def test_a_network_is_kept_as_text():
    own = net()
    again = net_from(json.loads(json.dumps({name: kept_as(values) for name, values in vars(own).items()})))
    for name, values in vars(own).items():
        assert np.allclose(vars(again)[name], values, atol=1e-3)


def test_the_shipped_network_fits_what_it_is_shown():
    own = shipped().net
    assert own is not None
    assert Listening(own).odds == 0.0
    assert own.enter.shape[0] == STEP * INPUTS
    assert own.inward.shape == (own.enter.shape[1], 3 * len(own.out))
