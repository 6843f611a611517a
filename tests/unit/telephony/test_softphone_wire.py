"""Lines over pipes: split as they come, kept while nobody reads, and never blocking."""

from __future__ import annotations

import contextlib
import json
import os
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telephony.softphone.protocol import MAX_LINE_BYTES
from telephony.softphone.timers import Timers
from telephony.softphone.wire import LinesIn, LinesOut


@pytest.fixture
def pipe():
    reading, writing = os.pipe()
    yield reading, writing
    for fd in (reading, writing):
        with contextlib.suppress(OSError):
            os.close(fd)


@given(st.lists(st.binary(max_size=20).filter(lambda line: b"\n" not in line), max_size=6), st.data())
def test_lines_are_the_same_however_they_are_cut(lines, data):
    reading, writing = os.pipe()
    stream = b"".join(line + b"\n" for line in lines)
    into, got = LinesIn(reading), []
    while stream:
        size = data.draw(st.integers(1, len(stream)))
        os.write(writing, stream[:size])
        stream = stream[size:]
        got += into.ready()
    os.close(writing)
    got += into.ready()
    os.close(reading)
    assert got == [line for line in lines if line.strip()]
    assert into.ended


def test_nothing_there_is_no_lines_and_no_wait(pipe):
    into = LinesIn(pipe[0])
    assert into.ready() == []
    assert not into.ended


def test_a_line_without_end_is_dropped_and_the_next_one_read(pipe):
    reading, writing = pipe
    into = LinesIn(reading)
    sent = 0
    while sent <= 3 * MAX_LINE_BYTES:
        sent += os.write(writing, b"x" * 32768)
        assert into.ready() == []
    os.write(writing, b"tail\n{}\n")
    assert into.ready() == [b"{}"]
    assert into.skipped == 1


def test_events_are_lines_of_json_with_their_time(pipe):
    reading, writing = pipe
    before_s = time.monotonic()
    LinesOut(writing).emit("call_state", call="c1", reason="día\n")
    told = json.loads(os.read(reading, 4096))
    assert told["event"] == "call_state"
    assert told["reason"] == "día\n"
    assert before_s - 0.001 <= told["t_s"] <= time.monotonic()


def test_what_is_no_unicode_is_told_all_the_same(pipe):
    LinesOut(pipe[1]).emit("incoming", headers={"X": "\udcff"})
    assert json.loads(os.read(pipe[0], 4096))["event"] == "incoming"


def test_a_reader_that_pauses_gets_everything_later(pipe):
    reading, writing = pipe
    out = LinesOut(writing)
    for number in range(3000):  # nobody reads: it would wait for ever
        out.emit("stats", number=number, filling="x" * 100)
    got = bytearray()
    os.set_blocking(reading, False)
    while got.count(b"\n") < 3000:
        with contextlib.suppress(BlockingIOError):
            got += os.read(reading, 65536)
        out.flush()
    assert [json.loads(line)["number"] for line in got.splitlines()] == list(range(3000))


def test_a_reader_that_is_gone_is_noticed(pipe):
    reading, writing = pipe
    os.close(reading)
    out = LinesOut(writing)
    out.emit("ready")
    assert out.broken


def test_timers_run_in_order_and_only_when_due():
    timers, ran = Timers(), []
    timers.at(2.0, lambda: ran.append("second"))
    timers.at(1.0, lambda: ran.append("first"))
    timers.at(1.0, lambda: ran.append("also first"))
    timers.run_due(0.5)
    assert ran == []
    timers.run_due(1.0)
    assert ran == ["first", "also first"]
    assert timers.wait_s(1.5, 10.0) == 0.5
    timers.run_due(9.0)
    assert ran[-1] == "second"
    assert timers.wait_s(9.0, 10.0) == 10.0


def test_a_timer_that_arms_itself_for_the_past_does_not_hold_the_loop():
    timers, ran = Timers(), []

    def again() -> None:
        ran.append(1)
        timers.at(0.0, again)

    timers.at(0.0, again)
    timers.run_due(1.0)
    assert len(ran) == 1
