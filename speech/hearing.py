"""What a caller heard: a recording as words, and how near they are to what was meant.

text = heard(Path("call.wav"), "es")
assert similar(text, "Para ventas, marque uno.", "es") >= 0.8
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from pathlib import Path

from rapidfuzz import fuzz

from definitions.saying import say_digits, say_number, speaks
from speech.audio import read_audio
from speech.ports import Recogniser
from speech.recognisers import make_recogniser


def heard(file: Path, language: str, recogniser: Recogniser | None = None) -> str:
    """The words in a wav or `.ulaw` file; Whisper hears them unless another recogniser is given.

    Raises `ValueError` for a file that is no sound, `RecogniserUnavailable` when the recogniser is not installed.
    """
    return (recogniser or _whisper()).recognise(read_audio(file), language).text


def similar(one: str, other: str, language: str = "es") -> float:
    """From 0 to 1: how alike two texts sound. Case, accents, signs and the way numbers are written do not count."""
    return fuzz.ratio(spoken_form(one, language), spoken_form(other, language)) / 100


def contains(heard_text: str, phrase: str, language: str = "es") -> float:
    """From 0 to 1: how nearly `phrase` is somewhere in what was heard."""
    whole, part = spoken_form(heard_text, language), spoken_form(phrase, language)
    return 0.0 if len(whole) < len(part) / 2 else fuzz.partial_ratio(part, whole) / 100


def spoken_form(text: str, language: str) -> str:
    """Words only: no case, accents or signs, numbers as words."""
    text = re.sub(r"(?<=[0-9])[.,](?=[0-9]{3}\b)", "", text)
    worded = re.sub(r"[0-9]+", lambda digits: f" {_as_words(digits[0], language)} ", text)
    letters = unicodedata.normalize("NFD", worded.casefold())
    plain = "".join(letter for letter in letters if not unicodedata.combining(letter))
    return " ".join(re.findall(r"\w+", plain))


def _as_words(digits: str, language: str) -> str:
    if not speaks(language):
        return digits
    one_by_one = len(digits) > 4 or (len(digits) > 1 and digits[0] == "0")
    return say_digits(digits[:64], language) if one_by_one else say_number(digits, language)


@lru_cache(maxsize=1)
def _whisper() -> Recogniser:
    """One model for the whole process."""
    return make_recogniser("whisper")
