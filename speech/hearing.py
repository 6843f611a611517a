"""What a caller heard: a recording as words, and how near they are to what was meant.

text = heard(Path("call.wav"), "es")
assert similar(text, "Para ventas, marque uno.", "es") >= 0.8
"""

from __future__ import annotations

import re
import unicodedata
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Final

from rapidfuzz import fuzz

from definitions.saying import say_date, say_digits, say_number, speaks
from speech.audio import read_audio
from speech.ports import Recogniser
from speech.recognisers import make_recogniser

_DIGITS: Final = re.compile(r"(?P<digits>[0-9]{1,3}(?:[.,][0-9]{3})+(?![0-9])|[0-9]+)(?P<ordinal>st|nd|rd|th)?")


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
    worded = _DIGITS.sub(lambda found: f" {_as_words(found, language)} ", text)
    letters = unicodedata.normalize("NFD", worded.casefold())
    plain = "".join(letter for letter in letters if not unicodedata.combining(letter))
    return " ".join(re.findall(r"\w+", plain))


def _as_words(found: re.Match[str], language: str) -> str:
    """76.748 is a number, 76748 are digits; 14th is a day, 2026 a year in English."""
    if not speaks(language):
        return found[0]
    digits = re.sub(r"[.,]", "", found["digits"])
    english = language.lower().startswith("en")
    if english and found["ordinal"] and 1 <= int(digits) <= 31:
        return say_date(date(2024, 1, int(digits)), "en", year=False).rpartition(" ")[2]
    if english and re.fullmatch(r"(?:19|20)[0-9]{2}", found["digits"]):
        return say_date(date(int(digits), 1, 1), "en").rpartition(", ")[2]
    grouped = digits != found["digits"]
    one_by_one = not grouped and (len(digits) > 4 or (len(digits) > 1 and digits[0] == "0"))
    return say_digits(digits[:64], language) if one_by_one else say_number(digits[:14], language)


@lru_cache(maxsize=1)
def _whisper() -> Recogniser:
    """One model for the whole process."""
    return make_recogniser("whisper")
