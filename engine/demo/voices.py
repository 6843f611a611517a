"""What the campaign's simulated people and machines are heard to say: mu-law, as telephones carry it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from speech.audio import PHONE_RATE, encode_ulaw, for_the_phone, silence
from speech.voices import make_voice

BEEP_HZ = 1000.0


@dataclass(frozen=True, slots=True)
class Voices:
    """`mailbox`: a greeting with a beep; `endless`: one that only speaks on; `fax`: a fax machine that answers;
    `sit`: the network has no such number."""

    hello: bytes
    company: bytes
    mailbox: bytes
    endless: bytes
    fax: bytes
    sit: bytes


SILENT = Voices(b"", b"", b"", b"", b"", b"")


def voices() -> Voices:
    """Speaks all of it; takes about a second."""
    voice = make_voice("espeak")

    def says(text: str) -> bytes:
        return for_the_phone(voice.synthesise(text, "es"))

    return Voices(
        hello=says("¿Sí, dígame?") + silence(1.8) + says("Ah, sí, cuénteme, le escucho."),
        company=says("Talleres García, buenas tardes.") + silence(2.5) + says("Sí, soy yo, dígame."),
        mailbox=says("Ahora no puedo atenderle. Deje su mensaje después de la señal.")
        + silence(0.3)
        + tone(BEEP_HZ, 0.3)
        + silence(60.0),
        endless=says(
            "Este es el contestador de la familia García y en este momento no podemos atender su llamada porque "
            "estamos fuera de casa hasta el lunes que viene por la tarde así que llámenos la semana que viene"
        ),
        fax=silence(0.6) + tone(2100.0, 3.0),
        sit=silence(0.6)
        + tone(950.0, 0.33)
        + tone(1400.0, 0.33)
        + tone(1800.0, 0.33)
        + says("El número marcado no existe."),
    )


def tone(hz: float, length_s: float, level: float = 0.2) -> bytes:
    """A pure tone. `level`: of full scale."""
    at_s = np.arange(round(length_s * PHONE_RATE)) / PHONE_RATE
    return encode_ulaw((np.sin(2 * np.pi * hz * at_s) * level * 32767).astype(np.int16))
