"""What was said, as evidence: which phrases count, when a recogniser is asked, and what its answer changes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.live_audio import AudioBlock
from dialer.amd.phrases import HINTS, PEOPLE, SURE
from dialer.amd.screener import Screener, make
from dialer.amd.word_asks import LATE_S, MOST_ASKS
from dialer.amd.words import LANGUAGES, UNKNOWN, plain, read
from dialer.mailbox import make as make_mailbox
from tests.unit.dialer.amd_sounds import Sound, Written, silence, voice
from tests.unit.dialer.test_amd_model import always, kept_words


def heard(ear: Written, *parts: Sound, person: float = 0.6, language: str = "en", **limits: float):
    screener = Screener(model=always(person, words=kept_words()), language=language, **limits)
    screener.hear_with(ear)
    sound = np.concatenate(parts)
    blocks = (sound[: len(sound) // 160 * 160] * 32767).astype(np.int16).reshape(-1, 160)
    for n, block in enumerate(blocks):
        found = screener.feed(AudioBlock("leg", n * 0.02, n, block.tobytes()))
        if found is not None and found.final:
            return (n + 1) * 0.02, found
    return len(blocks) * 0.02, screener.end()


@pytest.mark.parametrize(
    ("text", "language", "kind"),
    [
        ("Hi, it's Zoe. Please leave a message.", "en", "recording"),
        ("¡Hola! Deja tu mensaje.", "es-MX", "recording"),
        ("You\N{RIGHT SINGLE QUOTATION MARK}re through to Zoe, who is speaking with you", "en", "person"),
        ("Zapatería Luna, le atiende Pepe", "es", "person"),
        ("You've reached Zoe", "en", "hint"),
        ("Hello?", "en", "unknown"),
        ("", "es", "unknown"),
        ("Please leave a message", "fr", "unknown"),
        ("please leaf a massage at the", "en", "unknown"),
        ("de que su mensaje, dejesu mensaje", "es", "recording"),
    ],
)
def test_phrases_are_found_where_nearly_all_of_one_was_heard(text: str, language: str, kind: str) -> None:
    assert read(text, language).kind == kind


def test_every_phrase_is_written_plainly_found_and_of_one_kind() -> None:
    for language in LANGUAGES:
        kinds = [{*table[language]} for table in (SURE, PEOPLE, HINTS)]
        assert len(kinds[0] | kinds[1] | kinds[2]) == sum(map(len, kinds))
        for phrase in kinds[0] | kinds[1] | kinds[2]:
            assert plain(phrase) == phrase
            assert read(phrase, language) != UNKNOWN


@given(st.text(max_size=200), st.sampled_from(LANGUAGES))
def test_any_text_is_evidence_of_one_known_phrase_or_none(text: str, language: str) -> None:
    found = read(text, language)
    known = {*SURE[language], *PEOPLE[language], *HINTS[language], ""}
    assert found.phrase in known
    assert (found.kind == "unknown") == (not found.phrase)


def test_a_recordings_phrase_makes_a_machine_of_whom_rhythm_doubts_and_is_the_evidence() -> None:
    ear = Written("Hello, Zoe here, leave a message")
    at_s, found = heard(ear, silence(0.3), voice(5.0))
    assert (found.label, found.evidence) == (
        "machine",
        "it said \N{LEFT DOUBLE QUOTATION MARK}leave a message\N{RIGHT DOUBLE QUOTATION MARK}",
    )
    assert 2.3 <= at_s <= 2.9, "asked after 1.8 s of speech"
    assert ear.asked[0][1] == "en"


def test_what_a_person_says_makes_her_one_and_is_not_repeated() -> None:
    at_s, found = heard(Written("Luna Shoes, how can I help you?"), silence(0.3), voice(1.5), silence(1.0), person=0.6)
    assert found.label == "human"
    assert at_s <= 2.6
    assert "Luna" not in found.evidence
    assert "help" not in found.evidence


def test_who_has_said_more_than_a_hello_is_called_a_person_when_the_words_are_known_and_no_later_than_when_late() -> (
    None
):
    parts = silence(0.3), voice(1.5), silence(2.5)
    without_s, _ = heard(Written(), silence(0.3), voice(0.6), silence(2.5), person=0.95)
    assert without_s <= 1.3, "nobody is asked about a hello"
    known_s, known = heard(Written("", late_blocks=25), *parts, person=0.95)
    never_s, never = heard(Written(), *parts, person=0.95)
    assert known.label == never.label == "human"
    assert known_s < never_s
    assert never_s - known_s == pytest.approx(LATE_S - 0.5, abs=0.1)
    machine = heard(Written("I can't come to the phone", late_blocks=25), *parts, person=0.95)[1]
    assert machine.label == "machine"


def test_nobody_is_asked_too_often_and_about_the_last_eight_seconds_only() -> None:
    ear = Written(*[""] * 20)
    heard(ear, silence(0.3), *[voice(1.2), silence(0.4)] * 16, person=0.5, limit_s=25.0, speaks_on_s=25.0)
    assert len(ear.asked) == MOST_ASKS
    assert max(length for length, _ in ear.asked) <= 8 * 16000


def test_without_a_language_or_with_one_of_which_no_phrase_is_known_nobody_is_asked() -> None:
    for language in ("", "fr"):
        ear = Written("leave a message")
        heard(ear, silence(0.3), voice(4.0), language=language)
        assert not ear.asked


def test_options_say_the_language_to_both_listeners() -> None:
    for listener in (make({"words": "en"}), make_mailbox({"words": "en"})):
        ear = Written("leave a message")
        listener.hear_with(ear)
        blocks = (np.concatenate([silence(0.3), voice(3.0)]) * 32767).astype(np.int16).reshape(-1, 160)
        for n, block in enumerate(blocks):
            listener.feed(AudioBlock("leg", n * 0.02, n, block.tobytes()))
        assert ear.asked
