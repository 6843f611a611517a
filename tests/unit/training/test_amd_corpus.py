"""The corpus's two sides share nothing, and a hearing is the same in every run."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from tests.unit.dialer.amd_sounds import voice
from training.amd.clips import Clip, tones
from training.amd.corpus import write
from training.amd.heard import Backgrounds, heard, heard_tone
from training.amd.texts import WAIT, texts
from training.amd.voices import ESPEAK, KOKORO


def test_no_sentence_and_no_voice_is_on_both_sides():
    said = {side: {s.removeprefix(WAIT) for text in texts(side) for s in text.sentences} for side in ("train", "test")}
    assert said["train"] & said["test"] == {"¿Hola?"}, "the page on detection names this exception"
    for voices in (KOKORO, ESPEAK):
        own = {side: {name for names in voices[side].values() for name in names} for side in ("train", "test")}
        assert not own["train"] & own["test"]


def test_texts_come_in_the_same_order_and_are_balanced():
    for side in ("train", "test"):
        kept = texts(side)
        assert kept == texts(side)
        assert {text.language for text in kept if text.is_person} == {"es", "en"}
        assert len({text.name for text in kept}) == len(kept)


def test_a_hearing_is_the_same_in_every_run(tmp_path: Path):
    files = [tmp_path / f"{n}.wav" for n in range(2)]
    for n, file in enumerate(files):
        write(file, (voice(0.6 + n) * 32767).astype(np.int16))
    music = tmp_path / "music.wav"
    write(music, (voice(15.0) * 32767).astype(np.int16))
    behind = Backgrounds("train", (music,), (files[0],))
    clip = Clip("voicemail-es-x-1", "machine", "voicemail", "es", "x", "1", tuple(files), (False, False))
    one, again, other = heard(clip, 0, behind), heard(clip, 0, behind), heard(clip, 1, behind)
    assert np.array_equal(one.samples, again.samples)
    assert not np.array_equal(one.samples, other.samples)
    assert len(one.samples) == 80000
    truth, name, sound = tones()[0]
    assert np.array_equal(heard_tone(sound, name, 0, behind).samples, heard_tone(sound, name, 0, behind).samples)
    assert truth == "ringback"
