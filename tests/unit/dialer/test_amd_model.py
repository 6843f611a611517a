"""The trained judge: what the shipped file tells, and that trees are descended as they were written."""

from __future__ import annotations

import json
from importlib.resources import files

import numpy as np
import pytest

from dialer.amd.beep import BeepDetector
from dialer.amd.features import NAMES, Features
from dialer.amd.frames import Analyser
from dialer.amd.model import FILE, MACHINE_SPOKEN_S, RESTS_S, SPOKEN_S, Model, loads, shipped
from dialer.amd.rhythm import Rhythm
from dialer.amd.screener import Screener
from dialer.amd.speech import SpeechDetector
from tests.unit.dialer.amd_sounds import Sound, silence, tone, verdict, voice


def kept() -> dict:
    return json.loads(files("dialer.amd").joinpath(FILE).read_text(encoding="utf-8"))


def kept_words() -> dict[str, float]:
    """What the shipped judge was taught of words."""
    return dict(shipped().words)


def always(person: float, words: dict[str, float] | None = None) -> Model:
    """One leaf, whatever is heard."""
    value = np.log(person / (1 - person))
    place, none = np.array([0]), np.array([0.0])
    from_ = np.full((len(RESTS_S), len(SPOKEN_S)), 0.9)
    from_[:3], from_[-1] = 2.0, 0.5
    until = np.full(len(MACHINE_SPOKEN_S), 0.1)
    return Model(place, none, place, place, np.array([value]), place, 1, from_, until, 0.1, 4.0, words or {})


def test_the_shipped_file_tells_from_what_it_was_made():
    made = kept()["made"]
    assert made["hearings"] > 1000
    assert made["held_out"]["people_lost"] <= 0.02
    assert shipped().depth <= 8


def test_one_tree_is_descended_as_written():
    text = kept()
    text["nodes"] = {
        "feature": [NAMES.index("pause_s"), 0, 0],
        "limit": [0.5, 0.0, 0.0],
        "left": [1, 1, 2],
        "right": [2, 1, 2],
        "value": [0.0, -2.0, 3.0],
        "roots": [0],
    }
    model, moment = loads(json.dumps(text)), np.zeros(len(NAMES))
    assert model.person(moment) == pytest.approx(1 / (1 + np.exp(2)))
    moment[NAMES.index("pause_s")] = 0.51
    assert model.person(moment) == pytest.approx(1 / (1 + np.exp(-3)))


def test_a_file_for_other_features_is_refused():
    text = kept() | {"features": ["x"]}
    with pytest.raises(ValueError, match="train it again"):
        loads(json.dumps(text))


def test_a_person_is_believed_in_a_pause_only_and_a_machine_while_it_speaks():
    at_s, person = verdict(silence(0.3), voice(2.0), silence(1.0), screener=Screener(model=always(0.95)))
    assert person.label == "human"
    assert 2.4 <= at_s <= 2.7
    at_s, machine = verdict(silence(0.3), voice(4.0), screener=Screener(model=always(0.05)))
    assert machine.label == "machine"
    assert at_s < 3.1
    assert "as 95 of 100 do" in machine.evidence


def test_a_long_pause_is_enough_for_who_is_likelier_a_person_than_not():
    at_s, found = verdict(silence(0.3), voice(2.0), silence(2.0), screener=Screener(model=always(0.6)))
    assert found.label == "human"
    assert 3.4 <= at_s <= 3.7


def test_beyond_the_limit_it_waits_for_who_speaks_on_only():
    doubtful, phrases = always(0.4), [voice(2.0), silence(0.4)] * 6

    def told(*parts: np.ndarray, **limits: float) -> tuple[float, str]:
        at_s, found = verdict(*parts, screener=Screener(model=doubtful, **limits))
        return round(at_s, 1), found.label

    assert told(silence(0.3), *phrases) == (9.0, "not_sure")
    assert told(silence(0.3), *phrases[:5], silence(5.0)) == (8.3, "not_sure")
    assert told(silence(0.3), voice(4.0), silence(5.0)) == (6.0, "not_sure")
    assert told(silence(0.3), *phrases, limit_s=4.0, speaks_on_s=4.0) == (4.0, "not_sure")


def test_who_waits_after_speaking_is_kept_waiting_no_longer_than_the_law_lets():
    parts = silence(0.3), voice(1.0), silence(5.0)
    for rest_s, at_s in ((1.6, 2.9), (0.0, 6.0)):
        told_s, found = verdict(*parts, screener=Screener(model=always(0.4), rest_s=rest_s))
        assert (found.label, told_s) == ("not_sure", pytest.approx(at_s, abs=0.1))
        assert told_s - found.past_s == pytest.approx(1.3, abs=0.1), "from there on the law counts"


@pytest.mark.parametrize("noise", [0.0005, 0.01])
@pytest.mark.parametrize("before", [silence(0.0), np.concatenate([silence(0.9), voice(0.08)])])
def test_who_answers_and_says_nothing_is_kept_waiting_no_longer_either(before: Sound, noise: float):
    at_s, found = verdict(before, silence(5.0), noise=noise, screener=Screener(rest_s=1.6))
    assert (found.label, at_s) == ("silence", pytest.approx(1.6, abs=0.1))
    assert found.past_s == 0.0
    assert "nobody has said anything" in found.evidence


def test_who_says_something_too_short_to_tell_is_not_kept_waiting_for_it():
    at_s, found = verdict(silence(0.3), voice(0.25), silence(5.0), screener=Screener(model=always(0.4), rest_s=1.6))
    assert (found.label, at_s) == ("not_sure", pytest.approx(2.2, abs=0.1))
    assert at_s - found.past_s == pytest.approx(0.55, abs=0.1)


def test_who_begins_to_speak_just_then_is_heard():
    at_s, found = verdict(silence(1.5), voice(0.6), silence(3.0), screener=Screener(model=always(0.95), rest_s=1.6))
    assert (found.label, at_s > 2.0) == ("human", True)


def test_a_tone_is_nobodys_silence():
    for parts, label in (((silence(1.2), tone(2100, 3.0)), "fax"), ((tone(425, 1.5), silence(3.0)) * 2, "not_sure")):
        assert verdict(*parts, screener=Screener(rest_s=1.6))[1].label == label


def test_features_do_not_know_how_loud_it_is():
    def last(gain: float) -> np.ndarray:
        analyser, detector, seen = Analyser(), SpeechDetector(), Features()
        sound = (np.concatenate([silence(0.3), voice(1.0), silence(0.5)]) * gain * 32767).astype(np.int16)
        for block in sound.reshape(-1, 160):
            frame = analyser.feed(block)
            line = detector.feed(block.tobytes(), frame)
            seen.feed(frame, line)
        return seen.vector(line)

    loud, weak = last(1.0), last(0.25)
    own = [n for n, name in enumerate(NAMES) if name.endswith("_s") and name != "syllables_a_s"]
    assert np.allclose(loud[own], weak[own], atol=0.15)


def test_a_hummed_vowel_and_music_behind_the_voice_are_no_beeps():
    def beeps(*parts: np.ndarray) -> bool:
        analyser, detector, beep = Analyser(), SpeechDetector(), BeepDetector()
        found = False
        for block in (
            (np.concatenate(parts)[: sum(map(len, parts)) // 160 * 160] * 32767).astype(np.int16).reshape(-1, 160)
        ):
            frame = analyser.feed(block)
            line = detector.feed(block.tobytes(), frame)
            found = found or beep.feed(frame, line, line.spoken_s >= 0.5) is not None
        return found

    assert beeps(silence(0.2), voice(3.0), silence(0.3), tone(1000, 0.3), silence(0.3))
    assert not beeps(silence(0.2), voice(3.0), tone(420, 0.2, 0.3), voice(0.5), silence(0.3))
    assert not beeps(silence(0.2), voice(3.0, 0.5), silence(0.3), tone(1000, 0.3, 0.01), silence(0.3))
    assert not beeps(silence(0.2), voice(3.0), silence(0.3), tone(440, 0.15), silence(0.3))
    assert beeps(silence(0.2), voice(3.0), silence(0.3), tone(440, 0.3), silence(0.3))


def test_street_noise_that_comes_and_goes_is_no_voice():
    at_s = np.arange(6 * 8000) / 8000
    noise = np.random.default_rng(7).normal(0, 1, len(at_s))
    street = np.convolve(noise, np.ones(40) / 40, "same") * (1 + 0.6 * np.sin(2 * np.pi * 0.8 * at_s)) * 0.3
    detector, analyser = SpeechDetector(), Analyser()
    for block in (street * 32767).clip(-32767, 32767).astype(np.int16).reshape(-1, 160):
        line = detector.feed(block.tobytes(), analyser.feed(block))
    assert line.spoken_s < 1.0
    at_s, found = verdict(silence(0.3), voice(0.8), silence(3.0), noise=0.002)
    assert found.label == "human"


def test_nothing_is_judged_before_anybody_spoke():
    assert np.isnan(Rhythm().person)
