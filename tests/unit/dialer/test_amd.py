"""What answered, by tones and rhythm: every tone through G.711 at several levels, and what must hold for any sound."""

from __future__ import annotations

from itertools import chain

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.live_audio import AudioBlock
from dialer.amd.cadence import CADENCES, Cadence, CadenceDetector
from dialer.amd.frames import Analyser
from dialer.amd.model import ONE_BREATH_S
from dialer.amd.screener import Screener, make
from tests.unit.dialer.amd_sounds import mu_law, silence, tone, verdict, voice

ALL = [(country, cadence) for country, cadences in CADENCES.items() for cadence in cadences]
GAINS = (1.0, 0.1)


def played(cadence: Cadence, seconds: float = 14.0):
    hz = list(dict.fromkeys(cadence.hz))
    rounds = int(seconds / sum(cadence.beats)) + 1
    beats = [tone(hz, beat) if n % 2 == 0 else silence(beat) for n, beat in enumerate(cadence.beats)]
    return [silence(0.13), *chain.from_iterable([beats] * rounds)]


@pytest.mark.parametrize("gain", GAINS)
@pytest.mark.parametrize(("country", "cadence"), ALL, ids=[f"{country}-{c.label}" for country, c in ALL])
def test_progress_tones_are_known_before_the_answer(country: str, cadence: Cadence, gain: float):
    analyser, detector = Analyser(), CadenceDetector((country,))
    samples = (mu_law(np.concatenate(played(cadence)) * gain) * 32767).astype(np.int16)
    blocks = samples[: len(samples) // 160 * 160].reshape(-1, 160)
    found = next(filter(None, (detector.feed(analyser.feed(block)) for block in blocks)))
    assert found.label == cadence.label
    assert found.at_s <= max(2.8, 2.2 * sum(cadence.beats))


def test_a_phone_that_rings_on_is_waited_for():
    ringback = CADENCES["ES"][0]
    _, before = verdict(*played(ringback, 8.0), answered=False)
    assert before.label == "not_sure"
    _, forwarded = verdict(tone(425, 1.5), silence(1.0), voice(0.6), silence(2.0))
    assert forwarded.label == "human"


@pytest.mark.parametrize(("country", "cadence"), ALL, ids=[f"{country}-{c.label}" for country, c in ALL])
def test_nobody_takes_them_for_a_person_or_a_machine(country: str, cadence: Cadence):
    _, found = verdict(*played(cadence))
    assert found.label in (cadence.label, "not_sure", "silence")


@pytest.mark.parametrize("gain", GAINS)
@pytest.mark.parametrize(
    ("tones", "told"),
    [
        (((950, 0.33), (1400, 0.33), (1800, 0.33)), "the network"),
        (((985.2, 0.38), (1370.6, 0.274), (1776.7, 0.38)), "vacant code"),
        (((913.8, 0.274), (1370.6, 0.274), (1776.7, 0.38)), "intercept"),
        (((913.8, 0.274), (1428.5, 0.38), (1776.7, 0.38)), "reorder"),
        (((985.2, 0.38), (1428.5, 0.38), (1776.7, 0.38)), "no circuit"),
    ],
)
def test_three_rising_tones_tell_which_announcement_follows(tones, told: str, gain: float):
    at_s, found = verdict(silence(0.3), *(tone(*each) for each in tones), voice(3.0), gain=gain)
    assert found.label == "sit"
    assert told in found.evidence
    assert at_s < 1.5


@pytest.mark.parametrize("gain", GAINS)
def test_fax_machines_call_and_answer(gain: float):
    at_s, calling = verdict(silence(0.4), tone(1100, 0.5), silence(3), gain=gain)
    assert (calling.label, at_s < 1.1) == ("fax", True)
    at_s, answering = verdict(silence(0.4), tone(2100, 3.0), gain=gain)
    assert (answering.label, at_s < 1.4) == ("fax", True)


@pytest.mark.parametrize("hz", [440, 620, 1000, 1400, 1850])
def test_a_beep_after_speech_is_a_machine_that_records(hz: float):
    _, found = verdict(silence(0.3), voice(3.0), silence(0.3), tone(hz, 0.3), silence(1.0))
    assert found.label == "beep"
    _, before = verdict(silence(0.3), tone(hz, 0.3), silence(0.2), voice(0.6), silence(2.0))
    assert before.label == "human", "a beep before anybody spoke is the network's"


def test_a_machine_is_told_at_once_and_its_beep_waited_for():
    listener, told = make({"until_beep": "yes"}), []
    sound = (np.concatenate([voice(9.0), silence(0.5), tone(1000, 0.4), silence(0.5)]) * 32767).astype(np.int16)
    for n in range(len(sound) // 160):
        found = listener.feed(AudioBlock("leg-1", n * 0.02, n, sound[n * 160 : (n + 1) * 160].tobytes()))
        if found is not None:
            told.append((found.label, found.final))
            if found.final:
                break
    assert told == [("machine", False), ("beep", True)]


@pytest.mark.parametrize("gain", [1.0, 0.2])
def test_who_says_something_short_and_waits_is_a_person(gain: float):
    at_s, found = verdict(silence(0.4), voice(0.5), silence(3.0), gain=gain)
    assert found.label == "human"
    assert at_s <= 1.8


def test_who_goes_on_and_on_is_a_machine():
    at_s, found = verdict(silence(0.3), voice(9.0))
    assert found.label == "machine"
    assert at_s <= 0.3 + ONE_BREATH_S + 0.1


def test_dead_air_is_told_apart_and_a_click_is_no_speech():
    at_s, found = verdict(silence(8.0))
    assert (found.label, 3.4 < at_s < 3.8) == ("silence", True)
    _, clicked = verdict(silence(0.5), tone(800, 0.02), silence(8.0))
    assert clicked.label == "silence"


def test_who_was_never_answered_is_not_judged():
    _, found = verdict(silence(0.3), voice(4.0), answered=False)
    assert found.label == "not_sure"


@settings(max_examples=25, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from(["voice", "tone", "noise", "silence", "loud"]), st.floats(0.02, 1.5)), max_size=8
    )
)
def test_whatever_is_heard_it_decides_once_in_time_and_the_same_again(parts):
    dice = np.random.default_rng(3)
    made = {
        "voice": voice,
        "tone": lambda s: tone(1234, s),
        "noise": lambda s: dice.normal(0, 0.1, round(s * 8000)),
        "silence": silence,
        "loud": lambda s: np.full(round(s * 8000), 1.0),
    }
    sound = [made[what](seconds) for what, seconds in parts] + [silence(7.0)]
    first = verdict(*sound)
    assert first == verdict(*sound)
    assert first[0] <= Screener().speaks_on_s + 0.1
    assert 0.0 <= first[1].confidence <= 1.0


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"limit_s": "99"}, "limit_s 99: between 1 and 30"),
        ({"speaks_on_s": "31"}, "speaks_on_s 31: between 1 and 30"),
        ({"rest_s": "0.1"}, "rest_s 0.1: between 0.5 and 30"),
        ({"countries": "ES,XX"}, "XX"),
        ({"limit_s": "x"}, "x"),
    ],
)
def test_options_that_make_no_sense_are_refused(options, told: str):
    with pytest.raises(ValueError, match=told):
        make(options)
