"""Every recogniser keeps the port `speech.ports.Recogniser`; and what Kokoro says over a phone line is understood."""

from itertools import pairwise

import numpy as np
import pytest

from dialer.amd.words import read
from speech.audio import decode_ulaw, for_the_phone
from speech.errors import RecogniserUnavailable
from speech.hearing import contains, heard, similar
from speech.phrasebook import PhraseBook, joined_sound
from speech.ports import Audio, Recognition, Word
from speech.recognisers import make_recogniser
from speech.recognisers.vosk import VoskRecogniser, recognition_of
from speech.voices import make_voice

MENUS = {
    "es": "Gracias por llamar. Para ventas, marque uno. Para soporte, marque dos. Para otras consultas, espere.",
    "en-US": "Thank you for calling. For sales, press one. For support, press two. Otherwise, please hold.",
}


@pytest.fixture(scope="module")
def whisper():
    return make_recogniser("whisper")


@pytest.fixture(scope="module")
def short():
    return make_recogniser("whisper-short")


@pytest.fixture(scope="module")
def kokoro():
    return make_voice("kokoro")


@pytest.fixture(scope="module")
def recordings(kokoro) -> dict[str, Audio]:
    """The menus as a caller hears them: 8 kHz mu-law."""
    return {
        language: Audio(decode_ulaw(for_the_phone(kokoro.synthesise(text, language))), 8000)
        for language, text in MENUS.items()
    }


@pytest.fixture(params=["whisper", "whisper-short", "fake"])
def recogniser(request, whisper, short, recordings):
    if request.param == "whisper":
        return whisper
    if request.param == "whisper-short":
        return short
    fake = make_recogniser("fake")
    for language, audio in recordings.items():
        fake.teach(audio, language, MENUS[language])
    return fake


@pytest.mark.parametrize("language", MENUS)
def test_a_menu_over_the_phone_is_understood(recogniser, whisper, recordings, language):
    understood = recogniser.recognise(recordings[language], language)
    assert similar(understood.text, MENUS[language], language) >= 0.8, understood.text
    words = understood.words
    if recogniser is not whisper:
        return
    assert len(words) > 10, "and when each word was said"
    assert all(before.start_s <= after.start_s for before, after in pairwise(words))
    assert words[-1].end_s <= recordings[language].duration_s + 0.5


@pytest.mark.parametrize("samples", [np.zeros(0, np.int16), np.zeros(16000, np.int16)])
def test_silence_says_nothing(recogniser, samples):
    assert recogniser.recognise(Audio(samples, 8000), "es").text == ""


def test_an_unknown_language_is_refused(recogniser):
    with pytest.raises(ValueError, match="language"):
        recogniser.recognise(Audio(np.zeros(800, np.int16), 8000), "no language")


@pytest.mark.parametrize(
    ("language", "greeting", "kind"),
    [
        ("es", "Hola, soy Eva. Deje su mensaje después de la señal.", "recording"),
        ("en-US", "Hi, this is Eve. Please leave a message after the beep.", "recording"),
        ("es", "Ferretería Luna, le atiende Pepe, ¿en qué puedo ayudarle?", "person"),
    ],
)
def test_a_mailbox_is_known_by_its_words_over_the_phone(short, kokoro, language, greeting, kind):
    audio = Audio(decode_ulaw(for_the_phone(kokoro.synthesise(greeting, language))), 8000)
    assert read(short.recognise(audio, language).text, language).kind == kind


def test_a_balance_joined_from_phrases_is_understood(tmp_path, whisper, kokoro):
    text = "Su saldo es doscientos treinta y dos euros con veinte céntimos."
    phrases = ["Su saldo es", "doscientos", "treinta y dos", "euros", "con", "veinte", "céntimos"]
    pieces = PhraseBook(phrases).split(text)
    sounds = [(for_the_phone(kokoro.synthesise(piece.phrase, "es")), piece.pause_s) for piece in pieces]
    file = tmp_path / "balance.ulaw"
    file.write_bytes(joined_sound(sounds))
    understood = heard(file, "es", whisper)
    assert similar(understood, text) >= 0.8
    assert contains(understood, "doscientos treinta y dos euros") >= 0.9


def test_vosk_without_a_model_says_what_to_set(monkeypatch, tmp_path):
    audio = Audio(np.zeros(800, np.int16), 8000)
    monkeypatch.delenv("CENTRALITA_VOSK_MODEL", raising=False)
    with pytest.raises(RecogniserUnavailable, match="CENTRALITA_VOSK_MODEL_ES"):
        VoskRecogniser().recognise(audio, "es")
    with pytest.raises(RecogniserUnavailable, match="is no folder"):
        VoskRecogniser(tmp_path / "missing").recognise(audio, "es")
    with pytest.raises(RecogniserUnavailable, match="no Vosk model"):
        VoskRecogniser(tmp_path).recognise(audio, "es")


def test_vosk_results_become_recognitions():
    result = {"text": "hola", "result": [{"word": "hola", "start": 0.1, "end": 0.4, "conf": 0.9}]}
    assert recognition_of(result) == Recognition("hola", (Word("hola", 0.1, 0.4, 0.9),))
    assert recognition_of({"text": ""}) == Recognition("")
