"""Words for a media worker's listeners: newest first, late ones dropped, and no leg that waits."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Iterator

import numpy as np
import pytest

from engine.ears import LATE_S, NICE, Ears, PatientEar
from speech.errors import RecogniserUnavailable
from speech.ports import Audio, Recognition

WAIT_S = 30.0


class Slow:
    """Says what it was given, by its length; the first after `hold` waits until `let_go`."""

    name = "slow"

    def __init__(self) -> None:
        self.heard: list[int] = []
        self.began, self.let_go = threading.Event(), threading.Event()
        self.news = threading.Semaphore(0)
        self.fails = False
        self.loaded_nice = self.asked_nice = -1

    def recognise(self, audio: Audio, language: str) -> Recognition:
        length = len(audio.samples)
        nice = os.getpriority(os.PRIO_PROCESS, threading.get_native_id())
        if language == "en":  # what loads the model
            self.loaded_nice = nice
            return Recognition("")
        self.asked_nice = nice
        self.began.set()
        assert self.let_go.wait(WAIT_S)
        self.heard.append(length)
        self.news.release()
        if self.fails:
            raise RuntimeError("secret words")
        return Recognition(str(length))


@pytest.fixture
def slow() -> Slow:
    return Slow()


@pytest.fixture
def clock() -> list[float]:
    return [100.0]


@pytest.fixture
def ears(slow: Slow, clock: list[float]) -> Iterator[Ears]:
    made = Ears(slow, lambda: clock[0])
    yield made
    slow.let_go.set()
    made.close()


def sound(length: int) -> bytes:
    return np.zeros(length, np.int16).tobytes()


def until_heard(ears: Ears, slow: Slow, times: int) -> None:
    """And handed over: the thread takes up nothing new before."""
    for _ in range(times):
        assert slow.news.acquire(timeout=WAIT_S)
    ears.close()


def test_an_answer_is_told_once_and_nobody_waits_for_it(ears: Ears, slow: Slow) -> None:
    ear = ears.ear()
    ear.ask(sound(10), 8000, "es")
    assert slow.began.wait(WAIT_S)
    assert ear.answer() is None, "it is still at it"
    slow.let_go.set()
    until_heard(ears, slow, 1)
    assert [ear.answer(), ear.answer()] == ["10", None]


def test_what_computes_gives_way_and_who_asks_keeps_her_priority(ears: Ears, slow: Slow) -> None:
    slow.let_go.set()
    ears.ear().ask(sound(1), 8000, "es")
    until_heard(ears, slow, 1)
    own = os.getpriority(os.PRIO_PROCESS, 0)
    assert slow.loaded_nice == max(own, NICE)
    assert slow.asked_nice == own


def test_who_asked_last_is_heard_first_and_her_older_question_never(ears: Ears, slow: Slow) -> None:
    first, second, third = ears.ear(), ears.ear(), ears.ear()
    first.ask(sound(1), 8000, "es")
    assert slow.began.wait(WAIT_S)
    second.ask(sound(2), 8000, "es")
    third.ask(sound(3), 8000, "es")
    second.ask(sound(4), 8000, "es")
    slow.let_go.set()
    until_heard(ears, slow, 3)
    assert slow.heard == [1, 4, 3]
    assert [one.answer() for one in (first, second, third)] == ["1", "4", "3"]


def test_what_waited_for_too_long_is_dropped_and_what_is_asked_then_is_heard(
    ears: Ears, slow: Slow, clock: list[float]
) -> None:
    first, late, fresh = ears.ear(), ears.ear(), ears.ear()
    first.ask(sound(1), 8000, "es")
    assert slow.began.wait(WAIT_S)
    late.ask(sound(2), 8000, "es")
    clock[0] += LATE_S + 0.1
    fresh.ask(sound(3), 8000, "es")
    slow.let_go.set()
    until_heard(ears, slow, 2)
    assert slow.heard == [1, 3]
    assert late.answer() is None


def test_an_answer_to_an_older_question_is_not_told(ears: Ears, slow: Slow) -> None:
    ear = ears.ear()
    ear.ask(sound(1), 8000, "es")
    assert slow.began.wait(WAIT_S)
    ear.ask(sound(2), 8000, "es")
    slow.let_go.set()
    until_heard(ears, slow, 2)
    assert ear.answer() == "2"


def test_a_recogniser_that_fails_costs_words_alone_and_they_are_not_logged(
    ears: Ears, slow: Slow, caplog: pytest.LogCaptureFixture
) -> None:
    slow.fails = True
    slow.let_go.set()
    ear = ears.ear()
    with caplog.at_level(logging.DEBUG):
        ear.ask(sound(5), 8000, "es")
        until_heard(ears, slow, 1)
    assert ear.answer() is None
    assert "RuntimeError" in caplog.text
    assert "secret" not in caplog.text


def test_a_recogniser_that_is_not_there_is_said_at_once() -> None:
    class Missing:
        name = "missing"

        def recognise(self, audio: Audio, language: str) -> Recognition:
            raise RecogniserUnavailable("not installed")

    with pytest.raises(RecogniserUnavailable):
        Ears(Missing())


def test_for_recordings_it_answers_as_late_as_live(slow: Slow) -> None:
    slow.let_go.set()
    ear = PatientEar(slow, late_s=0.1)
    ear.ask(sound(7), 8000, "es")
    assert [ear.answer() for _ in range(6)] == [None] * 4 + ["7", None]
    assert len(ear.cost_s) == 1
