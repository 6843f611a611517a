"""An even stream of blocks from what the network delivers, and the little parts around it."""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from core.live_audio import AudioBlock, Verdict
from telephony.live_audio.hearing import FILL_AFTER_S, Hearing
from telephony.live_audio.level import Level
from telephony.live_audio.messages import Failed, Found, Message
from telephony.live_audio.mouth import LONGEST_QUEUE_S, Frames
from telephony.live_audio.rtp import payload
from telephony.live_audio.samples import from_mu_law, from_network, to_mu_law, to_network

BLOCK = bytes(range(64)) * 5


class Ear:
    """Keeps every block; says what a test wants it to."""

    def __init__(self) -> None:
        self.blocks: list[AudioBlock] = []
        self.verdicts: dict[int, Verdict] = {}
        self.begun = 0

    def begin(self, mouth: object) -> None:
        self.begun += 1

    def feed(self, block: AudioBlock) -> Verdict | None:
        self.blocks.append(block)
        return self.verdicts.get(block.seq)

    def end(self) -> Verdict:
        return Verdict("that was it", evidence=f"{len(self.blocks)}")


class Stream:
    mouth: Any = None

    def __init__(self) -> None:
        self.closed = 0

    def close(self) -> None:
        self.closed += 1

    def tick(self, now_s: float) -> None:
        """Nothing to say."""


class Stage:
    def __init__(self, answered: bool = True, limit_s: float = 60.0) -> None:
        self.ear, self.stream = Ear(), Stream()
        self.told: list[Message] = []
        self.over = 0
        self.hearing = Hearing(
            7,
            "leg",
            self.ear,
            rate_hz=8000,
            answered=answered,
            limit_s=limit_s,
            utc_s=1_000_000.0,
            tell=self.told.append,
            on_over=self._over,
        )
        self.hearing.begin(100.0, self.stream)

    def _over(self, hearing: Hearing) -> None:
        self.over += 1

    @property
    def shape(self) -> str:
        """`x` for what was said, `.` for silence put in."""
        return "".join("." if block.filled else "x" for block in self.ear.blocks)


def test_blocks_carry_the_time_of_the_stream() -> None:
    stage = Stage()
    for n in range(3):
        stage.hearing.take(BLOCK, 100.021 + n * 0.02)
    assert stage.ear.begun == 1
    assert [(block.seq, block.leg_id, block.pcm) for block in stage.ear.blocks] == [
        (0, "leg", BLOCK),
        (1, "leg", BLOCK),
        (2, "leg", BLOCK),
    ]
    assert [block.at_s for block in stage.ear.blocks] == pytest.approx([1_000_100.0, 1_000_100.02, 1_000_100.04])


def test_frames_of_other_sizes_are_cut_into_blocks() -> None:
    stage = Stage()
    sent = b"".join(bytes([n]) * 480 for n in range(1, 5))  # 30 ms each
    for n in range(4):
        stage.hearing.take(sent[n * 480 : n * 480 + 480], 100.03 + n * 0.03)
    assert b"".join(block.pcm for block in stage.ear.blocks) == sent
    assert {len(block.pcm) for block in stage.ear.blocks} == {320}


def test_dead_air_is_heard_as_silence_in_time() -> None:
    stage = Stage()
    stage.hearing.tick(100.1)
    assert stage.shape == ""
    for n in range(25):
        stage.hearing.tick(100.2 + n * 0.04)
    assert set(stage.shape) == {"."}
    assert len(stage.shape) * 0.02 == pytest.approx(1.16, abs=0.03)
    assert stage.ear.blocks[0].pcm == bytes(320)
    assert stage.hearing.filled == len(stage.shape)


def test_what_was_only_late_is_heard_all_the_same_and_time_is_not_counted_twice() -> None:
    stage = Stage()
    stage.hearing.take(BLOCK, 100.02)
    stage.hearing.tick(100.02 + FILL_AFTER_S + 0.1)
    gap = stage.shape.count(".")
    assert gap > 0
    for _ in range(12):  # the burst of what was held up
        stage.hearing.take(BLOCK, 100.26)
    assert stage.shape.count("x") == 13
    assert stage.shape.count(".") <= gap + 1
    # From here on the audio is ahead; the next gap waits for the world to come after it.
    ahead_s = len(stage.shape) * 0.02 - 0.26
    stage.hearing.tick(100.26 + ahead_s + FILL_AFTER_S - 0.01)
    assert stage.shape[-1] == "x"


def test_a_block_knows_whether_the_leg_was_answered() -> None:
    stage = Stage(answered=False)
    stage.hearing.take(BLOCK, 100.02)
    stage.hearing.answered = True
    stage.hearing.take(BLOCK, 100.04)
    stage.hearing.conclude()
    assert [block.answered for block in stage.ear.blocks] == [False, True]
    (found,) = stage.told
    assert isinstance(found, Found)
    assert (found.heard_s, found.answered_s) == pytest.approx((0.04, 0.02))
    assert found.at_s == pytest.approx(1_000_100.04)


def test_it_goes_on_until_a_final_verdict() -> None:
    stage = Stage()
    stage.ear.verdicts = {1: Verdict("perhaps", 0.4, "a hunch", final=False), 3: Verdict("sure", 0.9)}
    for n in range(6):
        stage.hearing.take(BLOCK, 100.02 + n * 0.02)
    assert [(m.label, m.final) for m in stage.told if isinstance(m, Found)] == [("perhaps", False), ("sure", True)]
    assert len(stage.ear.blocks) == 4
    assert (stage.over, stage.stream.closed) == (1, 1)
    for ending in (stage.hearing.conclude, stage.hearing.close, lambda: stage.hearing.fail("late")):
        ending()
    assert (len(stage.told), stage.over) == (2, 1)


def test_at_the_limit_it_says_what_it_thinks() -> None:
    stage = Stage(limit_s=0.5)
    stage.hearing.tick(100.49)
    assert stage.told == []
    stage.hearing.tick(100.5)
    (found,) = stage.told
    assert isinstance(found, Found)
    assert (found.label, found.final) == ("that was it", True)


@pytest.mark.parametrize("broken", ["feed", "end", "begin"])
def test_whatever_a_listener_raises_ends_its_own_listening(broken: str) -> None:
    stage = Stage()

    def fall(*arguments: object) -> Verdict:
        raise ZeroDivisionError("too clever")

    setattr(stage.ear, broken, fall)
    acts: dict[str, Callable[[], object]] = {
        "feed": lambda: stage.hearing.take(BLOCK, 100.02),
        "end": stage.hearing.conclude,
        "begin": lambda: stage.hearing.begin(100.0, stage.stream),
    }
    acts[broken]()
    assert stage.told == [Failed(7, "the listener failed: ZeroDivisionError: too clever")]
    assert stage.hearing.is_over


# -- speaking ----------------------------------------------------------------------------------------
def test_what_is_said_is_cut_into_frames_and_its_rest_waits_a_little() -> None:
    now = [10.0]
    frames = Frames(320, lambda: now[0])
    assert list(frames.cut(b"a" * 500)) == [b"a" * 320]
    assert frames.rest() == b""
    assert list(frames.cut(b"b" * 140)) == [b"a" * 180 + b"b" * 140]
    assert list(frames.cut(b"c" * 10)) == []
    now[0] += 0.04
    assert frames.rest() == b"c" * 10 + bytes(310)
    assert frames.queued_s == pytest.approx(0.02)
    frames.flush()
    assert (frames.queued_s, frames.rest()) == (0.0, b"")


def test_nobody_says_more_than_the_longest_queue() -> None:
    frames = Frames(320, lambda: 10.0)
    assert len(list(frames.cut(bytes(320 * 2000)))) == round(LONGEST_QUEUE_S / 0.02)


# -- formats -----------------------------------------------------------------------------------------
def test_mu_law_is_g711() -> None:
    # From ITU-T G.711, table 2a: code -> value on 14 bits, here shifted to 16.
    assert np.frombuffer(from_mu_law(bytes([0x80, 0x00, 0xFF, 0x7F, 0xAA])), np.int16).tolist() == [
        32124,
        -32124,
        0,
        0,
        5372,
    ]
    assert to_mu_law(from_mu_law(bytes(range(256)))) == bytes(range(127)) + b"\xff" + bytes(range(128, 256))
    ramp = np.arange(-32768, 32768, 7, dtype=np.int16)
    back = np.frombuffer(from_mu_law(to_mu_law(ramp.tobytes())), np.int16).astype(int)
    assert np.all(
        np.abs(back - np.clip(ramp.astype(int), -32635, 32635)) <= np.maximum(8, np.abs(ramp.astype(int)) / 16)
    )


def test_linear_samples_turn_round_for_the_network() -> None:
    assert to_network(np.array([1, -2], np.int16).tobytes()) == b"\x00\x01\xff\xfe"
    assert from_network(b"\x00\x01\xff\xfe") == np.array([1, -2], np.int16).tobytes()


def test_the_payload_of_rtp_is_found_behind_whatever_stands_before_it() -> None:
    head = struct.pack("!HII", 1, 2, 3)
    assert payload(b"\x80\x00" + head + b"audio") == (0, b"audio")
    assert payload(b"\x82\xf6" + head + b"csrc1234" + b"audio") == (118, b"audio")
    assert payload(b"\x90\x00" + head + b"\xbe\xde\x00\x01ext1" + b"audio") == (0, b"audio")
    assert payload(b"\xa0\x00" + head + b"audio\x00\x00\x03") == (0, b"audio")
    for garbage in (b"", b"\x80", b"\x40\x00" + head, b"\x90\x00" + head + b"\xbe", b"\x8f\x00" + head):
        assert payload(garbage)[0] == -1


# -- the meter ---------------------------------------------------------------------------------------
def blocks(hz: float, level: float, count: int, rate_hz: int = 8000) -> list[AudioBlock]:
    size = rate_hz // 50
    samples = level * 32767 * np.sin(2 * np.pi * hz / rate_hz * np.arange(size * count))
    pcm = samples.astype(np.int16).tobytes()
    return [AudioBlock("leg", n * 0.02, n, pcm[n * size * 2 : (n + 1) * size * 2], rate_hz) for n in range(count)]


def test_the_meter_tells_a_sound_its_level_and_its_frequency() -> None:
    meter = Level({"above_db": "-30", "for_s": "0.06"})
    said = [meter.feed(block) for block in [*blocks(0, 0, 5), *blocks(425, 0.1, 5)]]
    assert [n for n, verdict in enumerate(said) if verdict] == [7]
    assert said[7] == Verdict("sound", 1.0, "425 Hz at -23 dB")
    assert meter.end().label == "sound"


@pytest.mark.parametrize("rate_hz", [8000, 16000])
@pytest.mark.parametrize("hz", [350.0, 425.0, 950.0, 1100.0, 2100.0, 3390.0])
def test_the_meter_waits_for_the_tone_it_was_asked_for(hz: float, rate_hz: int) -> None:
    meter, other = Level({"hz": str(hz)}), Level({"hz": str(hz)})
    assert [meter.feed(block) for block in blocks(hz, 0.2, 10, rate_hz)].count(None) == 9
    assert [other.feed(block) for block in blocks(hz * 1.08, 0.2, 10, rate_hz)].count(None) == 10
    assert other.end().label == "silence"


@pytest.mark.parametrize("options", [{"loudness": "1"}, {"above_db": "loud"}])
def test_the_meter_refuses_what_it_does_not_understand(options: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="loud"):
        Level(options)
