import numpy as np
import pytest

from speech.audio import wav_bytes
from speech.hearing import contains, heard, similar, spoken_form
from speech.ports import Audio
from speech.recognisers.fake import FakeRecogniser


@pytest.mark.parametrize(
    ("one", "other", "language"),
    [
        ("Para ventas, marque uno.", "para ventas marque 1", "es"),
        ("Su saldo es 1.250 euros", "su saldo es mil doscientos cincuenta euros", "es"),
        ("¿Dígame? ¡Sí!", "digame si", "es"),
        ("cero ocho uno cero", "0810", "es"),
        ("setenta y seis mil setecientos cuarenta y ocho", "76.748", "es"),
        ("seis siete siete dos dos", "67722", "es"),
        ("For sales, press one.", "for sales press 1", "en"),
        ("May fourteenth, twenty twenty-six", "May 14th, 2026.", "en"),
        ("one thousand one hundred euros", "1,100 euros", "en"),
    ],
)
def test_the_way_it_is_written_does_not_count(one, other, language):
    assert similar(one, other, language) == 1


def test_other_words_do_count():
    assert similar("Para ventas, marque uno", "Para ventas, marque dos") < 0.95
    assert similar("Para ventas, marque uno", "Gracias por llamar") < 0.6
    assert similar("", "Gracias por llamar") == 0


def test_a_phrase_is_found_within_a_call():
    call = "gracias por llamar su saldo es 120 euros adios"
    assert contains(call, "Su saldo es ciento veinte euros") == 1
    assert contains(call, "marque su documento") < 0.7
    assert contains("", "hola") == 0


def test_a_language_without_numbers_keeps_its_digits():
    assert spoken_form("Il y a 3 appels", "fr") == "il y a 3 appels"


def test_what_was_heard_in_a_file(tmp_path):
    audio = Audio((np.sin(np.arange(8000) / 5) * 9000).astype(np.int16), 8000)
    file = tmp_path / "call.wav"
    file.write_bytes(wav_bytes(audio))
    recogniser = FakeRecogniser()
    recogniser.teach(audio, "es", "hola")
    assert heard(file, "es-AR", recogniser) == "hola"
    assert heard(file, "en", recogniser) == ""
