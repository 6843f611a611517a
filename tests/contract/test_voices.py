"""Every voice keeps the port `speech.ports.Voice`."""

import numpy as np
import pytest

from speech.audio import PHONE_RATE, decode_ulaw, for_the_phone
from speech.ports import Voice
from speech.voices import NAMES, make_voice

LINES = {
    "es": "Para ventas, marque uno.",
    "es-419": "Para ventas, marque uno.",
    "en-US": "For sales, press one.",
    "en-GB": "For sales, press one.",
}


@pytest.fixture(scope="module", params=NAMES)
def voice(request) -> Voice:
    return make_voice(request.param)


@pytest.mark.parametrize("language", LINES)
def test_it_speaks(voice, language):
    audio = voice.synthesise(LINES[language], language)
    assert audio.samples.dtype == np.int16
    assert audio.samples.ndim == 1
    assert audio.rate >= PHONE_RATE
    assert 0.2 < audio.duration_s < 5
    assert np.abs(audio.samples.astype(int)).max() > 1000, "audible"


def test_the_same_text_sounds_the_same(voice):
    first, second = (voice.synthesise("Buenas tardes", "es") for _ in range(2))
    # espeak-ng carries a fraction of a period over, which nobody hears.
    assert len(first.samples) == pytest.approx(len(second.samples), rel=0.005)


def test_another_text_sounds_different(voice):
    first, second = voice.synthesise("ventas", "es"), voice.synthesise("soporte", "es")
    assert len(first.samples) != len(second.samples) or not np.array_equal(first.samples, second.samples)


def test_its_ids_are_known_before_the_model_is_loaded(voice):
    fresh = make_voice(voice.name)
    ids = [fresh.id_for(language) for language in fresh.languages]
    assert len(set(ids)) == len(ids)
    assert ids == [voice.id_for(language) for language in voice.languages]


def test_what_it_does_not_speak_is_refused(voice):
    for ask in (voice.id_for, lambda language: voice.synthesise("hola", language)):
        with pytest.raises(ValueError, match="does not speak 'xx'"):
            ask("xx")


@pytest.mark.parametrize("text", ["", "   ", "...", "¡!"])
def test_nothing_to_say_is_refused(voice, text):
    with pytest.raises(ValueError, match="no words"):
        voice.synthesise(text, "es")


@pytest.mark.parametrize("text", ["ñandú ¿qué? «sí»", "a\0b", "línea\nnueva", "😀 hola", "<b>uno</b> & dos", "1 2 3"])
def test_odd_text_does_no_harm(voice, text):
    assert voice.synthesise(text, "es").duration_s > 0.05


def test_a_long_text_is_said_whole(voice):
    text = "Este aviso es largo, " * 8
    assert voice.synthesise(text, "es").duration_s > 5 * voice.synthesise("Este aviso es largo", "es").duration_s


def test_the_phone_hears_it_evenly_loud_and_at_once(voice):
    samples = decode_ulaw(for_the_phone(voice.synthesise("Gracias por llamar", "es"))).astype(float)
    frames = samples[: len(samples) // 80 * 80].reshape(-1, 80)
    powers = (frames**2).mean(axis=1)
    active = powers[powers > powers.max() * 0.001]
    assert 10 * np.log10(active.mean() / 32768**2) == pytest.approx(-20, abs=1.5)
    first_loud_s = np.flatnonzero(powers > powers.max() * 0.001)[0] * 0.01
    assert first_loud_s < 0.12
